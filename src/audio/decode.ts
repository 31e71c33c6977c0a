/**
 * Opens recordings for streaming: files, samples, channels and streams. A file may contain several joined recordings.
 */
import { messageOf, VoxlaneError } from '../util/errors';
import { concatenate } from '../util/values';
import { blockEnd, cutChannels, type PlanarBlock, pullBlocks, type SamplePull } from './blocks';
import { type FilePart, findParts } from './containers/fileParts';
import { decoderPlace } from './decoderChoice';
import { openTrack, type OpenTrack, type TrackOptions } from './media';
import { truncated } from './mediaInput';
import { NoteLog, type RecordingNote, recordingNotes } from './notes';
import {
  noSamples,
  type NoteTarget,
  readOnce,
  readRange,
  type SourceStream,
  startsTooLate,
  streamOf,
} from './sourceStream';
import type { DecodeOptions, DecoderPlace, OpenAudio } from './types';
import { findWavParts, readWav } from './wav';
import { checkChannels, checkSampleRate, isWav, readWavHeader, unknownWavTag, type WavHeader } from './wavHeader';

/** One of several joined recordings in a file. */
interface PartSource {
  readonly bytes: number;
  /** Null if only opening or decoding reveals it. */
  readonly durationSeconds: number | null;
  open(notes: NoteTarget): Promise<SourceStream>;
}

/** Shorter gaps come from rounded timestamps or an encoder's delay. */
const MIN_GAP_SECONDS = 0.01;

/** @throws VoxlaneError as {@link openTrack} */
async function openPart(part: FilePart, options: Omit<TrackOptions, 'padding'>, notes: NoteTarget): Promise<SourceStream> {
  const [first, ...others] = part.segments as [Blob, ...Blob[]];
  const trackOptions: TrackOptions = { ...options, ...(part.isOneTrack && { track: undefined }), padding: null };
  const track = await openTrack(first, { ...trackOptions, padding: part.padding ?? null, startsAnywhere: part.startsAnywhere });
  const { originSeconds } = track;
  if (part.isStartMissing && track.firstSeconds >= MIN_GAP_SECONDS) notes.log.add(recordingNotes.dataMissing(track.firstSeconds, notes.offsetSeconds));
  const { sampleRate, channels, codec, container, tracks } = track;
  const stream = { ...track, origin: { sampleRate, channels, codec, container, tracks }, cutOff: part.cutOff };
  if (others.length === 0) return stream;
  const durationSeconds = part.durationSeconds === null ? null : Math.max(0, part.durationSeconds - originSeconds);
  const endFrame = durationSeconds === null ? Infinity : Math.round(durationSeconds * track.sampleRate);
  return {
    ...stream,
    durationSeconds,
    endFrame,
    blocks: (from, to) => segmentBlocks(track, others, { ...trackOptions, originSeconds }, { from, to }, notes),
  };
}

/** Segments share one clock; their timestamps give their positions. */
async function* segmentBlocks(
  first: OpenTrack,
  others: readonly Blob[],
  options: TrackOptions,
  { from: fromFrame, to: toFrame }: { readonly from: number; readonly to: number },
  { log, offsetSeconds }: NoteTarget,
): AsyncGenerator<PlanarBlock, void, undefined> {
  const { sampleRate } = first;
  let reached = 0;
  let isAfterHole = false;
  const watch = function* (block: PlanarBlock): Generator<PlanarBlock, void, undefined> {
    const gap = (block.startFrame - reached) / sampleRate;
    if (isAfterHole && gap >= MIN_GAP_SECONDS) log.add(recordingNotes.dataMissing(gap, offsetSeconds + reached / sampleRate));
    isAfterHole = false;
    reached = Math.max(reached, blockEnd(block));
    yield block;
  };
  for await (const block of first.blocks(fromFrame, toFrame)) yield* watch(block);
  for (const segment of others) {
    if (reached >= toFrame) return;
    isAfterHole = true;
    let track: OpenTrack;
    try {
      track = await openTrack(segment, options);
    } catch (thrown) {
      // The segment between two holes cannot be decoded, so this is one hole.
      if (thrown instanceof VoxlaneError && SKIPPED.has(thrown.code)) continue;
      throw thrown;
    }
    try {
      for await (const block of track.blocks(fromFrame, toFrame)) yield* watch(block);
    } finally {
      track.close();
    }
  }
}

