import { hasText, type ByteReader } from './byteReader';

/** Bytes that {@link tagLength} needs. */
export const TAG_HEADER_BYTES = 32;
const ID3V1_BYTES = 128;

/**
 * Length of a tag (ID3v2, ID3v1, APE) that starts at `offset`; 0 if none does. MP3 and ADTS files
 * have tags before, between and after the frames.
 *
 * @param bytes at least {@link TAG_HEADER_BYTES} from `offset` on, unless the file ends before
 */
export function tagLength(bytes: Uint8Array, offset = 0): number {
  if (hasText(bytes, offset, 'ID3') && bytes.length >= offset + 10) {
    let size = 0;
    for (let i = 6; i < 10; i++) {
      const byte = bytes[offset + i]!;
      // Seven bits of each byte count.
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
    // The size counts the items and the footer, but not the header.
    return isHeader ? 32 + view.getUint32(12, true) : 32;
  }
  return 0;
}

/**
 * Length of the tag at `position`; 0 if none starts there, or if it would end beyond the file.
 *
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function tagAt(reader: ByteReader, position: number): Promise<number> {
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
