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
import {
  damaged,
  DamagedStructure,
  findTrack,
  hasDecoder,
  noDecoder,
  openInput,
  truncated,
  unreadable,
  unsupported,
  withoutIndex,
} from './mediaInput';
import type { AudioTrack } from './types';
import { checkChannels, checkSampleRate } from './wavHeader';

/**
 * Chromium's `AudioDecoder` numbers its output without regard to jumps in the timestamps of its input, so a gap in
 * a recording (a pause, lost packets, silence that was not sent) closes and all that follows is early. The gaps are
 * found in the packets' own timestamps and put back.
 */

/** A place where packets are missing, in seconds. */
interface Gap {
  readonly stop: number;
  readonly resume: number;
}

/** Codecs whose packets are of different lengths by design: shorter jumps may be none. */
const VARIABLE_CODECS = new Set(['opus', 'vorbis']);
const MIN_GAP_OF_VARIABLE_SECONDS = 0.1;
/** Matroska rounds timestamps to 1 ms. */
const ROUNDING_SECONDS = 0.002;
/** How slowly the usual packet length follows the packets. */
const SMOOTHING = 1 / 8;

/** Gives decoded sound its true place. Times must be asked for in order. */
export class GapClock {
  readonly #packets: AsyncIterator<{ readonly timestamp: number }>;
  readonly #isVariable: boolean;
  #shift = 0;
  /** Timestamp of the last packet that was looked at. */
  #last = -Infinity;
  /** From one packet to the next. */
  #usual: number | null = null;
  #gap: Gap | null = null;
  #ended = false;

  /** @param packets in order, from the one that decoding starts with */
  constructor(packets: AsyncIterable<{ readonly timestamp: number }>, codec: string) {
    this.#packets = packets[Symbol.asyncIterator]();
    this.#isVariable = VARIABLE_CODECS.has(codec);
  }

