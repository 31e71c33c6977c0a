/** Opens files other than WAV with mediabunny, finds a decoder for their tracks, and creates their errors. */
import {
  ADTS,
  BlobSource,
  EncodedPacketSink,
  FLAC,
  Input,
  type InputAudioTrack,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  PCM_AUDIO_CODECS,
  QTFF,
  type Source,
  WEBM,
} from 'mediabunny';
import { VoxlaneError } from '../util/errors';
import { HOST, userAgent } from '../util/host';
import { fileKindName, isProgramStream } from './codecNames';
import { loadDecoders } from './decoders';
import type { DecoderPlace } from './types';

export function withoutIndex(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-truncated',
    problem: 'The MP4 file has no index (its "moov" box), so its audio cannot be located. The recorder did not finish the file, or a part of it is missing',
    remedy: 'Copy the whole file again, or restore the index with an MP4 repair tool, such as untrunc',
  });
}

/** Error for a file that no demuxer recognizes, with the kind of file if it is known. */
export async function unreadable(source: Blob): Promise<VoxlaneError> {
  const kind = await fileKindName(source);
  return unsupported(kind === null ? 'The file format is not supported' : `The file is ${kind}, which is not supported`);
}

/** @param heldSeconds end of the audio in the file */
export function damaged(reachedSeconds: number, heldSeconds: number): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-decode',
    problem: `The audio cannot be read after ${reachedSeconds.toFixed(3)} s, although the file contains audio up to ${heldSeconds.toFixed(3)} s`,
    remedy: 'The file is damaged at this point. Analyze the part before it with durationSeconds, or convert the file',
  });
}

/** @param heldSeconds length that can still be analyzed; null if unknown */
export function truncated(problem: string, heldSeconds: number | null): VoxlaneError {
  const alternative =
    heldSeconds === null
      ? 'repair it with "ffmpeg -i in -c copy out"'
      : `analyze only the part up to ${(Math.floor(heldSeconds * 1000) / 1000).toFixed(3)} s (durationSeconds)`;
  return new VoxlaneError({
    code: 'audio-truncated',
    problem,
    remedy: `Copy the whole file again, or ${alternative}`,
  });
}

export function noDecoder(codec: string): VoxlaneError {
  return unsupported(`The audio codec is ${codec}, for which ${HOST} has no decoder`);
}

export function unsupported(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'audio-unsupported',
      problem,
      expected: 'WAV, MP3, AAC, Opus, Vorbis or FLAC, as an audio file or in an MP4, WebM or Matroska video',
      remedy: 'Convert the recording, for example with "ffmpeg -i in -ac 1 -ar 16000 out.wav"',
    },
    { cause },
  );
}

/** A demuxer that reads the same few offsets this many times in a row makes no progress. */
const MAX_REPEATS = 10_000;
/** Maximum number of offsets in such a loop. */
const MAX_PLACES = 8;

/** The method that mediabunny's demuxers call. The library's types omit it. */
interface ReadableSource {
  _read?: (start: number, ...others: unknown[]) => unknown;
}

/** A demuxer reads the same offsets of the file in an endless loop. */
export class DamagedStructure extends Error {
  constructor(readonly byte: number) {
    super(`The demuxer is in an endless loop around byte ${byte}`);
  }
}

/**
 * A source for mediabunny that throws if a demuxer is in an endless loop. Version 1.61 hangs on some damaged Matroska
 * files: `resync` in its `ebml.ts` does not advance 8 bytes before the end of the file, or at an element with an
 * invalid size.
 */
export function guardedSource(blob: Blob): Source {
  const source = new BlobSource(blob);
  const target = source as unknown as ReadableSource;
  const read = target._read;
  if (!read) return source;
  const places: number[] = [];
  let numRepeats = 0;
  target._read = (start, ...others) => {
    if (places.includes(start)) {
      numRepeats++;
    } else {
      numRepeats = 0;
      places.push(start);
      if (places.length > MAX_PLACES) places.shift();
    }
    if (numRepeats > MAX_REPEATS) throw new DamagedStructure(start);
    return read.call(source, start, ...others);
  };
  return source;
}

/** How reliable the browser's claim is that it can decode a codec with WebCodecs. */
type DecoderTrust =
  /** The claims of this browser have been verified. */
  | 'verified'
  /** Decode a few packets first, with {@link probeDecoder}. */
  | 'probe'
  /** The decoder must not be used, not even for a probe. */
  | 'avoid';

/** See {@link decoderTrust}: Safari 26 crashes on the third channel. */
const MAX_CHANNELS_ON_APPLE = 2;

