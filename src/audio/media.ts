import {
  ADTS,
  type AudioSample,
  AudioSampleSink,
  EncodedPacketSink,
  FLAC,
  type Input,
  type InputAudioTrack,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  WEBM,
} from 'mediabunny';
import { VoxlaneError } from '../util/errors';
import { cutBlock, decodeFailure, type PlanarBlock } from './blocks';
import { codecName, isProgramStream } from './codecNames';
import { ByteReader } from './containers/byteReader';
import { type FlacEnd, readFlacEnd } from './containers/flac';
import { readCodecDelay } from './containers/matroska';
import type { Mp3Padding } from './containers/mp3';
import { lacksIndex, type PlacedSegment, placeEdits, readEdits } from './containers/mp4';
import { testDecoder } from './decoderChoice';
import {
  damaged,
  DamagedStructure,
  findTrack,
  isMp4,
  noDecoder,
  openInput,
  truncated,
  unreadable,
  unsupported,
  withoutIndex,
} from './mediaInput';
import type { AudioTrack } from './types';
import { checkChannels, checkSampleRate } from './wavHeader';
import { readPlane } from './decoders';

/**
 * Chromium's `AudioDecoder` numbers its output without regard to jumps in the timestamps of its input. A gap in a
 * recording (a pause, lost packets, silence that was not sent) disappears, and all later audio is early. The gaps are
 * detected in the packets' own timestamps and restored.
 */

/** A gap in the packets, in seconds. */
interface Gap {
  readonly stop: number;
  readonly resume: number;
}

/** Codecs with packets of variable duration, where short jumps may not be gaps. */
const VARIABLE_CODECS = new Set(['opus', 'vorbis']);
const MIN_GAP_OF_VARIABLE_SECONDS = 0.1;
/** Matroska rounds timestamps to 1 ms. */
const ROUNDING_SECONDS = 0.002;
/** Smoothing factor of the usual packet duration. */
const SMOOTHING = 1 / 8;

/** Corrects the times of decoded audio. Times must be requested in ascending order. */
export class GapClock {
  readonly #packets: AsyncIterator<{ readonly timestamp: number }>;
  readonly #isVariable: boolean;
  #shift = 0;
  /** Timestamp of the last examined packet. */
  #last = -Infinity;
  /** Usual interval between packets. */
  #usual: number | null = null;
  #gap: Gap | null = null;
  #ended = false;

  /** @param packets in order, from the first decoded packet */
  constructor(packets: AsyncIterable<{ readonly timestamp: number }>, codec: string) {
    this.#packets = packets[Symbol.asyncIterator]();
    this.#isVariable = VARIABLE_CODECS.has(codec);
  }

  /**
   * @param decoded time of a block according to the decoder, in seconds
   * @param duration of the block, in seconds
   * @returns the correct time, in seconds
   */
  async place(decoded: number, duration: number): Promise<number> {
    // A block usually corresponds to one packet. A gap can follow the first packet.
    this.#usual ??= duration;
    for (;;) {
      const time = decoded + this.#shift;
      while (!this.#gap && !this.#ended && this.#last <= time + this.#usual) await this.#advance(this.#usual);
      const gap = this.#gap;
      // The decoder's clock may differ from the packets' by some milliseconds, the delay of the encoder.
      if (!gap || time < gap.stop - this.#usual / 2) return time;
      // Decoders that respect the timestamps are already beyond the gap.
      if (time < (gap.stop + gap.resume) / 2) this.#shift += gap.resume - gap.stop;
      this.#gap = null;
    }
  }

  async close(): Promise<void> {
    await this.#packets.return?.();
  }

  async #advance(usual: number): Promise<void> {
    const result = await this.#packets.next();
    if (result.done === true) {
      this.#ended = true;
      return;
    }
    const { timestamp } = result.value;
    const last = this.#last;
    const step = timestamp - last;
    this.#last = timestamp;
    if (last === -Infinity || step <= 0) return;
    const least = this.#isVariable ? MIN_GAP_OF_VARIABLE_SECONDS : usual / 2 + ROUNDING_SECONDS;
    if (step - usual > least) this.#gap = { stop: last + usual, resume: timestamp };
    else this.#usual = usual + (step - usual) * SMOOTHING;
  }
}

/** The decoded part of a track, and the offset of its clock from the recording's clock. */
interface DecodeRange {
  /** On the track's clock, in seconds; -Infinity for its first packet. */
  readonly from: number;
  /** On the track's clock, in seconds. */
  readonly to: number;
  /** Start of the recording on the track's clock, in seconds. */
  readonly offsetSeconds: number;
  readonly sampleRate: number;
  readonly codec: string;
}

/**
 * Decodes a track from the packet at `from`.
 *
 * @returns position on the recording's time axis after the last decoded sample
 * @throws VoxlaneError `audio-decode`
 */
async function* decodeTrack(
  track: InputAudioTrack,
  { from, to, offsetSeconds, sampleRate, codec }: DecodeRange,
): AsyncGenerator<PlanarBlock, number, undefined> {
  let reached = 0;
  const packets = new EncodedPacketSink(track);
  const first = from > -Infinity ? await packets.getPacket(from, { metadataOnly: true }) : null;
  const clock = new GapClock(packets.packets(first ?? undefined, undefined, { metadataOnly: true }), codec);
  try {
    // After a gap, the decoder's clock is early. Therefore, it gets no end, and its start is the packet's own time.
    for await (const sample of new AudioSampleSink(track).samples(first?.timestamp ?? -Infinity)) {
      try {
        if (sample.sampleRate !== sampleRate) {
          throw new Error(`the sample rate changes from ${sampleRate} to ${sample.sampleRate} Hz`);
        }
        const time = await clock.place(sample.timestamp, sample.duration);
        if (time >= to) return reached;
        const startFrame = Math.round((time - offsetSeconds) * sampleRate);
        reached = startFrame + sample.numberOfFrames;
        yield { startFrame, channels: planes(sample) };
      } finally {
        // The decoder has few buffers and stops if they are not returned.
        sample.close();
      }
    }
  } catch (cause) {
    throw decodeFailure(reached, sampleRate, cause);
  } finally {
    await clock.close();
  }
  return reached;
}

function planes(sample: AudioSample): Float32Array[] {
  return Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
    const plane = new Float32Array(sample.numberOfFrames);
    readPlane(sample, planeIndex, plane);
    return plane;
  });
}

