/** Reads the structure of FLAC files (RFC 9639): joined files, and the end of the audio. */
import { bigEndian, type ByteReader, hasText } from './byteReader';
import { afterTags, tagLength } from './frames';

const BLOCK_BYTES = 1 << 20;
/** The marker, and the header of a stream info block of 34 bytes. */
const MARKER_BYTES = 8;

/**
 * Offsets of the joined files in a file.
 *
 * @param start of the first
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function walkFlac(reader: ByteReader, start: number): Promise<number[]> {
  const starts: number[] = [];
  for (let at = start; at < reader.size; at += BLOCK_BYTES) {
    const bytes = await reader.read(at, BLOCK_BYTES + MARKER_BYTES - 1);
    for (let i = bytes.indexOf(0x66); i >= 0 && i < BLOCK_BYTES; i = bytes.indexOf(0x66, i + 1)) {
      if (isStart(bytes, i)) starts.push(at + i);
    }
  }
  return starts;
}

/** Whether a FLAC file starts here. Frames do not contain these eight bytes by chance. */
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

/** The end of the audio is found from the last frames, because the header may be wrong. */

/** Bytes to search at the end of the file. The largest frames have about 100 kB. */
const END_BYTES = 1 << 20;
const MAX_HEADER_BYTES = 16;
const INFO_BYTES = 42;
/** Block sizes by their code; 0 for codes that are followed by a size, and for the reserved code. */
const BLOCK_SIZES = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
const SIZE_OF_8_BITS = 6;
const SIZE_OF_16_BITS = 7;

/** The end of a file's audio. */
export interface FlacEnd {
  /** End of the last frame. */
  readonly endSeconds: number;
  /** Length of the last frame. */
  readonly frameSeconds: number;
  /** Whether bytes of the last frame are missing or damaged. */
  readonly isCutOff: boolean;
}

interface Frame {
  /** Offset in the searched bytes. */
  readonly start: number;
  readonly first: number;
  readonly samples: number;
}

/**
 * Finds the last frame that continues the frame before it.
 *
 * @returns null if the last megabyte has no such frame
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function readFlacEnd(reader: ByteReader): Promise<FlacEnd | null> {
  const start = await afterTags(reader);
  const info = (await reader.read(start, INFO_BYTES)).slice();
  if (!isStart(info, 0) || info.length < INFO_BYTES) return null;
  const maxBlock = bigEndian(info, 10, 2);
  const sampleRate = bigEndian(info, 18, 3) >> 4;
  if (sampleRate === 0) return null;
  const from = Math.max(start + INFO_BYTES, reader.size - END_BYTES);
  const bytes = await reader.read(from, reader.size - from);
  // A few bytes can look like a frame by chance, but not like a frame that continues another.
  const ends = new Set<number>();
  let last: Frame | null = null;
  for (let i = bytes.indexOf(0xff); i >= 0; i = bytes.indexOf(0xff, i + 1)) {
    const frame = frameAt(bytes, i, maxBlock);
    if (!frame) continue;
    if (ends.has(frame.first)) last = frame;
    ends.add(frame.first + frame.samples);
  }
  return last && {
    endSeconds: (last.first + last.samples) / sampleRate,
    frameSeconds: last.samples / sampleRate,
    isCutOff: !isComplete(bytes.subarray(last.start)),
  };
}

/**
 * Whether only zeros or a tag follow the frame. The CRC over a complete frame, including its checksum at the end, is
 * 0.
 */
function isComplete(frame: Uint8Array): boolean {
  let crc = 0;
  for (let i = 0; i < frame.length; i++) {
    if (crc === 0 && i > 0 && tagLength(frame, i) > 0) return true;
    crc ^= frame[i]! << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x8005) & 0xffff : crc << 1;
  }
  return crc === 0;
}

function frameAt(searched: Uint8Array, start: number, maxBlock: number): Frame | null {
  const bytes = searched.subarray(start, start + MAX_HEADER_BYTES);
  const [, strategy = 0, codes = 0, form = 0] = bytes;
  if ((strategy & 0xfe) !== 0xf8 || (form & 1) !== 0) return null;
  const number = codedNumber(bytes, 4);
  if (!number) return null;
  let at = 4 + number.length;
  const sizeCode = codes >> 4;
  const sizeBytes = sizeCode === SIZE_OF_8_BITS ? 1 : sizeCode === SIZE_OF_16_BITS ? 2 : 0;
  const samples = sizeBytes > 0 ? bigEndian(bytes, at, sizeBytes) + 1 : BLOCK_SIZES[sizeCode]!;
  const rateCode = codes & 0x0f;
  at += sizeBytes + (rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0);
  if (samples === 0 || rateCode === 15 || at >= bytes.length || checksum(bytes.subarray(0, at)) !== bytes[at]) return null;
  const isVariable = (strategy & 1) === 1;
  return { start, first: isVariable ? number.value : number.value * maxBlock, samples };
}

/** Decodes a number in the format's extended UTF-8. */
function codedNumber(bytes: Uint8Array, at: number): { value: number; length: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0xff) return null;
  if (first < 0x80) return { value: first, length: 1 };
  const length = Math.clz32(~(first << 24));
  if (length < 2 || at + length > bytes.length) return null;
  let value = first & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    if ((bytes[at + i]! & 0xc0) !== 0x80) return null;
    value = value * 64 + (bytes[at + i]! & 0x3f);
  }
  return { value, length };
}

/** CRC-8 with the polynomial x⁸ + x² + x + 1. Frames end with a CRC-16: x¹⁶ + x¹⁵ + x² + 1. */
function checksum(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
  }
  return crc;
}
