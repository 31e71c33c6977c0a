import { type ByteReader, hasText } from './byteReader';

/** Number of bytes that {@link tagLength} needs. */
export const TAG_HEADER_BYTES = 32;
const ID3V1_BYTES = 128;

/**
 * Length of a tag (ID3v2, ID3v1, APE) that starts at `offset`; 0 if there is none. MP3 and ADTS files have tags
 * before, between and after the frames.
 *
 * @param bytes at least {@link TAG_HEADER_BYTES} from `offset`, unless the file ends earlier
 */
export function tagLength(bytes: Uint8Array, offset = 0): number {
  if (hasText(bytes, offset, 'ID3') && bytes.length >= offset + 10) {
    let size = 0;
    for (let i = 6; i < 10; i++) {
      const byte = bytes[offset + i]!;
      // Each byte has seven significant bits.
      if (byte >= 0x80) return 0;
      size = size * 128 + byte;
    }
    const footer = bytes[offset + 5]! & 0x10 ? 10 : 0;
    return 10 + size + footer;
  }
  if (hasText(bytes, offset, 'TAG')) return ID3V1_BYTES;
  if (hasText(bytes, offset, 'APETAGEX') && bytes.length >= offset + 24) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 24);
    const isHeader = (view.getUint32(20, true) & 0x2000_0000) !== 0;
    // The size includes the items and the footer, but not the header.
    return isHeader ? 32 + view.getUint32(12, true) : 32;
  }
  return 0;
}

/**
 * Length of the tag at `position`; 0 if there is none, or if it would end beyond the file.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
async function tagAt(reader: ByteReader, position: number): Promise<number> {
  const length = tagLength(await reader.read(position, TAG_HEADER_BYTES));
  return position + length > reader.size ? 0 : length;
}

/**
 * Offset after the tags at the start of a file.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function afterTags(reader: ByteReader): Promise<number> {
  let start = 0;
  for (;;) {
    const length = await tagAt(reader, start);
    if (length === 0) return start;
    start += length;
  }
}

/** Streams without a container (MP3, ADTS): frames, and changes of the coding. */

/** A frame header. */
export interface FrameHeader {
  readonly bytes: number;
  readonly sampleRate: number;
  readonly samples: number;
  /** Equal for consecutive frames that one decoder can read. */
  readonly coding: string;
}

/** Recognizes frames of one kind. */
export interface FrameKind {
  /** Number of bytes that `header` needs. */
  readonly headerBytes: number;
  header(bytes: Uint8Array, offset: number): FrameHeader | null;
  /** Number of bytes that {@link FrameKind.isTag} needs. */
  readonly tagBytes: number;
  /** Whether the frame contains data about the file instead of audio. */
  isTag(frame: Uint8Array): boolean;
}

/** Consecutive frames of one coding. */
export interface FrameRun {
  readonly coding: string;
  readonly sampleRate: number;
  /** Axes (range, [start, end)): the bytes of the frames; adjacent frames are merged. */
  readonly ranges: (readonly [number, number])[];
  /** Samples per channel, without tags. */
  samples: number;
}

/** Bytes between frames that are neither a frame nor a tag. */
export interface SkippedBytes {
  readonly start: number;
  readonly end: number;
  /** Duration of all frames before them. */
  readonly atSeconds: number;
}

/** All frames of a file. */
export interface FrameLayout {
  readonly runs: readonly FrameRun[];
  /** Offset of the first frame if it is a tag; null if it contains audio. */
  readonly firstTag: number | null;
  readonly skipped: readonly SkippedBytes[];
  /** Number of bytes of the last frame beyond the end of the file. */
  readonly missingBytes: number;
  /** Number of frames that are tags. */
  readonly tags: number;
}

/** Any bytes can look like a header. After foreign bytes, this number of consecutive frames is required. */
const FRAMES_TO_RESYNC = 3;
const SEARCHED_BYTES = 1 << 16;