  /**
   * @param decoded time at which the decoder put a block, in seconds
   * @param duration of the block, in seconds
   * @returns its true time, in seconds
   */
  async place(decoded: number, duration: number): Promise<number> {
    // As a rule a block is what one packet gives. A gap can follow the first packet already.
    this.#usual ??= duration;
    for (;;) {
      const time = decoded + this.#shift;
      while (!this.#gap && !this.#ended && this.#last <= time + this.#usual) await this.#advance(this.#usual);
      const gap = this.#gap;
      // The decoder's clock may be some milliseconds off the packets', by the delay of the encoder.
      if (!gap || time < gap.stop - this.#usual / 2) return time;
      // Decoders that do respect the timestamps are beyond the gap already.
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

/** Which part of a track is decoded, and how its clock maps to the recording's. */
export interface DecodeRange {
  /** On the track's clock, in seconds; -Infinity: from its first packet. */
  readonly from: number;
  /** On the track's clock, in seconds. */
  readonly to: number;
  /** Time on the track's clock at which the recording starts, in seconds. */
  readonly offsetSeconds: number;
  readonly sampleRate: number;
  readonly codec: string;
}

/**
 * Decodes a track from the packet at `from` on.
 *
 * @returns place on the recording's time axis after the last sample that was decoded
 * @throws VoxlaneError `audio-decode`
 */
export async function* decodeTrack(
  track: InputAudioTrack,
  { from, to, offsetSeconds, sampleRate, codec }: DecodeRange,
): AsyncGenerator<PlanarBlock, number, undefined> {
  let reached = 0;
  const packets = new EncodedPacketSink(track);
  const first = from > -Infinity ? await packets.getPacket(from, { metadataOnly: true }) : null;
  const clock = new GapClock(packets.packets(first ?? undefined, undefined, { metadataOnly: true }), codec);
  try {
    // Behind a gap the decoder's clock is early. So it is given no end, and for its start the packet's own time.
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
        // The decoder has few buffers; one that is not given back stops it.
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
    sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
    return plane;
  });
}

/** Codecs need packets from before the first sample that is wanted: AAC and MP3 some frames. */
const PREROLL_SECONDS = 1;
/**
 * Where decoding may start in mid-file without a shift of the sound. Matroska rounds timestamps to the
 * millisecond, and a decoder of Opus that starts anew drops the 6.5 ms of the encoder's delay once more: these
 * are decoded from their start, and what comes before the segment is thrown away.
 */
const EXACT_SEEK_CONTAINERS = new Set([MP4.name, QTFF.name, MP3.name, FLAC.name, ADTS.name, MPEG_TS.name]);
const INEXACT_SEEK_CODECS = new Set(['opus', 'vorbis']);
/** Decoders of other codecs drop the encoder's delay themselves, or have none. */
const DELAYED_CODECS = new Set(['aac', 'mp3']);
/** A file whose last samples are less than this short of its promise is not called truncated. */
const TRUNCATION_TOLERANCE_SECONDS = 0.25;

/** Facts about a file that its container does not give. */
export interface TrackOptions {
  /** Number of the audio track, from 1. Undefined: the track that the container marks, or the first. */
  readonly track: number | undefined;
  /** Of an MP3 file. */
  readonly padding: Mp3Padding | null;
  /** Name of the codec if no demuxer here supports it. */
  readonly unreadableCodec?: string | null;
  /** Whether the recording starts with the first sound, whatever its time on the container's clock. */
  readonly startsAnywhere?: boolean | undefined;
  /** Time on the container's clock at which the recording starts, if it is known. */
  readonly originSeconds?: number;
}

/** A container with an audio track that can be decoded here. */
export interface OpenTrack {
  readonly container: string;
  readonly codec: string;
  /** Of the decoded sound. It can differ from what the container says, with HE-AAC and with Opus. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Time on the container's clock at which the recording starts. */
  readonly originSeconds: number;
  /** Time of the first sound on the clock of an Ogg file; 0 for others. */
  readonly firstSeconds: number;
  /** Length of the recording; null where the container does not say. */
  readonly durationSeconds: number | null;
  /** Place on the time axis after the last sample; infinite where the container gives no exact end. */
  readonly endFrame: number;
  /** All audio tracks of the file, in its order. */
  readonly tracks: readonly AudioTrack[];
  /**
   * Decodes from `fromFrame` or somewhat before it.
   *
   * @throws VoxlaneError `audio-decode`, `audio-truncated`, `audio-channels`
   */
  blocks(fromFrame: number, toFrame: number): AsyncGenerator<PlanarBlock, void, undefined>;
  close(): void;
}

/**
 * Opens a file with mediabunny: MP3, AAC, Opus, Vorbis, FLAC or PCM in MP4, QuickTime, WebM, Matroska, Ogg,
 * ADTS, MPEG-TS or bare.
 *
 * @throws VoxlaneError `audio-unsupported`, `audio-channels`, `audio-no-samples`, `audio-truncated`, `options` for a track
 *   that the file does not have
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
const isMp4 = (container: string): boolean => container === MP4.name || container === QTFF.name;

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
  if (codec === null || !(await hasDecoder(track))) throw noDecoder(codecName(codec, await track.getInternalCodecId()));
  checkChannels(await track.getNumberOfChannels());
  const container = (await input.getFormat()).name;
  const firstSeconds = container === OGG.name ? await track.getFirstTimestamp() : 0;
  // The clock of a transport stream starts anywhere.
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

/** Decodes what a player plays: each segment of the edit list, at its place. */
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

async function firstSample(track: InputAudioTrack, codec: string): Promise<AudioSample> {
  const samples = new AudioSampleSink(track).samples();
  try {
    const { value } = await samples.next();
    if (value) return value;
  } catch (cause) {
    // Some containers are recognized by a few bytes; where not even the start decodes, it was no audio.
    throw unsupported(`The file looks like ${codecName(codec, null)} but cannot be decoded`, cause);
  } finally {
    await samples.return();
  }
  throw new VoxlaneError({ code: 'audio-no-samples', problem: 'The audio track holds no samples' });
}

/**
 * Where the sound ends by the container's own index, for those that have an exact one.
 *
 * @throws VoxlaneError `audio-truncated` where the last packet of the index is not in the file any more
 */
async function promisedEnd(track: InputAudioTrack, container: string): Promise<number | null> {
  if (container === FLAC.name) return lengthFromHeader(track);
  // mediabunny fails on an Ogg file whose last page is cut; what is there can be decoded all the same.
  if (container === OGG.name) return track.computeDuration().catch(() => null);
  if (!isMp4(container)) return null;
  const end = await track.computeDuration({ metadataOnly: true });
  // An empty packet of the index's end and a throw both mean that its bytes are missing.
  const last = await new EncodedPacketSink(track).getPacket(Infinity).catch(() => null);
  if (!last) throw truncated(`The file's index promises ${end.toFixed(3)} s of sound, but its end is missing`, null);
  return end;
}

/** From the header, or where it says nothing (ADTS, MPEG-TS, a live WebM), from the packets; null if neither. */
async function estimateEnd(track: InputAudioTrack): Promise<number | null> {
  return (await lengthFromHeader(track)) ?? track.computeDuration({ metadataOnly: true }).catch(() => null);
}

/** Null where the header leaves it open, also by a 0. */
async function lengthFromHeader(track: InputAudioTrack): Promise<number | null> {
  const seconds = await track.getDurationFromMetadata();
  return seconds === 0 ? null : seconds;
}

/** A header may count fewer samples than there are. If it counts more, the file is truncated. */
function flacPromise(end: FlacEnd | null, promised: number | null): number | null {
  return end && promised !== null && end.endSeconds > promised + TRUNCATION_TOLERANCE_SECONDS ? end.endSeconds : promised;
}

/** mediabunny stops at damage, without an error. */
function checkDamage(reachedSeconds: number, wantedSeconds: number, { endSeconds, frameSeconds }: FlacEnd): void {
  // The last frame may be truncated.
  if (wantedSeconds - reachedSeconds <= Math.max(TRUNCATION_TOLERANCE_SECONDS, 1.5 * frameSeconds)) return;
  throw damaged(reachedSeconds, endSeconds);
}

function checkReached(reached: number, promised: number, sampleRate: number): void {
  if (!Number.isFinite(promised) || promised - reached <= TRUNCATION_TOLERANCE_SECONDS * sampleRate) return;
  const held = reached / sampleRate;
  throw truncated(
    `The file promises sound up to ${(promised / sampleRate).toFixed(3)} s but it ends at ${held.toFixed(3)} s`,
    held,
  );
}
