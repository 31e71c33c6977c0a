/**
 * MP3 files of variable bitrate, as LAME writes them. The encoder gives bare frames: the frame before them, which
 * counts them, says where to seek and how much padding to leave out, is written here.
 */
import { createMp3Encoder } from 'wasm-media-encoders';

export interface VbrMp3Options {
  /** Of the samples, in Hz. */
  readonly sampleRate: number;
  /** Of the file, in Hz. Default 22 050: another one than the models', so that what is decoded has to be resampled. */
  readonly outputSampleRate?: 16_000 | 22_050 | 44_100;
  /** LAME's `-V`, 0 (best) to 9. Default 4. */
  readonly quality?: number;
}

/** LAME's own, in samples of the file; the decoder's comes on top of it. */
const ENCODER_DELAY = 576;
/** In kbit/s by the four bits of the header: MPEG-1 layer III, and MPEG-2 layer III. */
const BITRATES = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
/** By the two bits of the header, in Hz, for MPEG-1; half of it for MPEG-2. */
const SAMPLE_RATES = [44_100, 48_000, 32_000];
/** Wide enough for the tag at any of the sample rates, in kbit/s. */
const TAG_BITRATE = 64;
const TAG_BYTES = 156;

/**
 * Encodes mono sound.
 *
 * @param pieces axes (sample), in [-1, 1]; a second or so at a time
 * @returns the file
 */
export async function encodeVbrMp3(
  pieces: Iterable<Float32Array>,
  { sampleRate, outputSampleRate = 22_050, quality = 4 }: VbrMp3Options,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 1, sampleRate, outputSampleRate, vbrQuality: quality });
  const encoded: Uint8Array[] = [];
  let numSamples = 0;
  for (const piece of pieces) {
    numSamples += piece.length;
    // A copy, because what it gives is its own memory.
    encoded.push(encoder.encode([piece]).slice());
  }
  encoded.push(encoder.finalize().slice());
  const frames = Buffer.concat(encoded);
  const tag = tagFrame(frames, Math.round((numSamples * outputSampleRate) / sampleRate));
  return Uint8Array.from(Buffer.concat([tag, frames]));
}

interface FrameInfo {
  readonly version: 1 | 2;
  readonly samples: number;
  readonly bytes: number;
  readonly kilobits: number;
}

/** Bytes at which the frames of an MPEG layer III stream start. */
export function frameStarts(stream: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < stream.length; at += readHeader(stream, at).bytes) starts.push(at);
  return starts;
}

/** @throws Error where no frame starts */
function readHeader(stream: Uint8Array, at: number): FrameInfo {
  const [sync = 0, kind = 0, rates = 0] = stream.subarray(at, at + 3);
  // MPEG-1 or MPEG-2, layer III, with or without a checksum.
  if (sync !== 0xff || (kind & 0xf6) !== 0xf2) throw new Error(`no MP3 frame starts at byte ${at}`);
  const version = kind & 8 ? 1 : 2;
  const kilobits = BITRATES[version][rates >> 4];
  const sampleRate = (SAMPLE_RATES[(rates >> 2) & 3] ?? NaN) / version;
  if (!kilobits || Number.isNaN(sampleRate)) throw new Error(`the MP3 frame at byte ${at} has no bitrate or sample rate`);
  const samples = 1152 / version;
  const bytes = Math.floor((samples * kilobits * 125) / sampleRate) + ((rates >> 1) & 1);
  return { version, samples, bytes, kilobits };
}

/**
 * The frame that holds Xing's tag with LAME's extension. Its two checksums are 0; readers of the length and the seek
 * table do not look at them.
 *
 * @param length of the sound in samples of the file
 */
function tagFrame(frames: Uint8Array, length: number): Buffer {
  const starts = frameStarts(frames);
  const { version, samples } = readHeader(frames, 0);
  const header = Buffer.from(frames.subarray(0, 4));
  // No checksum and no padding, so that the tag lies where readers look for it.
  header[1]! |= 1;
  header[2] = (BITRATES[version].indexOf(TAG_BITRATE) << 4) | (header[2]! & 0x0c);
  const frame = Buffer.alloc(readHeader(header, 0).bytes);
  header.copy(frame);
  // After the side information of a mono frame, which is 0.
  const tag = frame.subarray(4 + (version === 1 ? 17 : 9)).subarray(0, TAG_BYTES);
  const totalBytes = frame.length + frames.length;
  tag.write('Xing', 0, 'latin1');
  // Frames, bytes, seek table and quality are given.
  tag.writeUInt32BE(0xf, 4);
  tag.writeUInt32BE(starts.length, 8);
  tag.writeUInt32BE(totalBytes, 12);
  for (let percent = 0; percent < 100; percent++) {
    const start = frame.length + starts[Math.floor((percent * starts.length) / 100)]!;
    tag[16 + percent] = Math.floor((256 * start) / totalBytes);
  }
  tag.write('LAME3.100', 120, 'latin1');
  // Revision 0 of the extension, and the newer of LAME's two ways to vary the bitrate.
  tag[129] = 4;
  const padding = starts.length * samples - ENCODER_DELAY - length;
  tag.writeUIntBE((ENCODER_DELAY << 12) | padding, 141, 3);
  tag.writeUInt32BE(totalBytes, 148);
  return frame;
}