/**
 * Decides by the user agent, because two defects crash the page's process, and no script can catch or test that.
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
 * The tests run every audio fixture through WebCodecs in Chromium and Firefox.
 *
 * @param userAgent `navigator.userAgent`, which workers also have
 * @param channels of the recording
 */
export function decoderTrust(userAgent: string, channels: number): DecoderTrust {
  // All browsers on iOS are WebKit, whatever their name: Chrome is CriOS there, Firefox is FxiOS. No word boundary,
  // because headless Chromium is called HeadlessChrome.
  if (/(Chrome|Chromium|Firefox|Node\.js)\/\d/.test(userAgent)) return 'verified';
  // Chromium's own AppleWebKit version is 537.
  const isWebKit = /\bAppleWebKit\/6\d\d/.test(userAgent);
  if (!isWebKit) return 'probe';
  const isApple = /\b(Macintosh|iPhone|iPad|iPod)\b/.test(userAgent);
  return isApple && channels <= MAX_CHANNELS_ON_APPLE ? 'probe' : 'avoid';
}

/**
 * Decoders need some packets before they produce output: Vorbis two, AAC its priming. A decoder that produces output
 * only at `flush()` would hold a whole recording in memory, so it does not count as working.
 */
const PROBED_PACKETS = 16;
/** Much longer than a busy machine needs for these packets. A false negative only costs memory. */
const TIME_LIMIT_SECONDS = 5;

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

/**
 * All of mediabunny's formats except WAV, which `wav.ts` reads, and HLS: a playlist refers to other files, and this
 * code must not access the network.
 */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, MP3, FLAC, ADTS, MPEG_TS];

/** The caller must dispose of it. */
export function openInput(source: Blob): Input {
  return new Input({ source: guardedSource(source), formats: FORMATS });
}

/** @throws VoxlaneError `audio-unsupported`, `options` */
export async function findTrack(input: Input, number: number | undefined): Promise<InputAudioTrack> {
  if (!(await input.canRead())) throw unsupported('The file format is not supported');
  const primary = await input.getPrimaryAudioTrack();
  if (!primary) throw unsupported('The file has no audio track');
  if (number === undefined) return primary;
  const tracks = await input.getAudioTracks();
  const track = tracks[number - 1];
  if (track) return track;
  throw new VoxlaneError({
    code: 'options',
    problem: `The option track is ${number}, but the file has ${tracks.length} audio track${tracks.length === 1 ? '' : 's'}`,
    expected: tracks.length === 1 ? '1, or no track' : `a number from 1 to ${tracks.length}`,
    remedy: 'Change the option and run again',
  });
}

/** Where to decode a file other than WAV. */
export async function decoderPlace(source: Blob, track: number | undefined): Promise<DecoderPlace> {
  if (await isProgramStream(source)) return 'here';
  const input = openInput(source);
  try {
    const found = await findTrack(input, track);
    if ((await found.getCodec()) === null) return 'unknown';
    return (await hasDecoder(found)) ? 'here' : 'page';
  } catch {
    return 'unknown';
  } finally {
    input.dispose();
  }
}

/**
 * Whether this thread has a decoder for the track. If the browser's claim is not verified, some packets are decoded
 * first.
 */
export async function hasDecoder(track: InputAudioTrack): Promise<boolean> {
  await loadDecoders();
  if (!(await track.canDecode())) return false;
  const codec = await track.getCodec();
  // mediabunny decodes PCM itself, without WebCodecs.
  if (PCM_AUDIO_CODECS.some((name) => name === codec)) return true;
  const trust = decoderTrust(userAgent(), await track.getNumberOfChannels());
  if (trust !== 'probe') return trust === 'verified';
  const config = await track.getDecoderConfig();
  if (!config) return false;
  const key = `${config.codec} ${config.sampleRate} ${config.numberOfChannels}`;
  if (!probedDecoders.has(key) && (await probeDecoder(config, encodedChunks(track)))) probedDecoders.add(key);
  return probedDecoders.has(key);
}

/** Decoders that have produced audio in this thread. Each file is checked twice: before and when it is opened. */
const probedDecoders = new Set<string>();

async function* encodedChunks(track: InputAudioTrack): AsyncGenerator<EncodedAudioChunk, void, undefined> {
  for await (const packet of new EncodedPacketSink(track).packets()) yield packet.toEncodedAudioChunk();
}

/** Audio sample rate according to the container; null if it declares none. Decodes nothing. */
export async function containerSampleRate(source: Blob): Promise<number | null> {
  const input = openInput(source);
  try {
    return await (await findTrack(input, undefined)).getSampleRate();
  } catch {
    return null;
  } finally {
    input.dispose();
  }
}
