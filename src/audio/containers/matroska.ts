/**
 * Reads the structure of WebM and Matroska files (RFC 8794, RFC 9559): joined files, damage, missing bytes at the
 * end, and codec delays.
 */
import { bigEndian, type ByteReader } from './byteReader';

const EBML = 0x1a45_dfa3;
const SEGMENT = 0x1853_8067;
const INFO = 0x1549_a966;
const TRACKS = 0x1654_ae6b;
const CLUSTER = 0x1f43_b675;
const VOID = 0xec;
const CRC = 0xbf;
/** Children of a segment: seek head, cues, chapters, tags, attachments, and the elements above. */
const SEGMENT_CHILDREN = new Set([INFO, TRACKS, CLUSTER, 0x114d_9b74, 0x1c53_bb6b, 0x1043_a770, 0x1254_c367, 0x1941_a469, VOID, CRC]);
/** Children of a cluster: timestamp, position, previous size, silent tracks, and the kinds of blocks. */
const CLUSTER_CHILDREN = new Set([0xe7, 0xa7, 0xab, 0x5854, 0xa3, 0xa0, 0xaf, VOID, CRC]);
const MAX_HEADER_BYTES = 12;
const SEARCHED_BYTES = 1 << 16;

/** An EBML element: its id, and the offsets of its parts. */
interface Element {
  readonly id: number;
  readonly start: number;
  readonly content: number;
  /** Infinite if its size is unknown. */
  readonly end: number;
}

/** A range of bytes, [start, end). */
type Range = readonly [start: number, end: number];

/** Consecutive clusters without damage between them. */
interface ClusterRun {
  /** Complete clusters. */
  readonly ranges: readonly Range[];
  /** Complete blocks of a cluster without an end; null if there is none. */
  readonly rest: Range | null;
}

/** One of several joined files. */
export interface MatroskaFile {
  readonly start: number;
  /**
   * Parts that a file needs in addition to its clusters: the ranges of the EBML header, the segment information, and
   * the tracks.
   */
  readonly header: Range | null;
  readonly info: Range | null;
  readonly tracks: Range | null;
  /** In order. Data between runs is damaged or missing. */
  readonly runs: readonly ClusterRun[];
  /** Whether the file ends within an element. */
  readonly isCutOff: boolean;
}

