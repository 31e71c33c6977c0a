/** Reads the structure of MP4 and QuickTime files (ISO/IEC 14496-12): joined files and edit lists. */
import { bigEndian, type ByteReader } from './byteReader';

/** Limit for top-level boxes. A fragment has two, so this is about a week of fragments. */
const MAX_BOXES = 1_000_000;
/** No index is larger; a larger size is damage. */
const MAX_INDEX_BYTES = 2 ** 28;

interface Box {
  readonly name: string;
  readonly start: number;
  /** Offset of its content. */
  readonly content: number;
  readonly end: number;
}

/** The joined files in a file. */
interface Mp4Layout {
  /** Offset of each. */
  readonly starts: readonly number[];
  /** End of the last complete fragment if the file ends within a fragment; otherwise null. */
  readonly completeEnd: number | null;
}

/** A segment of the media in an edit list. */
interface Edit {
  /** On the player's clock. */
  readonly startSeconds: number;
  /** Infinite: to the end of the media. */
  readonly durationSeconds: number;
  /** On the media's own clock; null for silence. */
  readonly mediaSeconds: number | null;
}

/**
 * Reads the top-level boxes. A second file type box or a second index starts another file.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function walkMp4(reader: ByteReader): Promise<Mp4Layout> {
  const starts = [0];
  let hasType = false;
  let hasIndex = false;
  let fragmentsEnd: number | null = null;
  let last: Box | null = null;
  for await (const box of topBoxes(reader)) {
    const isJoint = (box.name === 'ftyp' && hasType) || (box.name === 'moov' && hasIndex);
    if (isJoint) {
      starts.push(box.start);
      [hasType, hasIndex, fragmentsEnd] = [false, false, null];
    }
    hasType ||= box.name === 'ftyp';
    hasIndex ||= box.name === 'moov';
    if (box.name === 'mdat' && last?.name === 'moof' && box.end <= reader.size) fragmentsEnd = box.end;
    last = box;
  }
  const end = last?.end ?? 0;
  const isCutOff = end + 8 > reader.size && (end !== reader.size || last?.name === 'moof');
  return { starts, completeEnd: isCutOff ? fragmentsEnd : null };
}

/** The top-level boxes up to the first damage. The last box may extend beyond the file. */
async function* topBoxes(reader: ByteReader): AsyncGenerator<Box, void, undefined> {
  let position = 0;
  for (let seen = 0; seen < MAX_BOXES && position + 8 <= reader.size; seen++) {
    const box = await boxAt(reader, position);
    if (!box) return;
    yield box;
    position = box.end;
  }
}

async function boxAt(reader: ByteReader, start: number): Promise<Box | null> {
  const bytes = await reader.read(start, 16);
  const name = String.fromCharCode(...bytes.subarray(4, 8));
  if (!/^[\w© -]{4}$/.test(name)) return null;
  const size = bigEndian(bytes, 0, 4);
  if (size === 0) return { name, start, content: start + 8, end: reader.size };
  if (size === 1) {
    const long = bigEndian(bytes, 8, 2) === 0 ? bigEndian(bytes, 10, 6) : Infinity;
    return long >= 16 ? { name, start, content: start + 16, end: start + long } : null;
  }
  return size >= 8 ? { name, start, content: start + 8, end: start + size } : null;
}

