import { hasText } from './byteReader';
import type { FrameHeader, FrameKind } from './frameWalk';

const HEADER_BYTES = 4;
/** Bit rates in kbit/s. */
const BIT_RATES = {
  mpeg1Layer2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  mpeg1Layer3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mpeg2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
const SAMPLE_RATES = [44_100, 48_000, 32_000];
/** Greatest offset of the tag in a frame, after header and side information. */
const MOST_TAG_OFFSET = 36;

/** Frames of MPEG audio layer III (MP3) and layer II (MP2). */
export const MP3_FRAMES: FrameKind = {
  headerBytes: HEADER_BYTES,
  header: mp3Header,
  tagBytes: MOST_TAG_OFFSET + 4,
  isTag: isXingFrame,
};

function mp3Header(bytes: Uint8Array, offset: number): FrameHeader | null {
  const [b0, b1, b2, b3] = bytes.subarray(offset, offset + HEADER_BYTES) as Uint8Array & number[];
  // Eleven bits of sync word, then the version and the layer.
  const layer = 4 - ((b1! >> 1) & 3);
  if (b0 !== 0xff || (b1! & 0xe0) !== 0xe0 || (layer !== 2 && layer !== 3)) return null;
  const version = (b1! >> 3) & 3;
  const baseRate = SAMPLE_RATES[(b2! >> 2) & 3];
  const isMpeg1 = version === 3;
  const bitRate = BIT_RATES[!isMpeg1 ? 'mpeg2' : layer === 2 ? 'mpeg1Layer2' : 'mpeg1Layer3'][b2! >> 4];
  if (version === 1 || baseRate === undefined || !bitRate) return null;
  const sampleRate = baseRate / (isMpeg1 ? 1 : version === 2 ? 2 : 4);
  const samples = isMpeg1 || layer === 2 ? 1152 : 576;
  const padding = (b2! >> 1) & 1;
  const isMono = b3! >> 6 === 3;
  return {
    bytes: Math.floor(((samples / 8) * bitRate * 1000) / sampleRate) + padding,
    sampleRate,
    samples,
    coding: `mp${layer} ${version} ${sampleRate} ${isMono ? 1 : 2}`,
  };
}

/** Whether a frame is the tag that encoders write before the sound. */
function isXingFrame(frame: Uint8Array): boolean {
  const isLayer3 = (frame[1]! & 0x06) === 0x02;
  if (!isLayer3) return false;
  const isMpeg1 = (frame[1]! & 0x18) === 0x18;
  const isMono = frame[3]! >> 6 === 3;
  const offset = 4 + (isMpeg1 ? (isMono ? 17 : 32) : isMono ? 9 : 17);
  return hasText(frame, offset, 'Xing') || hasText(frame, offset, 'Info') || hasText(frame, 36, 'VBRI');
}
