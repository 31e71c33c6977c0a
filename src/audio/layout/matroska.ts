/** Finds joined WebM and Matroska files (RFC 8794, RFC 9559), and missing bytes at the end. */
import { bigEndian, type ByteReader } from './byteReader';

const EBML = 0x1a45_dfa3;
const SEGMENT = 0x1853_8067;
const CLUSTER = 0x1f43_b675;
/** Container elements whose size a live recorder leaves open. */
const OPEN_ENDED = new Set([SEGMENT, CLUSTER]);
const MOST_HEADER_BYTES = 12;

interface Element {
  readonly id: number;
  readonly content: number;
  /** Infinite if its size is left open. */
  readonly end: number;
}

/** Joined files, and how much of the last one is missing. */
export interface MatroskaLayout {
  /** Offset at which each starts. */
  readonly starts: readonly number[];
  /** Bytes of the last element beyond the end of the file. */
  readonly missingBytes: number;
}

/**
 * Walks the elements of a file to its end. Enters those whose size is left open.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function walkMatroska(reader: ByteReader): Promise<MatroskaLayout> {
  const starts: number[] = [];
  let missingBytes = 0;
  let position = 0;
  while (position < reader.size) {
    const element = await elementAt(reader, position);
    // Damaged: the demuxer finds the next cluster by itself.
    if (!element) break;
    if (element.id === EBML) starts.push(position);
    if (element.end === Infinity && !OPEN_ENDED.has(element.id)) break;
    missingBytes = element.end === Infinity ? 0 : Math.max(0, element.end - reader.size);
    position = element.end === Infinity ? element.content : element.end;
  }
  return { starts: starts.length > 0 ? starts : [0], missingBytes };
}

async function elementAt(reader: ByteReader, start: number): Promise<Element | null> {
  const bytes = await reader.read(start, MOST_HEADER_BYTES);
  const idBytes = vintLength(bytes[0]);
  if (idBytes === null || idBytes > 4 || bytes.length < idBytes + 1) return null;
  const sizeBytes = vintLength(bytes[idBytes]);
  if (sizeBytes === null || bytes.length < idBytes + sizeBytes) return null;
  const content = start + idBytes + sizeBytes;
  const marked = bytes[idBytes]! & (0xff >> sizeBytes);
  const rest = bytes.subarray(idBytes + 1, idBytes + sizeBytes);
  const isOpen = marked === 0xff >> sizeBytes && rest.every((byte) => byte === 0xff);
  const size = marked * 256 ** (sizeBytes - 1) + bigEndian(rest, 0, rest.length);
  return { id: bigEndian(bytes, 0, idBytes), content, end: isOpen ? Infinity : content + size };
}

/** Length in bytes of a number with this first byte; null if it starts none. */
function vintLength(first: number | undefined): number | null {
  return first ? Math.clz32(first) - 23 : null;
}
