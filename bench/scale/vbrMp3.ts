/**
 * MP3 files with variable bitrate, as written by LAME. The encoder returns only frames. This module writes the header frame
 * with the frame count, the seek table and the padding.
 */
import { createMp3Encoder } from 'wasm-media-encoders';

export interface VbrMp3Options {
  /** Sample rate of the samples, in Hz. */
  readonly sampleRate: number;
  /** Sample rate of the file, in Hz. Default 22 050, which differs from the models' rate and requires resampling. */
  readonly outputSampleRate?: 16_000 | 22_050 | 44_100;
  /** LAME's `-V`, 0 (best) to 9. Default 4. */
  readonly quality?: number;
}

/** LAME's encoder delay in samples of the file, without the decoder delay. */
const ENCODER_DELAY = 576;
/** Bitrates in kbit/s by the four bits of the header, for MPEG-1 layer III and MPEG-2 layer III. */
const BITRATES = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
/** Sample rates in Hz by the two bits of the header for MPEG-1; half of them for MPEG-2. */
const SAMPLE_RATES = [44_100, 48_000, 32_000];
/** Sufficient for the tag at any sample rate, in kbit/s. */
const TAG_BITRATE = 64;
const TAG_BYTES = 156;

/**
 * Encodes mono audio.
 *
 * @param pieces axes (sample), in [-1, 1]; about one second each
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
    // Copy the result, because the encoder reuses its memory.
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

/** Byte offsets of the frames of an MPEG layer III stream. */
export function frameStarts(stream: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < stream.length; at += readHeader(stream, at).bytes) starts.push(at);
  return starts;
}

/** @throws Error if no frame starts at this offset */
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
 * The frame with Xing's tag and LAME's extension. Its two checksums are 0, because readers of the length and the seek table
 * ignore them.
 *
 * @param length length of the audio in samples of the file
 */
function tagFrame(frames: Uint8Array, length: number): Buffer {
  const starts = frameStarts(frames);
  const { version, samples } = readHeader(frames, 0);
  const header = Buffer.from(frames.subarray(0, 4));
  // No checksum and no padding, to place the tag at its standard position.
  header[1]! |= 1;
  header[2] = (BITRATES[version].indexOf(TAG_BITRATE) << 4) | (header[2]! & 0x0c);
  const frame = Buffer.alloc(readHeader(header, 0).bytes);
  header.copy(frame);
  // After the side information of a mono frame, which is all zero.
  const tag = frame.subarray(4 + (version === 1 ? 17 : 9)).subarray(0, TAG_BYTES);
  const totalBytes = frame.length + frames.length;
  tag.write('Xing', 0, 'latin1');
  // Flags: frames, bytes, seek table and quality are present.
  tag.writeUInt32BE(0xf, 4);
  tag.writeUInt32BE(starts.length, 8);
  tag.writeUInt32BE(totalBytes, 12);
  for (let percent = 0; percent < 100; percent++) {
    const start = frame.length + starts[Math.floor((percent * starts.length) / 100)]!;
    tag[16 + percent] = Math.floor((256 * start) / totalBytes);
  }
  tag.write('LAME3.100', 120, 'latin1');
  // Revision 0 of the extension, and the newer of LAME's two VBR methods.
  tag[129] = 4;
  const padding = starts.length * samples - ENCODER_DELAY - length;
  tag.writeUIntBE((ENCODER_DELAY << 12) | padding, 141, 3);
  tag.writeUInt32BE(totalBytes, 148);
  return frame;
}