/**
 * Reads the edit list of a track.
 *
 * @param trackId as in the track's header
 * @returns null if there is none, or if the file is fragmented, because the list then covers only the start
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function readEdits(source: ByteReader, trackId: number): Promise<Edit[] | null> {
  const index = await findIndex(source);
  if (!index) return null;
  const movie = boxesIn(index, 0, index.length);
  const header = movie.find(({ name }) => name === 'mvhd');
  if (!header || movie.some(({ name }) => name === 'mvex')) return null;
  const movieScale = timeScale(index, header);
  for (const track of movie.filter(({ name }) => name === 'trak')) {
    const boxes = boxesIn(index, track.content, track.end);
    const trackHeader = boxes.find(({ name }) => name === 'tkhd');
    if (!trackHeader || bigEndian(index, trackHeader.content + (index[trackHeader.content] === 1 ? 20 : 12), 4) !== trackId) continue;
    const list = inside(index, boxes, 'edts', 'elst');
    const mediaHeader = inside(index, boxes, 'mdia', 'mdhd');
    if (!list || !mediaHeader) return null;
    return parseEdits(index, list, movieScale, timeScale(index, mediaHeader));
  }
  return null;
}

async function findIndex(reader: ByteReader): Promise<Uint8Array | null> {
  for await (const { name, content, end } of topBoxes(reader)) {
    if (name !== 'moov') continue;
    if (end > reader.size || end - content > MAX_INDEX_BYTES) return null;
    return (await reader.read(content, end - content)).slice();
  }
  return null;
}

/**
 * Whether the file has no index, so that none of its data can be located. False if damage hides whether there is one.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function lacksIndex(reader: ByteReader): Promise<boolean> {
  let lastEnd = 0;
  for await (const { name, end } of topBoxes(reader)) {
    if (name === 'moov') return false;
    lastEnd = end;
  }
  return lastEnd + 8 > reader.size;
}

function boxesIn(bytes: Uint8Array, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let position = start; position + 8 <= end; ) {
    const size = bigEndian(bytes, position, 4);
    if (size < 8 || position + size > end) break;
    const name = String.fromCharCode(...bytes.subarray(position + 4, position + 8));
    boxes.push({ name, start: position, content: position + 8, end: position + size });
    position += size;
  }
  return boxes;
}

function inside(bytes: Uint8Array, boxes: readonly Box[], outer: string, inner: string): Box | null {
  const box = boxes.find(({ name }) => name === outer);
  return (box && boxesIn(bytes, box.content, box.end).find(({ name }) => name === inner)) ?? null;
}

/** Time scale of an `mvhd` or `mdhd` box. */
function timeScale(bytes: Uint8Array, { content }: Box): number {
  return bigEndian(bytes, content + (bytes[content] === 1 ? 20 : 12), 4) || 1;
}

function parseEdits(bytes: Uint8Array, { content, end }: Box, movieScale: number, mediaScale: number): Edit[] {
  const isLong = bytes[content] === 1;
  const count = bigEndian(bytes, content + 4, 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const edits: Edit[] = [];
  let startSeconds = 0;
  const entryBytes = isLong ? 20 : 12;
  for (let i = 0, at = content + 8; i < count && at + entryBytes <= end; i++, at += entryBytes) {
    const duration = isLong ? Number(view.getBigUint64(at)) : view.getUint32(at);
    const media = isLong ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4);
    // In the last entry, a duration of 0 means the rest of the media. In other entries, it is taken literally.
    const durationSeconds = duration === 0 && i === count - 1 ? Infinity : duration / movieScale;
    edits.push({ startSeconds, durationSeconds, mediaSeconds: media < 0 ? null : media / mediaScale });
    startSeconds += durationSeconds;
  }
  return edits;
}

/** A segment of a track, and its position in the recording, in seconds. */
export interface PlacedSegment {
  /** On the demuxer's clock. */
  readonly from: number;
  /** On the demuxer's clock; infinite: to the end. */
  readonly to: number;
  /** Offset from the demuxer's clock to the recording's. */
  readonly shift: number;
}

/**
 * Converts an edit list to the played segments, in order.
 *
 * mediabunny applies only the first edit with media, as the track's offset, so its clock starts at that edit.
 *
 * @returns null if there is nothing to play
 */
export function placeEdits(edits: readonly Edit[]): PlacedSegment[] | null {
  const playing = edits.filter((edit): edit is Edit & { mediaSeconds: number } => edit.mediaSeconds !== null);
  const [first] = playing;
  if (!first) return null;
  const offset = first.mediaSeconds - first.startSeconds;
  return playing.map(({ startSeconds, durationSeconds, mediaSeconds }) => {
    const from = mediaSeconds - offset;
    return { from, to: from + durationSeconds, shift: startSeconds - from };
  });
}