/**
 * Finds the frames of a file from `start` to its end.
 *
 * After foreign bytes, it continues at the next position with several consecutive frames, so it does not mistake
 * damaged data for a frame.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function walkFrames(reader: ByteReader, kind: FrameKind, start = 0): Promise<FrameLayout> {
  const runs: FrameRun[] = [];
  const skipped: SkippedBytes[] = [];
  let firstTag: number | null = null;
  let isFirst = true;
  let seconds = 0;
  let missingBytes = 0;
  let tags = 0;
  let position = start;
  let isInSync = false;
  while (position < reader.size) {
    const header = await headerAt(reader, kind, position);
    const isFollowedUp = header !== null && (await isSeam(reader, kind, position + header.bytes));
    if (!isFollowedUp) {
      const tag = await tagAt(reader, position);
      // Text in damaged data can look like a tag of any length. Between frames, a tag must be followed by a frame, a
      // tag or the end of the file.
      if (tag > 0 && (isFirst || (await isSeam(reader, kind, position + tag)))) {
        position += tag;
        continue;
      }
    }
    const next = isFollowedUp ? 0 : await resync(reader, kind, position + 1);
    // After a valid frame, a frame is valid even if foreign bytes follow it, unless the next frame starts inside it.
    const isFrame = header !== null && (isFollowedUp || (isInSync && next >= position + header.bytes));
    if (!isFrame) {
      skipped.push({ start: position, end: next, atSeconds: seconds });
      position = next;
      isInSync = false;
      continue;
    }
    const end = Math.min(position + header.bytes, reader.size);
    missingBytes = position + header.bytes - end;
    const isTag = kind.isTag(await reader.read(position, Math.min(kind.tagBytes, header.bytes)));
    if (isTag && isFirst) firstTag = position;
    isFirst = false;
    if (isTag) {
      tags += 1;
    } else {
      seconds += header.samples / header.sampleRate;
      append(runs, header, position, end);
    }
    isInSync = true;
    position = end;
  }
  return { runs, firstTag, skipped, missingBytes, tags };
}

/**
 * Offset of the first consecutive frames; null if there are none within `limit` bytes.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function findFrames(reader: ByteReader, kind: FrameKind, limit: number): Promise<number | null> {
  const position = await afterTags(reader);
  const end = Math.min(reader.size, position + limit);
  const found = await resync(reader, kind, position, end);
  return found < end ? found : null;
}

function append(runs: FrameRun[], header: FrameHeader, start: number, end: number): void {
  let run = runs.at(-1);
  if (run?.coding !== header.coding) {
    run = { coding: header.coding, sampleRate: header.sampleRate, ranges: [], samples: 0 };
    runs.push(run);
  }
  const last = run.ranges.at(-1);
  if (last?.[1] === start) run.ranges[run.ranges.length - 1] = [last[0], end];
  else run.ranges.push([start, end]);
  run.samples += header.samples;
}

async function headerAt(reader: ByteReader, kind: FrameKind, position: number): Promise<FrameHeader | null> {
  const bytes = await reader.read(position, kind.headerBytes);
  return bytes.length < kind.headerBytes ? null : kind.header(bytes, 0);
}

/**
 * Whether a frame, a tag or the end of the file is at this position. A remainder shorter than a header is accepted.
 */
async function isSeam(reader: ByteReader, kind: FrameKind, position: number): Promise<boolean> {
  if (position + kind.headerBytes > reader.size) return true;
  const bytes = await reader.read(position, Math.max(kind.headerBytes, TAG_HEADER_BYTES));
  return kind.header(bytes, 0) !== null || tagLength(bytes) > 0;
}

/** The first offset in [position, end) at which frames or a tag start; `end` if there is none. */
async function resync(reader: ByteReader, kind: FrameKind, position: number, end = reader.size): Promise<number> {
  for (let at = position; at < end; ) {
    // A copy, because the checks below move the reader's window.
    const bytes = (await reader.read(at, Math.min(SEARCHED_BYTES, end - at))).slice();
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === 0x49 && (await isTag(reader, kind, at + i))) return at + i;
      if (bytes[i] === 0xff && (await isChain(reader, kind, at + i))) return at + i;
    }
    at += bytes.length;
  }
  return end;
}

async function isTag(reader: ByteReader, kind: FrameKind, position: number): Promise<boolean> {
  const tag = await tagAt(reader, position);
  return tag > 0 && (await isSeam(reader, kind, position + tag));
}

async function isChain(reader: ByteReader, kind: FrameKind, start: number): Promise<boolean> {
  let position = start;
  for (let count = 0; count < FRAMES_TO_RESYNC; count++) {
    if (count > 0 && position >= reader.size) return position === reader.size;
    const header = await headerAt(reader, kind, position);
    if (!header) return count > 0 && tagLength(await reader.read(position, TAG_HEADER_BYTES)) > 0;
    position += header.bytes;
  }
  return true;
}

const HEADER_BYTES = 7;
const SAMPLE_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const SAMPLES_PER_BLOCK = 1024;

/** Frames of AAC with ADTS headers (ISO/IEC 13818-7). */
export const ADTS_FRAMES: FrameKind = {
  headerBytes: HEADER_BYTES,
  header: adtsHeader,
  tagBytes: 0,
  isTag: () => false,
};

function adtsHeader(bytes: Uint8Array, offset: number): FrameHeader | null {
  const [b0, b1, b2, b3, b4, b5, b6] = bytes.subarray(offset, offset + HEADER_BYTES) as Uint8Array & number[];
  // A sync word of twelve bits and layer 0.
  if (b0 !== 0xff || (b1! & 0xf6) !== 0xf0) return null;
  const sampleRate = SAMPLE_RATES[(b2! >> 2) & 15];
  const length = ((b3! & 3) << 11) | (b4! << 3) | (b5! >> 5);
  const headerBytes = b1! & 1 ? HEADER_BYTES : HEADER_BYTES + 2;
  if (sampleRate === undefined || length <= headerBytes) return null;
  const profile = b2! >> 6;
  const channels = ((b2! & 1) << 2) | (b3! >> 6);
  return {
    bytes: length,
    sampleRate,
    samples: ((b6! & 3) + 1) * SAMPLES_PER_BLOCK,
    coding: `aac ${profile} ${sampleRate} ${channels}`,
  };
}
