/** The parts of a file as one recording. */
import { messageOf, VoxlaneError } from '../util/errors';
import type { PlanarBlock } from './blocks';
import { blockEnd } from './cutBlock';
import type { DecodeOptions, OpenAudio } from './decodeTypes';
import type { FilePart } from './layout/fileParts';
import { openTrack, type OpenTrack, type TrackOptions } from './media';
import type { NoteLog } from './noteLog';
import { recordingNotes } from './notes';
import { noSamples, readOnce, readStretch, startsTooLate, type NoteTarget, type SourceStream } from './sourceStream';

/** One of several recordings in a file. */
export interface PartSource {
  readonly bytes: number;
  /** Null if only opening or decoding shows it. */
  readonly durationSeconds: number | null;
  open(notes: NoteTarget): Promise<SourceStream>;
}

/** Shorter gaps come from rounded timestamps or an encoder's delay. */
const LEAST_GAP_SECONDS = 0.01;

/** @throws VoxlaneError as {@link openTrack} */
export async function openPart(part: FilePart, options: Omit<TrackOptions, 'padding'>, notes: NoteTarget): Promise<SourceStream> {
  const [first, ...others] = part.segments as [Blob, ...Blob[]];
  const trackOptions: TrackOptions = { ...options, ...(part.isOneTrack && { track: undefined }), padding: null };
  const track = await openTrack(first, { ...trackOptions, padding: part.padding ?? null, startsAnywhere: part.startsAnywhere });
  const { originSeconds } = track;
  if (part.isStartMissing && track.firstSeconds >= LEAST_GAP_SECONDS) notes.log.add(recordingNotes.dataMissing(track.firstSeconds, notes.offsetSeconds));
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

/** Segments share one clock; their timestamps give their places. */
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
    if (isAfterHole && gap >= LEAST_GAP_SECONDS) log.add(recordingNotes.dataMissing(gap, offsetSeconds + reached / sampleRate));
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
      // The segment between two holes cannot be decoded: report one hole.
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

/** Errors that concern one part only: the others can still be read. */
const SKIPPED: ReadonlySet<string> = new Set(['audio-unsupported', 'audio-no-samples']);

/**
 * Several recordings, one after another on one clock. Their rates and channels can differ, so each is resampled separately.
 *
 * @throws VoxlaneError as {@link openTrack}, for the first part
 */
export async function openJoined(parts: readonly PartSource[], options: DecodeOptions, log: NoteLog): Promise<OpenAudio> {
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
      // Read to its end, which gives the place of the next part.
      const pieces = readStretch(source, { start: 0, end: Infinity }, sampleRate, notes);
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

/** Opens a part after the first. Adds a note and returns null if it cannot be read. */
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

/** Estimates parts of unknown length from the bytes per second of the first. */
function expectedLength(parts: readonly PartSource[], first: SourceStream): number {
  const firstSeconds = parts[0]!.durationSeconds ?? first.durationSeconds ?? 0;
  const density = firstSeconds / Math.max(1, parts[0]!.bytes);
  return parts.reduce((sum, part, index) => sum + (index === 0 ? firstSeconds : (part.durationSeconds ?? part.bytes * density)), 0);
}
