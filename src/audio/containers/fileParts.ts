/**
 * Splits a file into parts that a demuxer can read, before decoding. A demuxer stops at the first unexpected bytes: a
 * second file, foreign bytes, or a missing page. Therefore it gets each part separately.
 */
import { isProgramStream } from '../codecNames';
import { MP3_FRAMES, type Mp3Padding, type Mp3Tag, readMp3Tag } from './mp3';
import { recordingNotes, type RecordingNote } from '../notes';
import {
  ADTS_FRAMES,
  afterTags,
  findFrames,
  type FrameKind,
  type FrameLayout,
  type FrameRun,
  type SkippedBytes,
  TAG_HEADER_BYTES,
  walkFrames,
} from './frames';
import { ByteReader, hasText, readBytes } from './byteReader';
import { isStart, readFlacEnd, walkFlac } from './flac';
import { filePieces, walkMatroska, type MatroskaFile } from './matroska';
import { walkMp4 } from './mp4';
import { durationOf, startsAnywhere, walkOgg, withoutLacing, type OggLayout, type OggLink, type OggSegment, type OggStream } from './ogg';
import { walkTransportStream, type TransportLayout } from './transportStream';

/** A part of a file that one decoder reads from start to end. */
export interface FilePart {
  /** Files that share one clock; more than one if data is missing between them. */
  readonly segments: readonly Blob[];
  /** Padding of an MP3 file. Null for an MP3 file without padding; undefined for other files. */
  readonly padding?: Mp3Padding | null;
  /** Set if the segments contain only the selected track, so its number in the file does not apply. */
  readonly isOneTrack?: true;
  /**
   * Whether the recording starts with the first audio instead of at time 0 of the container's clock. Undefined means
   * no.
   */
  readonly startsAnywhere?: boolean;
  /** Set if data is missing before the first audio. */
  readonly isStartMissing?: true;
  /** Null if only decoding reveals it. */
  readonly durationSeconds: number | null;
  /**
   * Length in seconds that the header of a truncated part declares, or null if it declares none. Undefined if the
   * part is complete.
   */
  readonly cutOff?: number | null;
}

/** All parts of a file, in order. */
export interface FileParts {
  readonly parts: readonly FilePart[];
  readonly notes: readonly RecordingNote[];
  /** Codec of the file if it is the reason that no part can be read; otherwise null. */
  readonly unreadableCodec: string | null;
}

/** Bytes to search for the first frame of MP3 and ADTS. */
const SEARCHED_BYTES = 1 << 16;
/** Shorter changes of the coding are damage. */
const MIN_RUN_SECONDS = 0.2;
const NO_NOTES = { notes: [], unreadableCodec: null };

/**
 * Splits a file other than WAV into its parts.
 *
 * @param track number of the selected audio track, from 1
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function findParts(source: Blob, track: number): Promise<FileParts> {
  const found = await walkParts(source, track);
  // Tags and markers without a frame: the demuxer reports the error.
  return found.parts.length === 0 && found.unreadableCodec === null ? whole(source) : found;
}

async function walkParts(source: Blob, track: number): Promise<FileParts> {
  const reader = new ByteReader(source);
  const head = (await reader.read(0, TAG_HEADER_BYTES)).slice();
  // A program stream may contain MP3 or MP2 frames, but in packets. Opening it reports the kind of file.
  if (await isProgramStream(source)) return whole(source);
  if (hasText(head, 0, 'OggS')) return oggParts(source, await walkOgg(reader), track);
  if (hasText(head, 0, '\u001aE\u00df\u00a3')) {
    return matroskaParts(source, await walkMatroska(reader));
  }
  if (/^(ftyp|styp|moov|mdat|free|skip|wide|pnot)$/.test(String.fromCharCode(...head.subarray(4, 8)))) {
    const { starts, completeEnd } = await walkMp4(reader);
    // If bytes are missing without fragments, opening the file throws an error about the missing bytes.
    return completeEnd === null ? cutAt(source, starts) : cutAt(source.slice(0, completeEnd, source.type), starts, true);
  }
  const start = await afterTags(reader);
  if (isStart(await reader.read(start, 8), 0)) return flacParts(source, await walkFlac(reader, start));
  const stream = await walkTransportStream(reader, track);
  return stream ? transportParts(source, stream) : frameParts(source, reader);
}

function whole(source: Blob): FileParts {
  return { parts: [{ segments: [source], durationSeconds: null }], ...NO_NOTES };
}

/** @param starts offsets of the files; tags before the first file belong to it */
async function flacParts(source: Blob, starts: readonly number[]): Promise<FileParts> {
  const end = await readFlacEnd(new ByteReader(source.slice(starts.at(-1))));
  const [, ...others] = starts;
  return cutAt(source, [0, ...others], end?.isCutOff);
}