/** Decoding starts this early, because codecs such as AAC and MP3 need some frames before the first requested sample. */
const PREROLL_SECONDS = 1;
/**
 * Containers in which decoding may start in mid-file without shifting the audio. Matroska rounds timestamps to
 * milliseconds, and a restarted Opus decoder drops the encoder's delay of 6.5 ms again. These are decoded from their
 * start, and the samples before the segment are dropped.
 */
const EXACT_SEEK_CONTAINERS = new Set([MP4.name, QTFF.name, MP3.name, FLAC.name, ADTS.name, MPEG_TS.name]);
const INEXACT_SEEK_CODECS = new Set(['opus', 'vorbis']);
/** The only codecs whose encoder delay must be dropped here: other decoders drop it, or there is none. */
const DELAYED_CODECS = new Set(['aac', 'mp3']);
/** If less than this is missing at the end, a file does not count as truncated. */
const TRUNCATION_TOLERANCE_SECONDS = 0.25;

/** Facts about a file that its container does not contain. */
export interface TrackOptions {
  /** Number of the audio track, from 1. Undefined: the container's default track, or the first. */
  readonly track: number | undefined;
  /** Of an MP3 file. */
  readonly padding: Mp3Padding | null;
  /** Name of the codec if no demuxer here supports it. */
  readonly unreadableCodec?: string | null;
  /** Whether the recording starts with the first audio, whatever its time on the container's clock. */
  readonly startsAnywhere?: boolean | undefined;
  /** Start of the recording on the container's clock, if known. */
  readonly originSeconds?: number;
}

/** A container with an audio track that can be decoded in this thread. */
export interface OpenTrack {
  readonly container: string;
  readonly codec: string;
  /** Of the decoded audio. It can differ from the container's value for HE-AAC and Opus. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Start of the recording on the container's clock. */
  readonly originSeconds: number;
  /** Time of the first audio on the clock of an Ogg file; 0 for other files. */
  readonly firstSeconds: number;
  /** Duration of the recording; null if the container does not declare it. */
  readonly durationSeconds: number | null;
  /** Position on the time axis after the last sample; infinite if the container declares no exact end. */
  readonly endFrame: number;
  /** All audio tracks of the file, in file order. */
  readonly tracks: readonly AudioTrack[];
  /**
   * Decodes from `fromFrame` or shortly before it.
   *
   * @throws VoxlaneError `audio-decode`, `audio-truncated`, `audio-channels`
   */
  blocks(fromFrame: number, toFrame: number): AsyncGenerator<PlanarBlock, void, undefined>;
  close(): void;
}

/**
 * Opens a file with mediabunny: MP3, AAC, Opus, Vorbis, FLAC or PCM in MP4, QuickTime, WebM, Matroska, Ogg, ADTS,
 * MPEG-TS or without a container.
 *
 * @throws VoxlaneError `audio-unsupported`, `audio-channels`, `audio-no-samples`, `audio-truncated`; `options` if the
 *   file does not have the track
 */