/** Errors that affect only one part. The other parts can still be read. */
const SKIPPED: ReadonlySet<string> = new Set(['audio-unsupported', 'audio-no-samples']);

/**
 * Opens several consecutive recordings on one clock. Their rates and channels can differ, so each is resampled
 * separately.
 *
 * @throws VoxlaneError as {@link openTrack}, for the first part
 */
async function openJoined(parts: readonly PartSource[], options: DecodeOptions, log: NoteLog): Promise<OpenAudio> {
  const { sampleRate, startSeconds = 0, durationSeconds = Infinity } = options;
  const first = await parts[0]!.open({ log, offsetSeconds: 0 });
  const known = expectedLength(parts, first);
  const facts = { ...first.origin, durationSeconds: Math.max(0, Math.min(known - startSeconds, durationSeconds)) };
  const start = Math.round(startSeconds * sampleRate);
  const end = start + Math.round(durationSeconds * sampleRate);
  return readOnce({
    facts,
    log,
    read: () => readJoined(parts, first, { start, end }, sampleRate, log),
    close: () => {
      first.close();
    },
  });
}

async function* readJoined(
  parts: readonly PartSource[],
  first: SourceStream,
  { start, end }: { readonly start: number; readonly end: number },
  sampleRate: number,
  log: NoteLog,
): AsyncGenerator<Float32Array, void, undefined> {
  let place = 0;
  let given = 0;
  for (const [index, part] of parts.entries()) {
    if (place >= end) break;
    const notes = { log, offsetSeconds: place / sampleRate };
    const source = index === 0 ? first : await openLater(part, notes);
    if (!source) continue;
    try {
      // Read to its end, which determines the position of the next part.
      const pieces = readRange(source, { startSample: 0, endSample: Infinity }, sampleRate, notes);
      for await (const piece of pieces) {
        const wanted = piece.subarray(Math.max(0, start - place), Math.max(0, end - place));
        place += piece.length;
        given += wanted.length;
        if (wanted.length > 0) yield wanted;
        if (place >= end) break;
      }
    } finally {
      source.close();
    }
  }
  if (given > 0) return;
  if (start > 0) throw startsTooLate(start / sampleRate, place / sampleRate);
  throw noSamples();
}

/** Opens a later part. Adds a note and returns null if it cannot be read. */
async function openLater(part: PartSource, notes: NoteTarget): Promise<SourceStream | null> {
  try {
    return await part.open(notes);
  } catch (thrown) {
    if (!(thrown instanceof VoxlaneError)) throw new VoxlaneError({ code: 'audio-decode', problem: messageOf(thrown) }, { cause: thrown });
    if (!SKIPPED.has(thrown.code)) throw thrown;
    notes.log.add(recordingNotes.bytesSkipped(part.bytes, notes.offsetSeconds, 1));
    return null;
  }
}

/** Estimates parts of unknown duration from the bytes per second of the first part. */
function expectedLength(parts: readonly PartSource[], first: SourceStream): number {
  const firstSeconds = parts[0]!.durationSeconds ?? first.durationSeconds ?? 0;
  const density = firstSeconds / Math.max(1, parts[0]!.bytes);
  return parts.reduce((sum, part, index) => sum + (index === 0 ? firstSeconds : (part.durationSeconds ?? part.bytes * density)), 0);
}

export type { AudioInfo, DecodeOptions, OpenAudio } from './types';

/** Maximum size of a file of unknown kind for the page's decoder, which reads the whole file into memory. */
const MAX_UNKNOWN_BYTES = 2 ** 28;

/**
 * Where to decode this file. If the result is not `here`, {@link openAudio} rejects the file, but the page's
 * `decodeAudioData` may still read it.
 */
export async function decoderFor(source: Blob, track?: number): Promise<DecoderPlace> {
  if (source.size === 0) return 'here';
  if (await isWav(source)) return (await unknownWavTag(source)) === null ? 'here' : 'page';
  const { parts, unreadableCodec } = await findParts(source, track ?? 1);
  const place = unreadableCodec === null ? await decoderPlace(parts[0]!.segments[0]!, track) : 'unknown';
  return place === 'unknown' && source.size > MAX_UNKNOWN_BYTES ? 'here' : place;
}

