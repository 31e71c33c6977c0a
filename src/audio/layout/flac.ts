/** Native FLAC files (RFC 9639): where several were joined. */
import { hasText, type ByteReader } from './byteReader';

const SEARCHED_BYTES = 1 << 20;
/** The marker, and the header of a stream info block: 34 bytes, last block or not. */
const MARKER_BYTES = 8;

/**
 * Where each file in one starts.
 *
 * @param start of the first
 * @throws VoxlaneError `audio-decode` if the file cannot be read any more
 */
export async function walkFlac(reader: ByteReader, start: number): Promise<number[]> {
  const starts: number[] = [];
  for (let at = start; at < reader.size; at += SEARCHED_BYTES) {
    const bytes = await reader.read(at, SEARCHED_BYTES + MARKER_BYTES - 1);
    for (let i = bytes.indexOf(0x66); i >= 0 && i < SEARCHED_BYTES; i = bytes.indexOf(0x66, i + 1)) {
      if (isStart(bytes, i)) starts.push(at + i);
    }
  }
  return starts;
}

/** Whether a FLAC file starts here. Eight given bytes do not occur in its frames by chance. */
export function isStart(bytes: Uint8Array, offset: number): boolean {
  const type = bytes[offset + 4];
  return (
    hasText(bytes, offset, 'fLaC') &&
    (type === 0 || type === 0x80) &&
    bytes[offset + 5] === 0 &&
    bytes[offset + 6] === 0 &&
    bytes[offset + 7] === 34
  );
}