export async function openTrack(source: Blob, options: TrackOptions = { track: undefined, padding: null }): Promise<OpenTrack> {
  const input = openInput(source);
  try {
    if ((await isProgramStream(source)) || !(await input.canRead())) throw await unreadable(source);
    if (isMp4((await input.getFormat()).name) && (await lacksIndex(new ByteReader(source)))) throw withoutIndex();
    if (options.unreadableCodec != null) throw noDecoder(options.unreadableCodec);
    return await describeTrack(source, input, options);
  } catch (cause) {
    input.dispose();
    if (cause instanceof VoxlaneError) throw cause;
    const where = cause instanceof DamagedStructure ? `: its structure is damaged around byte ${cause.byte}` : '';
    throw unsupported(`The file cannot be read${where}`, cause);
  }
}

const isMatroska = (container: string): boolean => container === MATROSKA.name || container === WEBM.name;
async function listTracks(input: Input, read: InputAudioTrack): Promise<AudioTrack[]> {
  const tracks = await input.getAudioTracks();
  return Promise.all(
    tracks.map(async (track, index) => {
      const language = await track.getLanguageCode();
      return {
        number: index + 1,
        codec: (await track.getCodec()) ?? codecName(null, await track.getInternalCodecId()),
        sampleRate: await track.getSampleRate(),
        channels: await track.getNumberOfChannels(),
        language: language === 'und' ? null : language,
        name: await track.getName(),
        isRead: track.id === read.id,
      };
    }),
  );
}

async function describeTrack(source: Blob, input: Input, { track: number, padding, ...options }: TrackOptions): Promise<OpenTrack> {
  const track = await findTrack(input, number);
  const codec = await track.getCodec();
  const decoder = codec === null ? 'none' : await testDecoder(track);
  if (codec === null || decoder === 'none') throw noDecoder(codecName(codec, await track.getInternalCodecId()));
  if (decoder === 'fails') throw cannotDecode(codec);
  checkChannels(await track.getNumberOfChannels());
  const container = (await input.getFormat()).name;
  const firstSeconds = container === OGG.name ? await track.getFirstTimestamp() : 0;
  // The clock of a transport stream starts at any time.
  const ownOrigin = container === MPEG_TS.name ? await input.getFirstTimestamp() : options.startsAnywhere ? firstSeconds : 0;
  const originSeconds = options.originSeconds ?? ownOrigin;
  const first = await firstSample(track, codec);
  const { sampleRate, numberOfChannels: channels } = first;
  first.close();
  checkSampleRate(sampleRate);
  checkChannels(channels);

  const delaySeconds = isMatroska(container) && DELAYED_CODECS.has(codec) ? await readCodecDelay(new ByteReader(source), track.id) : 0;
  const offsetSeconds = originSeconds + delaySeconds + (padding ? padding.leading / sampleRate : 0);
  const edits = isMp4(container) ? await editsOf(source, track) : null;
  const flacEnd = container === FLAC.name ? await readFlacEnd(new ByteReader(source)) : null;
  const promise = flacPromise(flacEnd, await promisedEnd(track, container));
  const editedEnd = edits && Math.max(...edits.map(({ to, shift }) => Math.min(to, promise ?? Infinity) + shift));
  const endSeconds = editedEnd ?? (promise === null ? null : promise - originSeconds);
  const endFrame = padding?.length ?? (endSeconds === null ? Infinity : Math.round(endSeconds * sampleRate));
  const canSeek = EXACT_SEEK_CONTAINERS.has(container) && !INEXACT_SEEK_CODECS.has(codec);
  const estimate = promise ?? (await estimateEnd(track));
  const decode = async function* (from: number, to: number): AsyncGenerator<PlanarBlock, number, undefined> {
    const early = canSeek ? from + offsetSeconds - PREROLL_SECONDS : 0;
    return yield* decodeTrack(track, { from: early > 0 ? early : -Infinity, to: to + offsetSeconds, offsetSeconds, sampleRate, codec });
  };
  return {
    container,
    codec,
    sampleRate,
    channels,
    originSeconds,
    firstSeconds,
    tracks: await listTracks(input, track),
    durationSeconds: Number.isFinite(endFrame)
      ? endFrame / sampleRate
      : estimate && Math.max(0, estimate - offsetSeconds),
    endFrame,
    async *blocks(fromFrame, toFrame) {
      const to = Math.min(toFrame, endFrame);
      if (edits && edits.length > 1) {
        yield* decodeEdits(edits, decode, { fromFrame, toFrame: to, sampleRate });
        return;
      }
      const reached = yield* decode(fromFrame / sampleRate, to / sampleRate);
      if (flacEnd) checkDamage(reached / sampleRate, Math.min(to / sampleRate, flacEnd.endSeconds), flacEnd);
      if (promise !== null) checkReached(reached, to, sampleRate);
    },
    close() {
      input.dispose();
    },
  };
}