/**
 * Opens an audio or video file for streaming. At most a few megabytes of the file are in memory.
 *
 * @throws VoxlaneError `audio-empty`, `audio-unsupported`, `audio-no-samples`, `audio-truncated`, `audio-channels`,
 *   `options`
 */
export async function openAudio(source: Blob, options: DecodeOptions): Promise<OpenAudio> {
  checkOptions(options);
  if (source.size === 0) {
    throw new VoxlaneError({
      code: 'audio-empty',
      problem: 'The file has no bytes',
      remedy: 'Choose another file, or copy this one again',
    });
  }
  return (await isWav(source)) ? openWav(source, options) : openMedia(source, options);
}

/** Reads a recording to its end and closes it. Axes (sample), mono. @throws VoxlaneError as {@link OpenAudio.pieces} */
export async function decodeAll(audio: OpenAudio): Promise<Float32Array> {
  try {
    const pieces: Float32Array[] = [];
    // Copies, because a decoder may reuse its buffer.
    for await (const piece of audio.pieces()) pieces.push(piece.slice());
    return concatenate(pieces);
  } finally {
    audio.close();
  }
}

/**
 * Opens PCM channels, as returned by `AudioBuffer.getChannelData`.
 *
 * @param channels axes (channel, sample), all of equal length
 * @param sampleRate of the channels, in Hz
 * @throws VoxlaneError `audio-channels`, `audio-no-samples`, `audio-unsupported`, `options`
 */
