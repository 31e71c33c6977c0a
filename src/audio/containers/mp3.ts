import { hasText, readBytes } from './byteReader';
import type { FrameHeader, FrameKind } from './frames';

const HEADER_BYTES = 4;
/** Bit rates in kbit/s. */
const BIT_RATES = {
  mpeg1Layer2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  mpeg1Layer3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mpeg2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
const SAMPLE_RATES = [44_100, 48_000, 32_000];
/** Maximum offset of the tag in a frame, after header and side information. */
const MAX_TAG_OFFSET = 36;

/** Frames of MPEG audio layer III (MP3) and layer II (MP2). */
export const MP3_FRAMES: FrameKind = {
  headerBytes: HEADER_BYTES,
  header: mp3Header,
  tagBytes: MAX_TAG_OFFSET + 4,
  isTag: isXingFrame,
};

function mp3Header(bytes: Uint8Array, offset: number): FrameHeader | null {
  const [b0, b1, b2, b3] = bytes.subarray(offset, offset + HEADER_BYTES) as Uint8Array & number[];
  // A sync word of eleven bits, then the version and the layer.
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

/** Whether a frame is the tag that encoders write before the audio. */
function isXingFrame(frame: Uint8Array): boolean {
  const isLayer3 = (frame[1]! & 0x06) === 0x02;
  if (!isLayer3) return false;
  const isMpeg1 = (frame[1]! & 0x18) === 0x18;
  const isMono = frame[3]! >> 6 === 3;
  const offset = 4 + (isMpeg1 ? (isMono ? 17 : 32) : isMono ? 9 : 17);
  return hasText(frame, offset, 'Xing') || hasText(frame, offset, 'Info') || hasText(frame, 36, 'VBRI');
}

/**
 * MP3 encoders add silence before and after the audio, and decoders delay it further. The first frame contains these
 * lengths in a tag that LAME introduced. mediabunny ignores the tag, and WebCodecs cannot apply it.
 */

/** Samples that are not part of the recording. */
export interface Mp3Padding {
  readonly leading: number;
  readonly trailing: number;
  /** Samples of the recording without padding; null if the tag does not count the frames. */
  readonly length: number | null;
}

/** The tag in the first frame. */
export interface Mp3Tag {
  /** Duration of all frames that the tag counts, including padding; null if it does not count them. */
  readonly declaredSeconds: number | null;
  /** Null if the encoder does not write it. */
  readonly padding: Mp3Padding | null;
}

/** Delay of the filter bank, which is the same for every MP3 decoder. */
const DECODER_DELAY = 529;
/** Encoders that write the delay; other encoders leave arbitrary values. The list is from FFmpeg's `mp3dec.c`. */
const ENCODERS_WITH_DELAY = ['LAME', 'Lavf', 'Lavc'];
const SEARCHED_BYTES = 8192;

/** The padding from the tag of an MP3 file; null if there is no reliable tag. */
export async function readMp3Padding(source: Blob): Promise<Mp3Padding | null> {
  return (await readMp3Tag(source))?.padding ?? null;
}

/** The tag of an MP3 file; null if there is none. */
export async function readMp3Tag(source: Blob): Promise<Mp3Tag | null> {
  const start = await skipId3(source);
  const view = await readBytes(source, start, start + SEARCHED_BYTES);
  const frame = findFrame(view);
  if (frame < 0) return null;
  const isMpeg1 = (view.getUint8(frame + 1) & 0x18) === 0x18;
  const isMono = view.getUint8(frame + 3) >> 6 === 3;
  const sideInfo = isMpeg1 ? (isMono ? 17 : 32) : isMono ? 9 : 17;
  const tag = frame + 4 + sideInfo;
  if (tag + 160 > view.byteLength || !['Xing', 'Info'].includes(text(view, tag))) return null;

  const flags = view.getUint32(tag + 4);
  const frames = flags & 1 ? view.getUint32(tag + 8) : null;
  // Frame count, byte count, seek table and quality are present only if their flags are set.
  const encoder = tag + 8 + (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  const total = frames === null ? null : frames * (isMpeg1 ? 1152 : 576);
  const header = MP3_FRAMES.header(new Uint8Array(view.buffer), frame);
  const declaredSeconds = total === null || header === null ? null : total / header.sampleRate;
  if (!ENCODERS_WITH_DELAY.includes(text(view, encoder))) return { declaredSeconds, padding: null };
  const delays = (view.getUint16(encoder + 21) << 8) | view.getUint8(encoder + 23);
  const delay = delays >> 12;
  const trailing = delays & 0xfff;
  const length = total === null ? null : total - delay - trailing;
  const padding = { leading: delay + DECODER_DELAY, trailing, length: length !== null && length > 0 ? length : null };
  return { declaredSeconds, padding };
}

/**
 * Removes the padding if the decoder did not remove it: WebKitGTK's `decodeAudioData` keeps it; Chromium's and
 * Firefox's remove it.
 *
 * @param samples the whole decoded file
 * @param padding in samples of the file
 * @param ratio samples of `samples` per sample of the file
 * @returns `samples` itself, or a copy of a part of it, because parts of one buffer cannot be transferred to a worker
 */
export function withoutMp3Padding(samples: Float32Array, padding: Mp3Padding | null, ratio: number): Float32Array {
  if (padding?.length == null) return samples;
  const start = Math.round(padding.leading * ratio);
  const end = start + Math.round(padding.length * ratio);
  // If there are fewer samples, the decoder has already removed the padding.
  return samples.length < end ? samples : samples.slice(start, end);
}

async function skipId3(source: Blob): Promise<number> {
  let start = 0;
  for (let seen = 0; seen < 16; seen++) {
    const view = await readBytes(source, start, start + 10);
    if (view.byteLength < 10 || String.fromCharCode(view.getUint8(0), view.getUint8(1), view.getUint8(2)) !== 'ID3') break;
    const size = [6, 7, 8, 9].reduce((sum, at) => (sum << 7) | (view.getUint8(at) & 0x7f), 0);
    start += 10 + size;
  }
  return start;
}

/** Offset of the first header of an MPEG layer III frame. */
function findFrame(view: DataView): number {
  for (let at = 0; at + 4 <= view.byteLength; at++) {
    const [sync, version] = [view.getUint8(at), view.getUint8(at + 1)];
    if (sync === 0xff && (version & 0xe6) === 0xe2 && view.getUint8(at + 2) >> 4 !== 15) return at;
  }
  return -1;
}

function text(view: DataView, offset: number): string {
  if (offset + 24 > view.byteLength) return '';
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + offset, 4));
}