function cutAt(source: Blob, starts: readonly number[], isCutOff = false): FileParts {
  const edges = [...starts, source.size];
  const parts = starts.map((_, i): FilePart => ({
    segments: [starts.length === 1 ? source : source.slice(edges[i], edges[i + 1])],
    durationSeconds: null,
    ...(isCutOff && i === starts.length - 1 && { cutOff: null }),
  }));
  const notes = parts.length > 1 ? [recordingNotes.joined(parts.length, null)] : [];
  return { parts, notes, unreadableCodec: null };
}

/** An undamaged file stays complete, including its index. */
function matroskaParts(source: Blob, files: readonly MatroskaFile[]): FileParts {
  const readable = files.filter(({ runs }) => runs.length > 0);
  if (readable.length === 0) return whole(source);
  const parts = readable.map((file, i): FilePart => {
    const next = files[files.indexOf(file) + 1]?.start ?? source.size;
    const original = readable.length === 1 && files.length === 1 ? source : source.slice(file.start, next);
    const isDamaged = file.isCutOff || file.runs.length > 1 || file.runs.some(({ rest }) => rest !== null);
    const pieces = isDamaged ? file.runs.map((run) => filePieces(source, file, run)) : [];
    const segments = pieces.flatMap((piece) => (piece ? [new Blob(piece, { type: source.type })] : []));
    return {
      segments: segments.length > 0 ? segments : [original],
      durationSeconds: null,
      ...(file.isCutOff && i === readable.length - 1 && { cutOff: null }),
    };
  });
  return { parts, notes: parts.length > 1 ? [recordingNotes.joined(parts.length, null)] : [], unreadableCodec: null };
}

function transportParts(source: Blob, { ranges, skippedBytes, skippedPlaces, skippedAtSeconds, holes, isCutOff }: TransportLayout): FileParts {
  const isWhole = ranges.length === 1 && ranges[0]![0] === 0 && ranges[0]![1] === source.size;
  if (ranges.length === 0) return whole(source);
  return {
    parts: [{ segments: [isWhole ? source : blobOf(source, ranges, source.type)], durationSeconds: null, ...(isCutOff && { cutOff: null }) }],
    notes: [
      ...(skippedBytes > 0 ? [recordingNotes.bytesSkipped(skippedBytes, skippedAtSeconds, skippedPlaces)] : []),
      ...holes.map(({ atSeconds, lengthSeconds }) => recordingNotes.dataMissing(lengthSeconds, atSeconds)),
    ],
    unreadableCodec: null,
  };
}

async function frameParts(source: Blob, reader: ByteReader): Promise<FileParts> {
  const found = await Promise.all(
    [MP3_FRAMES, ADTS_FRAMES].map(async (kind) => ({ kind, at: await findFrames(new ByteReader(source), kind, SEARCHED_BYTES) })),
  );
  const [first] = found.filter(({ at }) => at !== null).toSorted((a, b) => a.at! - b.at!);
  if (!first) return whole(source);
  const layout = await walkFrames(reader, first.kind);
  return partsOfFrames(source, first.kind, layout, first.kind === MP3_FRAMES ? await tagOf(source, layout) : null);
}

/** The tag must be the first frame, because the padding counts from there. */
async function tagOf(source: Blob, { firstTag }: FrameLayout): Promise<Mp3Tag | null> {
  return firstTag === null ? null : readMp3Tag(source.slice(firstTag));
}

/** @param tag of the first recording in the file */
export function partsOfFrames(source: Blob, kind: FrameKind, layout: FrameLayout, tag: Mp3Tag | null): FileParts {
  const longest = layout.runs.reduce((most, run) => Math.max(most, secondsOf(run)), 0);
  const isKept = (run: FrameRun): boolean => secondsOf(run) >= Math.min(MIN_RUN_SECONDS, longest);
  const runs = layout.runs.filter(isKept);
  const skipped = skippedNotes(layout, isKept);
  const total = runs.reduce((sum, run) => sum + secondsOf(run), 0);
  const declared = tag?.declaredSeconds ?? null;
  // An encoder may count the tag as a frame.
  const tolerance = 2 * FRAME_SECONDS;
  const isLonger = declared !== null && total > declared + tolerance;
  const isShorter = declared !== null && total < declared - tolerance;
  const count = Math.max(runs.length, layout.tags, isLonger ? 2 : 1);
  const parts = runs.map((run, i): FilePart => {
    const isWhole = runs.length === 1 && layout.skipped.length === 0 && run.ranges.length === 1 && layout.tags <= 1;
    const isLast = i === runs.length - 1;
    const padding = kind === MP3_FRAMES ? paddingOf(run, i === 0 ? (tag?.padding ?? null) : null, runs.length === 1 && !isLonger && !isShorter) : undefined;
    const leadingSeconds = (padding?.leading ?? 0) / run.sampleRate;
    const cutOff = isShorter ? declared - leadingSeconds : layout.missingBytes > 0 ? null : undefined;
    return {
      segments: [isWhole ? source : blobOf(source, run.ranges, source.type)],
      durationSeconds: secondsOf(run) - leadingSeconds,
      ...(padding !== undefined && { padding }),
      ...(isLast && cutOff !== undefined && { cutOff }),
    };
  });
  return { parts, notes: [...(count > 1 ? [recordingNotes.joined(count, null)] : []), ...skipped], unreadableCodec: null };
}

