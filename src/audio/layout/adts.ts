import type { FrameHeader, FrameKind } from './frameWalk';

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
  // Twelve bits of sync word, then a layer of 0.
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