/**
 * Reads the elements of a file to its end. After damage, it continues at the next cluster or file.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function walkMatroska(reader: ByteReader): Promise<MatroskaFile[]> {
  const walk = new MatroskaWalk(reader.size);
  let position = 0;
  while (position < reader.size) {
    const element = await elementAt(reader, position);
    if (element && walk.isValid(element)) {
      position = walk.add(element);
      continue;
    }
    // A few bytes at the end are the start of an element.
    if (!element && reader.size - position < MAX_HEADER_BYTES) {
      walk.cutOff();
      break;
    }
    walk.breakOff();
    position = await resync(reader, position);
    if (position === reader.size) walk.cutOff();
  }
  return walk.close();
}

interface OpenFile {
  readonly start: number;
  header: Range | null;
  info: Range | null;
  tracks: Range | null;
  readonly runs: { ranges: Range[]; rest: Range | null }[];
  segmentEnd: number;
  isCutOff: boolean;
}

class MatroskaWalk {
  readonly #files: OpenFile[] = [];
  #cluster: { readonly element: Element; end: number; last: number } | null = null;
  #isNewRun = true;

  constructor(private readonly size: number) {}

  isValid({ id, end }: Element): boolean {
    if (id === EBML || id === SEGMENT) return id === SEGMENT || end !== Infinity;
    if (SEGMENT_CHILDREN.has(id) && id !== VOID && id !== CRC) return this.#isAtClusterEnd() && (end !== Infinity || id === CLUSTER);
    const limit = this.#cluster?.element.end ?? Infinity;
    const isKnown = this.#isInCluster() ? CLUSTER_CHILDREN.has(id) && end <= limit : id === VOID || id === CRC;
    return isKnown && end !== Infinity;
  }

  /** @returns start of the next element */
  add(element: Element): number {
    const { id, start, content, end } = element;
    if (id === EBML) {
      this.#endCluster();
      this.#files.push({ start, header: [start, end], info: null, tracks: null, runs: [], segmentEnd: 0, isCutOff: false });
      this.#isNewRun = true;
      return end;
    }
    if (id === SEGMENT) {
      const file = this.#files.at(-1);
      if (file) file.segmentEnd = end;
      return content;
    }
    if (end !== Infinity && end > this.size) {
      this.cutOff();
      if (id !== CLUSTER) return this.size;
    }
    if (id === CLUSTER) {
      this.#endCluster();
      this.#cluster = { element, end: content, last: content };
      return content;
    }
    if (this.#cluster && this.#isInCluster()) {
      this.#cluster.last = this.#cluster.end;
      this.#cluster.end = end;
      return end;
    }
    this.#endCluster();
    const file = this.#files.at(-1);
    if (file && id === INFO) file.info ??= [start, end];
    if (file && id === TRACKS) file.tracks ??= [start, end];
    return end;
  }

  /** Starts a new run after damage. The last block is dropped, because the damage may start in it. */
  breakOff(): void {
    if (this.#cluster) this.#endCluster(this.#cluster.last);
    this.#isNewRun = true;
  }

  cutOff(): void {
    const file = this.#files.at(-1);
    if (file) file.isCutOff = true;
  }

  close(): MatroskaFile[] {
    this.#endCluster();
    for (const file of this.#files) {
      // With a hole, the segment ends before its declared end, although its last cluster is complete.
      if (file.runs.length <= 1 && file.segmentEnd !== Infinity && file.segmentEnd > this.size) file.isCutOff = true;
    }
    return this.#files;
  }

  #isAtClusterEnd(): boolean {
    return !this.#cluster || this.#cluster.element.end === Infinity || this.#cluster.end === this.#cluster.element.end;
  }

  #isInCluster(): boolean {
    return this.#cluster !== null && this.#cluster.end < this.#cluster.element.end;
  }

  /** @param end end of the last complete block */
  #endCluster(end = this.#cluster?.end ?? 0): void {
    const element = this.#cluster?.element;
    const file = this.#files.at(-1);
    this.#cluster = null;
    if (!element || !file) return;
    if (this.#isNewRun) file.runs.push({ ranges: [], rest: null });
    this.#isNewRun = false;
    const run = file.runs.at(-1)!;
    const isWhole = element.end === Infinity ? end > element.content : end === element.end;
    if (!isWhole) {
      run.rest = [element.content, end];
      // Bytes are missing before the next cluster.
      this.#isNewRun = true;
      return;
    }
    const last = run.ranges.at(-1);
    if (last?.[1] === element.start) run.ranges[run.ranges.length - 1] = [last[0], end];
    else run.ranges.push([element.start, end]);
  }
}

/**
 * The element at an offset; null if there is none.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
async function elementAt(reader: ByteReader, start: number): Promise<Element | null> {
  const bytes = await reader.read(start, MAX_HEADER_BYTES);
  const idBytes = vintLength(bytes[0]);
  if (idBytes === null || idBytes > 4 || bytes.length < idBytes + 1) return null;
  const sizeBytes = vintLength(bytes[idBytes]);
  if (sizeBytes === null || bytes.length < idBytes + sizeBytes) return null;
  const content = start + idBytes + sizeBytes;
  const marked = bytes[idBytes]! & (0xff >> sizeBytes);
  const rest = bytes.subarray(idBytes + 1, idBytes + sizeBytes);
  const isOpen = marked === 0xff >> sizeBytes && rest.every((byte) => byte === 0xff);
  const size = marked * 256 ** (sizeBytes - 1) + bigEndian(rest, 0, rest.length);
  return { id: bigEndian(bytes, 0, idBytes), start, content, end: isOpen ? Infinity : content + size };
}

/** The next offset at which a file, or a cluster with a child, starts; the end of the file if there is none. */
async function resync(reader: ByteReader, position: number): Promise<number> {
  for (let at = position; at < reader.size; ) {
    // A copy, because the checks below move the reader's window.
    const bytes = (await reader.read(at, SEARCHED_BYTES)).slice();
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== 0x1f && bytes[i] !== 0x1a) continue;
      const element = await elementAt(reader, at + i);
      if (element?.id === EBML && element.end <= reader.size) return at + i;
      if (element?.id !== CLUSTER) continue;
      const child = await elementAt(reader, element.content);
      if (child && CLUSTER_CHILDREN.has(child.id)) return at + i;
    }
    at += bytes.length;
  }
  return reader.size;
}

