/** Finds a decoder for a track: WebAssembly, the browser's WebCodecs if it decodes the first packets, or the page. */
import { EncodedPacketSink, type InputAudioTrack, PCM_AUDIO_CODECS } from 'mediabunny';
import { userAgent } from '../util/host';
import { isProgramStream } from './codecNames';
import { isWasmCodec, loadDecoders } from './decoders';
import { findTrack, openInput } from './mediaInput';
import type { DecoderPlace } from './types';

/** See {@link wouldCrash}: Safari 26 crashes on the third channel. */
const MAX_CHANNELS_ON_APPLE = 2;

/**
 * Whether WebCodecs must not even be probed. Decides by the user agent, because two defects crash the page's process, and
 * no script can catch or test that.
 *
 * - WebKit on GStreamer (WebKitGTK, WPE): `AudioData.copyTo` crashes the web process for any format and number of
 * channels, even for data created by a script. `AudioDecoder.isConfigSupported` still returns true. MP3 and FLAC then
 * fail with "Decode error", and AAC produces nothing before `flush()`. Seen in WebKitGTK 2.50.6 of Debian 12. Related
 * upstream: bugs.webkit.org 289946, 291070, 321913. Delete this rule if `new AudioData({ format: 'f32', …
 * }).copyTo(…)` returns in every WebKitGTK that still gets updates.
 * - WebKit on Apple's platforms: `copyTo` crashes the tab for the third and later channels. Safari 26.0; fixed
 * upstream in December 2025, bugs.webkit.org 302521. Delete this rule when releases of Safari 26 before the fix are
 * no longer in use.
 *
 * @param userAgent `navigator.userAgent`, which workers also have
 * @param channels of the recording
 */
export function wouldCrash(userAgent: string, channels: number): boolean {
  // Chromium's own AppleWebKit version is 537. All browsers on iOS are WebKit, whatever their name.
  if (!/\bAppleWebKit\/6\d\d/.test(userAgent)) return false;
  const isApple = /\b(Macintosh|iPhone|iPad|iPod)\b/.test(userAgent);
  return !isApple || channels > MAX_CHANNELS_ON_APPLE;
}

/**
 * Decoders need some packets before they produce output: Vorbis two, AAC its priming. A decoder that produces output
 * only at `flush()` would hold a whole recording in memory, so it does not count as working.
 */
const PROBED_PACKETS = 16;
/**
 * Much longer than a busy machine needs for these packets, and for starting the process of a decoder. If a working decoder
 * is slower, the page decodes the file, which only costs memory.
 */
const TIME_LIMIT_SECONDS = 10;

/** The part of WebCodecs that the probe uses. Tests replace it. */
export type DecoderConstructor = new (callbacks: AudioDecoderInit) => Pick<AudioDecoder, 'configure' | 'decode' | 'flush' | 'close'>;

/**
 * Whether a decoder produces audio for the first packets of a track, and does not only claim to support it.
 *
 * @param packets of the track, from its first
 * @returns false if the decoder throws, reports an error, or produces nothing in time
 */
export async function probeDecoder(
  config: AudioDecoderConfig,
  packets: AsyncIterable<EncodedAudioChunk>,
  Decoder: DecoderConstructor = AudioDecoder,
): Promise<boolean> {
  let decoder: InstanceType<DecoderConstructor> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      const refuse = (): void => {
        resolve(false);
      };
      timer = setTimeout(refuse, 1000 * TIME_LIMIT_SECONDS);
      decoder = new Decoder({
        output(sound) {
          const isSound = sound.numberOfFrames > 0;
          sound.close();
          if (isSound) resolve(true);
        },
        error: refuse,
      });
      decoder.configure(config);
      feed(decoder, packets).then((isWhole) => {
        // All packets were flushed without producing audio.
        if (isWhole) refuse();
      }, refuse);
    });
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    closeQuietly(decoder);
  }
}

/** @returns whether all packets of the track were passed and flushed */
async function feed(decoder: Pick<AudioDecoder, 'decode' | 'flush'>, packets: AsyncIterable<EncodedAudioChunk>): Promise<boolean> {
  let fed = 0;
  for await (const packet of packets) {
    decoder.decode(packet);
    fed += 1;
    if (fed === PROBED_PACKETS) return false;
  }
  await decoder.flush();
  return true;
}

/** Closes a decoder. After an error, a decoder is already closed and `close` throws. */
function closeQuietly(decoder: Pick<AudioDecoder, 'close'> | undefined): void {
  try {
    decoder?.close();
  } catch {
    // Already closed.
  }
}

/** Where to decode a file other than WAV. */
export async function decoderPlace(source: Blob, track: number | undefined): Promise<DecoderPlace> {
  if (await isProgramStream(source)) return 'here';
  const input = openInput(source);
  try {
    const found = await findTrack(input, track);
    if ((await found.getCodec()) === null) return 'unknown';
    return (await testDecoder(found)) === 'works' ? 'here' : 'page';
  } catch {
    return 'unknown';
  } finally {
    input.dispose();
  }
}

/** Result of {@link testDecoder}. `fails`: the decoder claims to support the track, but does not decode its first packets. */
export type DecoderTest = 'works' | 'fails' | 'none';

/**
 * Whether this thread has a decoder for the track. A decoder of the browser must decode the first packets, because WebKit
 * claims to support codecs that it does not decode.
 */
export async function testDecoder(track: InputAudioTrack): Promise<DecoderTest> {
  await loadDecoders();
  if (!(await track.canDecode())) return 'none';
  const codec = await track.getCodec();
  // mediabunny decodes PCM itself, and our decoders other codecs, without WebCodecs.
  if (isWasmCodec(codec) || PCM_AUDIO_CODECS.some((name) => name === codec)) return 'works';
  if (wouldCrash(userAgent(), await track.getNumberOfChannels())) return 'none';
  const config = await track.getDecoderConfig();
  if (!config) return 'none';
  const key = `${config.codec} ${config.sampleRate} ${config.numberOfChannels}`;
  // Without a packet, there is nothing to test. Opening the file then throws the error.
  if (probedDecoders.has(key) || !(await hasPacket(track))) return 'works';
  if (!(await probeDecoder(config, encodedChunks(track)))) return 'fails';
  probedDecoders.add(key);
  return 'works';
}

/**
 * Decoders that have produced audio in this thread. Each file is checked twice: before and when it is opened. Failures are
 * not kept, because the file can be the cause.
 */
const probedDecoders = new Set<string>();

const hasPacket = (track: InputAudioTrack): Promise<boolean> =>
  new EncodedPacketSink(track).getFirstPacket({ metadataOnly: true }).then((packet) => packet !== null, () => false);

/** The packets up to the first that cannot be read. */
async function* encodedChunks(track: InputAudioTrack): AsyncGenerator<EncodedAudioChunk, void, undefined> {
  try {
    for await (const packet of new EncodedPacketSink(track).packets()) yield packet.toEncodedAudioChunk();
  } catch {
    // Opening the file throws this error again.
  }
}