/** Maximum duration of an MP3 frame: 1152 samples at 16 kHz. */
const FRAME_SECONDS = 0.072;

/**
 * Players remove the padding of the first tag. At the end, they remove it only if the file ends as the tag declares.
 */
function paddingOf(run: FrameRun, padding: Mp3Padding | null, isWhole: boolean): Mp3Padding {
  if (isWhole && padding?.length != null) return padding;
  const leading = padding?.leading ?? 0;
  return { leading, trailing: 0, length: Math.max(0, run.samples - leading) };
}

const secondsOf = (run: FrameRun): number => run.samples / run.sampleRate;

function skippedNotes({ runs, skipped }: FrameLayout, isKept: (run: FrameRun) => boolean): RecordingNote[] {
  let seconds = 0;
  const dropped = runs.flatMap((run): SkippedBytes[] => {
    const atSeconds = seconds;
    seconds += secondsOf(run);
    return isKept(run) ? [] : run.ranges.map(([start, end]) => ({ start, end, atSeconds }));
  });
  const [first, ...others] = [...skipped, ...dropped];
  if (!first) return [];
  const total = others.reduce((sum, { start, end }) => sum + end - start, first.end - first.start);
  const atSeconds = others.reduce((least, other) => Math.min(least, other.atSeconds), first.atSeconds);
  return [recordingNotes.bytesSkipped(total, atSeconds, 1 + others.length)];
}

function blobOf(source: Blob, ranges: readonly (readonly [number, number])[], type: string): Blob {
  return new Blob(ranges.map(([start, end]) => source.slice(start, end)), { type });
}

async function oggParts(source: Blob, { links, skipped }: OggLayout, track: number): Promise<FileParts> {
  const readable = links.flatMap((link) => {
    const stream = audioStreams(link)[track - 1] ?? audioStreams(link)[0];
    return stream && stream.segments.length > 0 ? [{ stream, isAlone: link.streams.length === 1 }] : [];
  });
  if (readable.length === 0) {
    const codec = links.flatMap(({ streams }) => streams).find(({ codec }) => codec !== null && codec !== 'Theora' && !READABLE_CODECS.has(codec))?.codec;
    return { ...whole(source), unreadableCodec: codec ?? null };
  }
  // The demuxer's error reports the number of tracks.
  if (!links.some((link) => audioStreams(link).length >= track)) return whole(source);
  const isWhole = links.length === 1 && skipped === null && readable[0]!.stream.segments.length === 1 && startsWhole(readable[0]!.stream);
  const parts = await Promise.all(
    readable.map(async ({ stream, isAlone }, i): Promise<FilePart> => ({
      ...(isWhole ? { segments: [source] } : { segments: await oggSegments(source, stream), isOneTrack: true }),
      durationSeconds: durationOf(stream),
      startsAnywhere: startsAnywhere(stream, isAlone),
      ...(stream.isStartMissing && !startsAnywhere(stream, isAlone) && { isStartMissing: true as const }),
      ...(i === readable.length - 1 && !stream.hasEnd && { cutOff: null }),
    })),
  );
  return {
    parts,
    notes: [
      ...(parts.length > 1 ? [recordingNotes.joined(parts.length, null)] : []),
      ...(skipped ? [recordingNotes.bytesSkipped(skipped.bytes, skipped.atSeconds, skipped.places)] : []),
    ],
    unreadableCodec: null,
  };
}

/** The readable streams, in file order. */
function audioStreams({ streams }: OggLink): OggStream[] {
  return streams.filter(({ codec }) => codec !== null && READABLE_CODECS.has(codec));
}

const READABLE_CODECS: ReadonlySet<string> = new Set(['Opus', 'Vorbis']);

function startsWhole({ segments: [first] }: OggStream): boolean {
  return first?.continuedLacing === 0;
}

/**
 * One file for each segment without a hole: the headers, then the segment's pages. The granules of the pages give its
 * position.
 */
async function oggSegments(source: Blob, stream: OggStream): Promise<Blob[]> {
  const headers = stream.headers.map(([start, end]) => source.slice(start, end));
  return Promise.all(
    stream.segments.map(async (segment) => new Blob([...headers, ...(await segmentPieces(source, segment))], { type: source.type })),
  );
}

async function segmentPieces(source: Blob, { ranges, continuedLacing, firstPage }: OggSegment): Promise<Blob[]> {
  if (continuedLacing === 0) return ranges.map(([start, end]) => source.slice(start, end));
  const page = new Uint8Array((await readBytes(source, ...firstPage)).buffer);
  // The page may contain only the end of a packet whose start is missing.
  const pieces = continuedLacing >= page[26]! ? [] : [new Blob([withoutLacing(page, continuedLacing)])];
  const [, ...others] = ranges;
  const rest = ranges[0]![1] > firstPage[1] ? [source.slice(firstPage[1], ranges[0]![1])] : [];
  return [...pieces, ...rest, ...others.map(([start, end]) => source.slice(start, end))];
}