/** Length in bytes of a number with this first byte; null if no number starts with this byte. */
function vintLength(first: number | undefined): number | null {
  return first ? Math.clz32(first) - 23 : null;
}

/**
 * The pieces of a file with the clusters of one run; null if the file lacks parts that a decoder needs.
 *
 * @param file as returned by {@link walkMatroska}
 */
export function filePieces(source: Blob, { header, info, tracks }: MatroskaFile, { ranges, rest }: ClusterRun): Blob[] | null {
  if (!header || !info || !tracks) return null;
  const slice = ([start, end]: Range): Blob => source.slice(start, end);
  return [
    slice(header),
    elementHeader(SEGMENT, null),
    slice(info),
    slice(tracks),
    ...ranges.map(slice),
    ...(rest ? [elementHeader(CLUSTER, rest[1] - rest[0]), slice(rest)] : []),
  ];
}

/** @param size null for an unknown size */
function elementHeader(id: number, size: number | null): Blob {
  const bytes = new DataView(new ArrayBuffer(12));
  bytes.setUint32(0, id);
  bytes.setBigUint64(4, size === null ? 0x01ff_ffff_ffff_ffffn : 0x0100_0000_0000_0000n + BigInt(size));
  return new Blob([bytes]);
}

/** The encoder's delay of a track (RFC 9559, CodecDelay). */

const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const CODEC_DELAY = 0x56aa;
/** Limits the work on a damaged file. */
const MAX_ELEMENTS = 10_000;
const NANOSECONDS = 1e9;
/** No encoder needs a longer delay; a larger value is damaged. */
const MAX_DELAY_SECONDS = 1;

/**
 * Duration of the encoder's delay before the recording, in seconds.
 *
 * @param trackNumber as in the file
 * @returns 0 if the file declares no delay
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function readCodecDelay(reader: ByteReader, trackNumber: number): Promise<number> {
  const tracks = await findTracks(reader);
  if (!tracks) return 0;
  for (const entry of await childrenOf(reader, tracks)) {
    if (entry.id !== TRACK_ENTRY) continue;
    const fields = await childrenOf(reader, entry);
    if ((await numberOf(reader, fields, TRACK_NUMBER)) !== trackNumber) continue;
    const seconds = (await numberOf(reader, fields, CODEC_DELAY)) / NANOSECONDS;
    return seconds <= MAX_DELAY_SECONDS ? seconds : 0;
  }
  return 0;
}

async function findTracks(reader: ByteReader): Promise<Element | null> {
  let position = 0;
  for (let seen = 0; seen < MAX_ELEMENTS && position < reader.size; seen++) {
    const element = await elementAt(reader, position);
    if (!element || element.id === CLUSTER || (element.id === EBML && position > 0)) return null;
    if (element.id === TRACKS) return element;
    if (element.id !== SEGMENT && element.end === Infinity) return null;
    position = element.id === SEGMENT ? element.content : element.end;
  }
  return null;
}

async function childrenOf(reader: ByteReader, { content, end }: Element): Promise<Element[]> {
  const children: Element[] = [];
  for (let position = content; position < Math.min(end, reader.size) && children.length < MAX_ELEMENTS; ) {
    const child = await elementAt(reader, position);
    if (!child || child.end > end) break;
    children.push(child);
    position = child.end;
  }
  return children;
}

/** Value of an integer field; 0 if it is missing or longer than 8 bytes. */
async function numberOf(reader: ByteReader, fields: readonly Element[], id: number): Promise<number> {
  const field = fields.find((one) => one.id === id);
  const length = field ? field.end - field.content : 0;
  return field && length <= 8 ? bigEndian(await reader.read(field.content, length), 0, length) : 0;
}
