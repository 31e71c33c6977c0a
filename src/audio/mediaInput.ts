/** Errors for files other than WAV. */
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
import { fileKindName, isProgramStream } from './codecNames';
import type { DecoderPlace } from './types';

export function withoutIndex(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-truncated',
    problem: 'The MP4 file has no index (its "moov" box), without which its sound cannot be found. The recorder did not finish the file, or a part of it is missing',
    remedy: 'Copy the whole file again, or restore the index with a program that repairs MP4 files, such as untrunc',
  });
}

/** Names the kind of a file that no demuxer recognizes. */
export async function unreadable(source: Blob): Promise<VoxlaneError> {
  const kind = await fileKindName(source);
  return unsupported(kind === null ? 'The file is not of a kind that can be read' : `The file is ${kind}, which cannot be read`);
}

/** @param heldSeconds end of the sound that the file holds */
export function damaged(reachedSeconds: number, heldSeconds: number): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-decode',
    problem: `The sound cannot be read from ${reachedSeconds.toFixed(3)} s on, although the file holds sound up to ${heldSeconds.toFixed(3)} s`,
    remedy: 'The file is damaged there; analyze the part before it with durationSeconds, or convert the file',
  });
}

/** @param heldSeconds what can be analyzed all the same; null where this is not known */
export function truncated(problem: string, heldSeconds: number | null): VoxlaneError {
  const segment =
    heldSeconds === null
      ? 'repair it with "ffmpeg -i in -c copy out"'
      : `set durationSeconds so that the segment ends by ${(Math.floor(heldSeconds * 1000) / 1000).toFixed(3)} s`;
  return new VoxlaneError({
    code: 'audio-truncated',
    problem,
    remedy: `Copy the whole file again, or ${segment} to analyze the part that is there`,
  });
}

export function noDecoder(codec: string): VoxlaneError {
  return unsupported(`The sound is ${codec}, and this browser has no decoder for it`);
}

export function unsupported(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'audio-unsupported',
      problem,
      expected: 'WAV, MP3, AAC, Opus, Vorbis or FLAC, alone or as the sound of an MP4, WebM or Matroska video',
      remedy: 'Convert the recording, with "ffmpeg -i in -ac 1 -ar 16000 out.wav" for example',
    },
    { cause },
  );
}

/** A demuxer that reads the same few places this often in a row makes no progress. */
const MAX_REPEATS = 10_000;
/** Number of places that such a loop can have. */
const MAX_PLACES = 8;

/** The method that mediabunny's demuxers call. The library's types omit it. */
interface ReadableSource {
  _read?: (start: number, ...others: unknown[]) => unknown;
}

/** A demuxer reads the same places of the file in an endless loop. */
export class DamagedStructure extends Error {
  constructor(readonly byte: number) {
    super(`The demuxer is in an endless loop around byte ${byte}`);
  }
}

/**
 * A file for mediabunny that throws if a demuxer is in an endless loop. Version 1.61 hangs on some damaged Matroska files:
 * `resync` in its `ebml.ts` does not advance 8 bytes before the end of the file, or at an element whose size is invalid.
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

/** How far a browser's claim to decode a codec with WebCodecs can be relied on. */
export type DecoderTrust =
  /** Its claims have been verified. */
  | 'verified'
  /** A few packets must be decoded first: see `probeDecoder.ts`. */
  | 'probe'
  /** Its decoder must not be used, not even to try it. */
  | 'avoid';

/** See `decoderTrust`: Safari 26 crashes on the third channel. */
const MAX_CHANNELS_ON_APPLE = 2;

/**
 * Decides by the user agent, because two faults end the process of the page, and no script can catch that or try it.
 *
 * - WebKit on GStreamer (WebKitGTK, WPE): `AudioData.copyTo` crashes the web process for any format and number of
 *   channels, also for data that a script made. `AudioDecoder.isConfigSupported` is true all the same; MP3 and FLAC then
 *   fail with "Decode error", and AAC gives nothing before `flush()`. Seen in WebKitGTK 2.50.6 of Debian 12. Related
 *   upstream: bugs.webkit.org 289946, 291070, 321913. Delete this rule if
 *   `new AudioData({ format: 'f32', … }).copyTo(…)` returns in every WebKitGTK that still gets updates.
 * - WebKit on Apple's platforms: `copyTo` crashes the tab for the third channel and those after it. Safari 26.0; fixed
 *   upstream in December 2025, bugs.webkit.org 302521. Delete this rule when releases of Safari 26 before the fix
 *   are no longer in use.
 *
 * Chromium and Firefox run every audio fixture through WebCodecs in the tests.
 *
 * @param userAgent `navigator.userAgent`, which workers have as well
 * @param channels of the recording
 */