async function editsOf(source: Blob, track: InputAudioTrack): Promise<PlacedSegment[] | null> {
  const edits = await readEdits(new ByteReader(source), track.id);
  return edits && placeEdits(edits);
}

type Decode = (fromSeconds: number, toSeconds: number) => AsyncGenerator<PlanarBlock, number, undefined>;

/** Decodes the segments of the edit list at their positions, like a player. */
async function* decodeEdits(
  edits: readonly PlacedSegment[],
  decode: Decode,
  { fromFrame, toFrame, sampleRate }: { readonly fromFrame: number; readonly toFrame: number; readonly sampleRate: number },
): AsyncGenerator<PlanarBlock, void, undefined> {
  for (const { from, to, shift } of edits) {
    const shiftFrames = Math.round(shift * sampleRate);
    const start = Math.max(Math.round(from * sampleRate), fromFrame - shiftFrames);
    const end = Math.min(Math.round(to * sampleRate), toFrame - shiftFrames);
    if (end <= start) continue;
    for await (const block of decode(start / sampleRate, end / sampleRate)) {
      const part = cutBlock(block, start, end, shiftFrames);
      if (part) yield part;
    }
  }
}

function cannotDecode(codec: string, cause?: unknown): VoxlaneError {
  return unsupported(`The file looks like ${codecName(codec, null)} but cannot be decoded`, cause);
}

async function firstSample(track: InputAudioTrack, codec: string): Promise<AudioSample> {
  const samples = new AudioSampleSink(track).samples();
  try {
    const { value } = await samples.next();
    if (value) return value;
  } catch (cause) {
    // The decoder's own code could not be loaded.
    if (cause instanceof VoxlaneError) throw cause;
    // Some containers are recognized by only a few bytes. If not even the start decodes, the file was not audio.
    throw cannotDecode(codec, cause);
  } finally {
    await samples.return();
  }
  throw new VoxlaneError({ code: 'audio-no-samples', problem: 'The audio track contains no samples' });
}

/**
 * End of the audio according to the container's index, for containers with an exact index.
 *
 * @throws VoxlaneError `audio-truncated` if the last packet of the index is missing in the file
 */
async function promisedEnd(track: InputAudioTrack, container: string): Promise<number | null> {
  if (container === FLAC.name) return lengthFromHeader(track);
  // mediabunny fails on an Ogg file with a truncated last page, although the rest can be decoded.
  if (container === OGG.name) return track.computeDuration().catch(() => null);
  if (!isMp4(container)) return null;
  const end = await track.computeDuration({ metadataOnly: true });
  // A missing packet at the end of the index and an error both mean that its bytes are missing.
  const last = await new EncodedPacketSink(track).getPacket(Infinity).catch(() => null);
  if (!last) throw truncated(`The file's index declares ${end.toFixed(3)} s of audio, but the end is missing`, null);
  return end;
}

/** From the header, or without one (ADTS, MPEG-TS, a live WebM) from the packets; null if neither works. */
async function estimateEnd(track: InputAudioTrack): Promise<number | null> {
  return (await lengthFromHeader(track)) ?? track.computeDuration({ metadataOnly: true }).catch(() => null);
}

/** Null if the header does not declare a length. A 0 counts as no length. */
async function lengthFromHeader(track: InputAudioTrack): Promise<number | null> {
  const seconds = await track.getDurationFromMetadata();
  return seconds === 0 ? null : seconds;
}

/** The header may count too few samples. If it counts too many, the file is truncated. */
function flacPromise(end: FlacEnd | null, promised: number | null): number | null {
  return end && promised !== null && end.endSeconds > promised + TRUNCATION_TOLERANCE_SECONDS ? end.endSeconds : promised;
}

/** mediabunny stops at damage without an error. */
function checkDamage(reachedSeconds: number, wantedSeconds: number, { endSeconds, frameSeconds }: FlacEnd): void {
  // The last frame may be truncated.
  if (wantedSeconds - reachedSeconds <= Math.max(TRUNCATION_TOLERANCE_SECONDS, 1.5 * frameSeconds)) return;
  throw damaged(reachedSeconds, endSeconds);
}

function checkReached(reached: number, promised: number, sampleRate: number): void {
  if (!Number.isFinite(promised) || promised - reached <= TRUNCATION_TOLERANCE_SECONDS * sampleRate) return;
  const held = reached / sampleRate;
  throw truncated(
    `The file declares audio up to ${(promised / sampleRate).toFixed(3)} s, but it ends at ${held.toFixed(3)} s`,
    held,
  );
}