export function openChannels(channels: readonly Float32Array[], sampleRate: number, options: DecodeOptions): OpenAudio {
  checkOptions(options);
  checkChannels(channels.length);
  checkSampleRate(sampleRate);
  const length = channels[0]?.length ?? 0;
  if (channels.some((channel) => channel.length !== length)) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The channels have different lengths: ${channels.map((channel) => channel.length).join(', ')}`,
      expected: 'the same number of samples in each',
    });
  }
  return streamOf(
    {
      origin: { sampleRate, channels: channels.length, codec: 'pcm', container: 'samples', tracks: [] },
      endFrame: length,
      durationSeconds: length / sampleRate,
      blocks: (from, to) => cutChannels(channels, from, to),
      close: () => undefined,
    },
    options,
    new NoteLog(),
  );
}

/**
 * Opens a stream of mono samples, which are requested one block at a time and not stored. The total duration is known
 * only at the end. Until then `facts.durationSeconds` is 0, or the duration of the selected segment if it has one.
 *
 * @param sampleRate of the samples, in Hz
 * @throws VoxlaneError `audio-unsupported`, `options`
 */
export function openStream(pull: SamplePull, sampleRate: number, options: DecodeOptions): OpenAudio {
  checkOptions(options);
  checkSampleRate(sampleRate);
  return streamOf(
    {
      origin: { sampleRate, channels: 1, codec: 'pcm', container: 'samples', tracks: [] },
      endFrame: Infinity,
      durationSeconds: null,
      blocks: (_, to) => pullBlocks(pull, to),
      close: () => undefined,
    },
    options,
    new NoteLog(),
  );
}

async function openWav(source: Blob, options: DecodeOptions): Promise<OpenAudio> {
  checkTrack(options.track);
  const [first, ...others] = (await findWavParts(source)) as [Blob, ...Blob[]];
  if (others.length > 0) {
    const log = new NoteLog([recordingNotes.joined(1 + others.length, null)]);
    return openJoined([first, ...others].map((part) => wavPart(part, options)), options, log);
  }
  const header = await readWavHeader(source);
  checkWavEnd(header, options);
  return streamOf(wavStream(source, header), options, new NoteLog(wavNotes(header)));
}

function wavPart(source: Blob, options: DecodeOptions): PartSource {
  return {
    bytes: source.size,
    durationSeconds: null,
    async open({ log, offsetSeconds }) {
      const header = await readWavHeader(source);
      checkWavEnd(header, options, offsetSeconds);
      wavNotes(header, offsetSeconds).forEach((note) => { log.add(note); });
      return wavStream(source, header);
    },
  };
}

function wavStream(source: Blob, header: WavHeader): SourceStream {
  const { sampleRate, channels, heldFrames, promisedFrames } = header;
  return {
    origin: { sampleRate, channels, codec: 'pcm', container: 'WAVE', tracks: [] },
    endFrame: heldFrames,
    durationSeconds: heldFrames / sampleRate,
    ...(promisedFrames > heldFrames && { cutOff: promisedFrames / sampleRate }),
    blocks: (from, to) => readWav(source, header, from, to),
    close: () => undefined,
  };
}

function wavNotes({ ignoredBytes, skippedBytes, heldFrames, channels, sampleBytes, sampleRate }: WavHeader, offsetSeconds = 0): RecordingNote[] {
  return [
    ...(ignoredBytes === null ? [] : [recordingNotes.sizeIgnored(ignoredBytes, heldFrames * channels * sampleBytes)]),
    ...(skippedBytes === 0 ? [] : [recordingNotes.bytesSkipped(skippedBytes, offsetSeconds + heldFrames / sampleRate, 1)]),
  ];
}

/**
 * Checks that a truncated file contains the selected segment.
 *
 * @param offsetSeconds time of the file's first sample on the recording's clock
 */
function checkWavEnd({ sampleRate, heldFrames, promisedFrames }: WavHeader, options: DecodeOptions, offsetSeconds = 0): void {
  const { startSeconds = 0, durationSeconds = Infinity } = options;
  const wanted = Math.min(promisedFrames, Math.round((startSeconds + durationSeconds - offsetSeconds) * sampleRate));
  if (wanted <= heldFrames) return;
  const isNearly = heldFrames > 0 && promisedFrames - heldFrames <= Math.min(TOLERATED_SECONDS * sampleRate, heldFrames / 10);
  if (isNearly) return;
  const [promised, held] = [promisedFrames, heldFrames].map((frames) => offsetSeconds + frames / sampleRate) as [number, number];
  throw truncated(`The WAV header declares ${promised.toFixed(3)} s, but the file contains ${held.toFixed(3)} s`, held);
}

/** The same tolerance as for other containers. The result has a note. */
const TOLERATED_SECONDS = 0.25;

async function openMedia(source: Blob, options: DecodeOptions): Promise<OpenAudio> {
  const { track } = options;
  checkTrack(track, Infinity);
  const { parts, notes, unreadableCodec } = await findParts(source, track ?? 1);
  const log = new NoteLog(notes);
  const trackOptions = { track, unreadableCodec };
  if (parts.length > 1) {
    const sources = parts.map((part): PartSource => ({
      bytes: part.segments.reduce((sum, { size }) => sum + size, 0),
      durationSeconds: part.durationSeconds,
      open: (target) => openPart(part, trackOptions, target),
    }));
    const audio = await openJoined(sources, options, log);
    noteTracks(audio, log);
    return audio;
  }
  const stream = await openPart(parts[0]!, trackOptions, { log, offsetSeconds: 0 });
  try {
    const audio = streamOf(stream, options, log);
    noteTracks(audio, log);
    return audio;
  } catch (cause) {
    stream.close();
    throw cause;
  }
}

function noteTracks({ facts: { tracks } }: OpenAudio, log: NoteLog): void {
  const read = tracks.find(({ isRead }) => isRead);
  if (read && tracks.length > 1) log.add(recordingNotes.severalTracks(read.number, tracks.length));
}

/** @throws VoxlaneError `options` */
function checkTrack(track: number | undefined, most = 1): void {
  if (track === undefined || (Number.isInteger(track) && track >= 1 && track <= most)) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The option track is ${track}`,
    expected: most === 1 ? '1, or no track: the file has one audio track' : 'a whole number of at least 1',
    remedy: 'Change the option and run again',
  });
}

function checkOptions({ sampleRate, startSeconds = 0, durationSeconds = Infinity }: DecodeOptions): void {
  const checks: readonly (readonly [string, number, boolean, string])[] = [
    ['sampleRate', sampleRate, Number.isInteger(sampleRate) && sampleRate > 0, 'a whole number of Hz, greater than 0'],
    ['startSeconds', startSeconds, Number.isFinite(startSeconds) && startSeconds >= 0, 'at least 0 seconds'],
    ['durationSeconds', durationSeconds, durationSeconds * sampleRate >= 1, 'at least the duration of one sample'],
  ];
  for (const [name, value, isGood, expected] of checks) {
    if (!isGood) throw new VoxlaneError({ code: 'options', problem: `${name} is ${value}`, expected });
  }
}
