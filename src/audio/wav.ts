import { VoxlaneError } from '../util/errors';
import type { PlanarBlock } from './blocks';
import { ByteReader, hasText, readBytes } from './containers/byteReader';
import { isWav, readWavHeader, RIFF_NAMES, type WavEncoding, type WavHeader } from './wavHeader';

/** Limits the work on a damaged file. */
const MAX_PARTS = 10_000;
/** Maximum number of chunks after the samples to skip before the next file. */
const MAX_CHUNKS = 100;
const SEARCHED_BYTES = 1 << 20;
/** Offset of "WAVE" from the start of a WAV file. */
const NAME_OFFSET = 8;

/**
 * Finds the consecutive WAV files in a file.
 *
 * @returns the file itself if there is only one
 * @throws VoxlaneError `audio-decode` if the file can no longer be read, `audio-unsupported` for more than 10,000
 *   files
 */
export async function findWavParts(source: Blob): Promise<Blob[]> {
  const parts: Blob[] = [];
  let rest = source;
  for (let next = await nextFile(rest); next !== null; next = await nextFile(rest)) {
    parts.push(rest.slice(0, next));
    rest = rest.slice(next);
    if (parts.length === MAX_PARTS) throw tooMany();
  }
  return [...parts, rest];
}

function tooMany(): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-unsupported',
    problem: `The file contains more than ${MAX_PARTS} consecutive WAV files`,
    expected: `at most ${MAX_PARTS}`,
    remedy: 'Split the file, or join its recordings into one',
  });
}

/** Offset of the WAV file after the first; null if there is none, or if the first cannot be read. */
async function nextFile(source: Blob): Promise<number | null> {
  let dataStart: number;
  let dataEnd: number | null;
  let skippedBytes: number;
  try {
    ({ dataStart, dataEnd, skippedBytes } = await readWavHeader(source));
  } catch (thrown) {
    if (thrown instanceof VoxlaneError && thrown.code !== 'audio-decode') return null;
    throw thrown;
  }
  if (dataEnd === null) return searchFile(source, dataStart);
  return (await fileAfterChunks(source, dataEnd)) ?? (skippedBytes > 0 ? searchFile(source, dataEnd) : null);
}

async function fileAfterChunks(source: Blob, start: number): Promise<number | null> {
  let position = start;
  for (let seen = 0; seen < MAX_CHUNKS && position + 12 <= source.size; seen++) {
    // A chunk of odd size is padded, but some writers omit the padding.
    for (const at of [position, position + 1]) if (await isWav(source.slice(at))) return at;
    position += position % 2;
    const size = (await readBytes(source, position, position + 8)).getUint32(4, true);
    position += 8 + size;
  }
  return null;
}

/** Checks every byte. Samples do not contain these eight bytes by chance. */
async function searchFile(source: Blob, start: number): Promise<number | null> {
  const reader = new ByteReader(source);
  for (let at = start; at < source.size; at += SEARCHED_BYTES) {
    const bytes = await reader.read(at, SEARCHED_BYTES + NAME_OFFSET + 4);
    for (let i = bytes.indexOf(0x57, NAME_OFFSET); i >= 0; i = bytes.indexOf(0x57, i + 1)) {
      const name = i - NAME_OFFSET;
      if (hasText(bytes, i, 'WAVE') && RIFF_NAMES.has(String.fromCharCode(...bytes.subarray(name, name + 4)))) return at + name;
    }
  }
  return null;
}

const BLOCK_BYTES = 1 << 20;
/** The resampler's output grows with the number of samples, not with their bytes. */
const MAX_BLOCK_FRAMES = 1 << 18;

/**
 * Reads samples of a WAV file, about a megabyte at a time.
 *
 * Integers become value / 2^(bits - 1), as in libsndfile and torchaudio. Floats are not changed, even outside [-1,
 * 1].
 *
 * @param fromFrame in samples per channel, from the start of the recording
 * @param toFrame in samples per channel, from the start of the recording
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function* readWav(
  source: Blob,
  header: WavHeader,
  fromFrame: number,
  toFrame: number,
): AsyncGenerator<PlanarBlock, void, undefined> {
  const frameBytes = header.channels * header.sampleBytes;
  const blockFrames = Math.min(MAX_BLOCK_FRAMES, Math.max(1, Math.floor(BLOCK_BYTES / frameBytes)));
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
      // The only unsigned integers.
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