export function decoderTrust(userAgent: string, channels: number): DecoderTrust {
  // All browsers on iOS are WebKit, whatever they are called: Chrome is CriOS there, Firefox is FxiOS.
  // Without a word boundary: headless Chromium is called HeadlessChrome.
  if (/(Chrome|Chromium|Firefox)\/\d/.test(userAgent)) return 'verified';
  // Chromium's own AppleWebKit version is 537.
  const isWebKit = /\bAppleWebKit\/6\d\d/.test(userAgent);
  if (!isWebKit) return 'probe';
  const isApple = /\b(Macintosh|iPhone|iPad|iPod)\b/.test(userAgent);
  return isApple && channels <= MAX_CHANNELS_ON_APPLE ? 'probe' : 'avoid';
}

/**
 * Decoders need some packets before they answer: Vorbis two, AAC its priming. A decoder that keeps its answers until
 * `flush()` would hold a whole recording in memory, so it counts as none.
 */
const PROBED_PACKETS = 16;
/** Far more than a busy machine takes for as many packets. A "no" that comes too soon costs memory, nothing else. */
const TIME_LIMIT_SECONDS = 5;

/** What the probe needs of WebCodecs; tests bring their own. */
export type DecoderConstructor = new (callbacks: AudioDecoderInit) => Pick<AudioDecoder, 'configure' | 'decode' | 'flush' | 'close'>;

/**
 * Whether a decoder gives sound for the first packets of a track, instead of only claiming that it can.
 *
 * @param packets of the track, from its first on
 * @returns false if the decoder throws, reports an error, or gives nothing in time
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
        // All packets were flushed, and none gave sound.
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

/** @returns whether the packets were all there are; then they are flushed */
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

/** Closes a decoder. One that reported an error is closed already and throws. */
function closeQuietly(decoder: Pick<AudioDecoder, 'close'> | undefined): void {
  try {
    decoder?.close();
  } catch {
    // It is closed already.
  }
}

/** Opens files with mediabunny, and finds where their tracks can be decoded. */

/**
 * All of mediabunny's formats but WAV, which is read by `wav.ts`, and HLS: a playlist names files elsewhere, and
 * nothing here may go to the network.
 */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, MP3, FLAC, ADTS, MPEG_TS];

/** The caller disposes of it. */
export function openInput(source: Blob): Input {
  return new Input({ source: guardedSource(source), formats: FORMATS });
}

/** @throws VoxlaneError `audio-unsupported`, `options` */
export async function findTrack(input: Input, number: number | undefined): Promise<InputAudioTrack> {
  if (!(await input.canRead())) throw unsupported('The file is not of a kind that can be read');
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

/** Whether this thread has a decoder for the track. If the browser's claim is not verified, some packets are decoded first. */
export async function hasDecoder(track: InputAudioTrack): Promise<boolean> {
  if (!(await track.canDecode())) return false;
  const codec = await track.getCodec();
  // mediabunny reads PCM itself, without WebCodecs.
  if (PCM_AUDIO_CODECS.some((name) => name === codec)) return true;
  const trust = decoderTrust(navigator.userAgent, await track.getNumberOfChannels());
  if (trust !== 'probe') return trust === 'verified';
  const config = await track.getDecoderConfig();
  if (!config) return false;
  const key = `${config.codec} ${config.sampleRate} ${config.numberOfChannels}`;
  if (!probedDecoders.has(key) && (await probeDecoder(config, encodedChunks(track)))) probedDecoders.add(key);
  return probedDecoders.has(key);
}

/** Decoders that have given sound in this thread. Each file is asked about twice: before and when it is opened. */
const probedDecoders = new Set<string>();

async function* encodedChunks(track: InputAudioTrack): AsyncGenerator<EncodedAudioChunk, void, undefined> {
  for await (const packet of new EncodedPacketSink(track).packets()) yield packet.toEncodedAudioChunk();
}

/** Sample rate that the container gives for its sound; null if it gives none. Decodes nothing. */
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
