import type { PlanarBlock } from './blocks';
import { readBytes } from './readBytes';
import type { WavEncoding, WavHeader } from './wavHeader';

const BLOCK_BYTES = 1 << 20;
/** The resampler's output grows with the samples, not with their bytes. */
const MOST_BLOCK_FRAMES = 1 << 18;

/**
 * Reads samples of a WAV file, about a megabyte at a time.
 *
 * Integers become value / 2^(bits - 1), as libsndfile and torchaudio give them; floats stay as they are, also
 * outside [-1, 1].
 *
 * @param fromFrame @param toFrame samples of each channel, counted from the start of the recording
 * @throws VoxlaneError `audio-decode` where the file cannot be read any more
 */
export async function* readWav(
  source: Blob,
  header: WavHeader,
  fromFrame: number,
  toFrame: number,
): AsyncGenerator<PlanarBlock, void, undefined> {
  const frameBytes = header.channels * header.sampleBytes;
  const blockFrames = Math.min(MOST_BLOCK_FRAMES, Math.max(1, Math.floor(BLOCK_BYTES / frameBytes)));
  const end = Math.min(toFrame, header.heldFrames);
  for (let startFrame = fromFrame; startFrame < end; startFrame += blockFrames) {
    const frames = Math.min(blockFrames, end - startFrame);
    const start = header.dataStart + startFrame * frameBytes;
    const bytes = await readBytes(source, start, start + frames * frameBytes);
    yield { startFrame, channels: splitChannels(bytes, header, frames) };
  }
}

function splitChannels(bytes: DataView, header: WavHeader, frames: number): Float32Array[] {
  const { channels, sampleBytes, littleEndian } = header;
  const read = sampleReader(header.encoding, sampleBytes, littleEndian);
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(frames);
    const stride = channels * sampleBytes;
    for (let i = 0, at = channel * sampleBytes; i < frames; i++, at += stride) samples[i] = read(bytes, at);
    return samples;
  });
}

type SampleReader = (bytes: DataView, at: number) => number;

function sampleReader(encoding: WavEncoding, sampleBytes: number, littleEndian: boolean): SampleReader {
  switch (encoding) {
    case 'float':
      return sampleBytes === 8
        ? (bytes, at) => bytes.getFloat64(at, littleEndian)
        : (bytes, at) => bytes.getFloat32(at, littleEndian);
    case 'a-law':
      return (bytes, at) => A_LAW[bytes.getUint8(at)]!;
    case 'mu-law':
      return (bytes, at) => MU_LAW[bytes.getUint8(at)]!;
    case 'integer':
      return integerReader(sampleBytes, littleEndian);
  }
}

function integerReader(sampleBytes: number, littleEndian: boolean): SampleReader {
  switch (sampleBytes) {
    case 1:
      // The only unsigned ones.
      return (bytes, at) => (bytes.getUint8(at) - 0x80) / 0x80;
    case 2:
      return (bytes, at) => bytes.getInt16(at, littleEndian) / 0x8000;
    case 3:
      return littleEndian
        ? (bytes, at) => (bytes.getInt8(at + 2) * 0x1_0000 + bytes.getUint16(at, true)) / 0x80_0000
        : (bytes, at) => (bytes.getInt8(at) * 0x1_0000 + bytes.getUint16(at + 1, false)) / 0x80_0000;
    default:
      return (bytes, at) => bytes.getInt32(at, littleEndian) / 0x8000_0000;
  }
}

/** ITU-T G.711, both laws, as value / 32768 for each code. */
const A_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (bits & 0x80 ? magnitude : -magnitude) / 0x8000;
});

const MU_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? -magnitude : magnitude) / 0x8000;
});
