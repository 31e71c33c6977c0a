/** Finds joined FLAC files (RFC 9639). */
import { hasText, type ByteReader } from './byteReader';

const SEARCHED_BYTES = 1 << 20;
/** The marker, and the header of a stream info block of 34 bytes. */
const MARKER_BYTES = 8;

/**
 * Offsets at which joined files start.
 *
 * @param start of the first
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
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

/** Whether a FLAC file starts here. Its frames do not contain these eight bytes by chance. */
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
