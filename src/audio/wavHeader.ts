/** Reads the header of a WAV file and checks it against the file. */
import { VoxlaneError } from '../util/errors';
import { wavFormatName } from './codecNames';
import { readBytes } from './containers/byteReader';
import { MIN_SAMPLE_RATE, MAX_SAMPLE_RATE } from './types';
import { HOST } from '../util/host';

/** Limits the work on a damaged file. */
const MAX_LATER_CHUNKS = 1000;
const SEARCHED_BYTES = 1 << 20;
/** A shorter remainder is padding or a damaged chunk. */
const MIN_BYTES = 16;
const ID3V1_BYTES = 128;

/** The bytes after the samples of a WAV file: other chunks, or bytes that the header does not account for. */
interface WavRest {
  /** Bytes directly after the samples that belong to no chunk. */
  readonly unnamedBytes: number;
  /** Bytes in further chunks of samples. */
  readonly furtherDataBytes: number;
}

const NOTHING: WavRest = { unnamedBytes: 0, furtherDataBytes: 0 };

/**
 * Examines the bytes after the samples. Zeros, and tags that other formats add at the end, are ignored.
 *
 * @param start offset after the samples
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
async function readWavRest(source: Blob, start: number, littleEndian: boolean): Promise<WavRest> {
  if (source.size - start < MIN_BYTES) return NOTHING;
  let position = await chunkAfter(source, start, littleEndian);
  if (position === null) {
    const isEmpty = (await endsWithTag(source, start)) || (await isZero(source, start));
    return isEmpty ? NOTHING : { unnamedBytes: source.size - start, furtherDataBytes: 0 };
  }
  let furtherDataBytes = 0;
  for (let seen = 0; seen < MAX_LATER_CHUNKS && position !== null; seen++) {
    const header = await readBytes(source, position, position + 8);
    const size = header.getUint32(4, littleEndian);
    if (asText(header) === 'data') furtherDataBytes += Math.min(size, source.size - position - 8);
    position = await chunkAfter(source, position + 8 + size, littleEndian);
  }
  return { unnamedBytes: 0, furtherDataBytes };
}

/** Offset of the chunk at `start`. A chunk of odd size is padded, but some writers omit the padding. */
async function chunkAfter(source: Blob, start: number, littleEndian: boolean): Promise<number | null> {
  const order = start % 2 === 1 ? [start + 1, start] : [start];
  for (const at of order) {
    if (at + 8 > source.size) continue;
    const header = await readBytes(source, at, at + 8);
    const name = asText(header);
    const end = at + 8 + header.getUint32(4, littleEndian);
    // Samples rarely look like a name, and are almost never followed by a valid size. The last chunk may be
    // truncated.
    if (/^[\x20-\x7e]{4}$/.test(name) && end <= source.size) return at;
    if (/^[A-Za-z_][A-Za-z0-9_ ]{3}$/.test(name)) return at;
  }
  return null;
}

async function endsWithTag(source: Blob, start: number): Promise<boolean> {
  return source.size - start <= ID3V1_BYTES + 1 && asText(await readBytes(source, source.size - ID3V1_BYTES, source.size)).startsWith('TAG');
}

async function isZero(source: Blob, start: number): Promise<boolean> {
  for (let at = start; at < source.size; at += SEARCHED_BYTES) {
    const bytes = new Uint8Array((await readBytes(source, at, at + SEARCHED_BYTES)).buffer);
    if (bytes.some((byte) => byte !== 0)) return false;
  }
  return true;
}

function asText(view: DataView): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset, Math.min(4, view.byteLength)));
}

/** Storage format of one sample of one channel. */
export type WavEncoding = 'integer' | 'float' | 'a-law' | 'mu-law';

/** The header of a WAV file, checked against the file. */
export interface WavHeader {
  readonly encoding: WavEncoding;
  readonly channels: number;
  readonly sampleRate: number;
  /** Bytes of one sample of one channel. Samples with fewer bits are left-justified. */
  readonly sampleBytes: number;
  readonly littleEndian: boolean;
  /** Offset of the first sample in the file. */
  readonly dataStart: number;
  /** Samples per channel that the file contains. */
  readonly heldFrames: number;
  /** Samples per channel that the header declares; `heldFrames` if it declares none. */
  readonly promisedFrames: number;
  /** The header's data size if it is a placeholder or too small; otherwise null. */
  readonly ignoredBytes: number | null;
  /** Bytes after the samples that belong to no other chunk, or to further samples. */
  readonly skippedBytes: number;
  /** Offset after the data chunk; null if the header's size is a placeholder or too large. */
  readonly dataEnd: number | null;
}

const MAX_CHANNELS = 32;
/** No recorder writes more chunks before the samples. The limit bounds the work on damaged files. */
const MAX_CHUNKS = 1000;
const ENCODINGS: Readonly<Record<number, WavEncoding>> = { 1: 'integer', 3: 'float', 6: 'a-law', 7: 'mu-law' };
const ALLOWED_BYTES: Readonly<Record<WavEncoding, readonly number[]>> = {
  integer: [1, 2, 3, 4],
  float: [4, 8],
  'a-law': [1],
  'mu-law': [1],
};
const EXTENSIBLE = 0xfffe;
/**
 * Sizes from writers that cannot go back and fill in the actual size: ffmpeg and most others, SoX, arecord. The
 * samples then extend to the end of the file.
 */
const PLACEHOLDER_SIZES = new Set([0xffff_ffff, 0x7fff_ffff, 0x7fff_f000, 0x8000_0000]);
/**
 * At or above this value, a size that exceeds the file is also a placeholder if the file ends with a complete sample:
 * writers of streams use any large number (2,000,000,000, or some bytes below a power of two). The header of a
 * truncated file usually declares a smaller size; if not, the result has a note.
 */
const MIN_PLACEHOLDER_BYTES = 1e9;

/** Sizes have 32 bits, so the declared sizes of larger files are too small. */
const MAX_SIZE = 2 ** 32;

/** Whether the first bytes are those of a WAV file. */
export async function isWav(source: Blob): Promise<boolean> {
  const view = await read(source, 0, 12);
  return view.byteLength === 12 && RIFF_NAMES.has(text(view, 0)) && text(view, 8) === 'WAVE';
}

/** First four bytes of WAV files. */
export const RIFF_NAMES: ReadonlySet<string> = new Set(['RIFF', 'RIFX', 'RF64', 'BW64']);

/** Format tag of the samples if {@link readWavHeader} does not support it; otherwise null. */
export async function unknownWavTag(source: Blob): Promise<number | null> {
  const chunks = await findChunks(source);
  if (!chunks.format) return null;
  const tag = formatTag(chunks.format, chunks.littleEndian);
  return tag in ENCODINGS ? null : tag;
}

/**
 * Reads the header of a WAV file: RIFF, RIFX, RF64 or BW64, plain or `WAVE_FORMAT_EXTENSIBLE`.
 *
 * @throws VoxlaneError `audio-unsupported`, `audio-channels`, `audio-no-samples`
 */
export async function readWavHeader(source: Blob): Promise<WavHeader> {
  const { littleEndian, riffSize, longDataSize, format, data } = await findChunks(source);
  if (!format) {
    throw new VoxlaneError({
      code: 'audio-unsupported',
      problem: 'The WAV file has no complete "fmt " chunk, so the format of its samples is unknown',
      remedy: 'Save the recording again, for example as WAV with 16-bit PCM',
    });
  }
  const layout = readLayout(format, littleEndian);
  if (!data) {
    throw new VoxlaneError({
      code: 'audio-no-samples',
      problem: `The WAV file ends after ${source.size} bytes without a "data" chunk`,
    });
  }
  const held = source.size - data.start;
  const promised = promisedBytes(data.size, longDataSize, riffSize, source.size, held);
  const frameBytes = layout.channels * layout.sampleBytes;
  if (promised > held && promised >= MIN_PLACEHOLDER_BYTES && held > 0 && held % frameBytes === 0) {
    const heldFrames = held / frameBytes;
    const whole = { promisedFrames: heldFrames, heldFrames, ignoredBytes: promised, dataEnd: null, skippedBytes: 0 };
    return { ...layout, littleEndian, dataStart: data.start, ...whole };
  }
  const { unnamedBytes, furtherDataBytes } = await readWavRest(source, data.start + promised, littleEndian);
  // Some recorders do not update the size of the samples. The outer size then covers the file.
  if (unnamedBytes > 0 && (riffSize + 8 >= source.size || source.size >= MAX_SIZE)) {
    const heldFrames = Math.floor(held / frameBytes);
    const whole = { promisedFrames: heldFrames, heldFrames, ignoredBytes: promised, dataEnd: null, skippedBytes: 0 };
    return { ...layout, littleEndian, dataStart: data.start, ...whole };
  }
  const promisedFrames = Math.floor(promised / frameBytes);
  return {
    ...layout,
    littleEndian,
    dataStart: data.start,
    promisedFrames,
    heldFrames: Math.min(promisedFrames, Math.floor(held / frameBytes)),
    ignoredBytes: null,
    skippedBytes: unnamedBytes + furtherDataBytes,
    dataEnd: promised > held || (promised !== data.size && longDataSize === null) ? null : data.start + promised,
  };
}

function promisedBytes(
  size: number,
  longSize: number | null,
  riffSize: number,
  fileSize: number,
  held: number,
): number {
  if (longSize !== null && size === 0xffff_ffff) return longSize === 0 ? held : longSize;
  if (PLACEHOLDER_SIZES.has(size)) return size <= held ? size : held;
  // An interrupted recorder leaves a 0. The following bytes are other chunks, and the recording is really empty, only
  // if the outer size includes them.
  const followedByChunks = riffSize + 8 >= fileSize && !PLACEHOLDER_SIZES.has(riffSize);
  return size === 0 && !followedByChunks ? held : size;
}

function readLayout(
  format: DataView,
  littleEndian: boolean,
): Pick<WavHeader, 'encoding' | 'channels' | 'sampleRate' | 'sampleBytes'> {
  const tag = formatTag(format, littleEndian);
  const channels = format.getUint16(2, littleEndian);
  const sampleRate = format.getUint32(4, littleEndian);
  const blockBytes = format.getUint16(12, littleEndian);
  const bits = format.byteLength >= 16 ? format.getUint16(14, littleEndian) : 8;
  checkChannels(channels);
  const encoding = ENCODINGS[tag];
  const sampleBytes = bytesOfSample(format.getUint32(8, littleEndian) / sampleRate, blockBytes, bits, channels);
  if (!encoding || !ALLOWED_BYTES[encoding].includes(sampleBytes) || bits > sampleBytes * 8) {
    throw new VoxlaneError({
      code: 'audio-unsupported',
      problem: encoding
        ? `The WAV file stores its samples as format ${tag} with ${bits} bits in ${sampleBytes} bytes`
        : `The audio of the WAV file is ${wavFormatName(tag) ?? 'of an unknown codec'} (format ${tag}), which ${HOST} cannot decode`,
      expected: 'integers of 8 to 32 bits, floats of 32 or 64 bits, A-law or mu-law',
      remedy: 'Convert it, for example with "ffmpeg -i in.wav -c:a pcm_s16le out.wav"',
    });
  }
  checkSampleRate(sampleRate);
  return { encoding, channels, sampleRate, sampleBytes };
}

/** @param rateBytes bytes of all channels per time step, according to the byte rate */
function bytesOfSample(rateBytes: number, blockBytes: number, bits: number, channels: number): number {
  const least = Math.ceil(bits / 8);
  const isBlockWrong = rateBytes === least * channels && blockBytes !== rateBytes;
  // Otherwise the block size applies, because samples may have more bytes than their bits require.
  return !isBlockWrong && blockBytes > 0 && blockBytes % channels === 0 ? blockBytes / channels : least;
}

/** @throws VoxlaneError `audio-channels` unless 1 to 32 */
export function checkChannels(channels: number): void {
  if (channels >= 1 && channels <= MAX_CHANNELS) return;
  throw new VoxlaneError({
    code: 'audio-channels',
    problem: `The audio has ${channels} channels`,
    expected: `1 to ${MAX_CHANNELS}`,
  });
}

/** @throws VoxlaneError `audio-unsupported` if the rate is not an integer or out of range */
export function checkSampleRate(sampleRate: number): void {
  if (Number.isInteger(sampleRate) && sampleRate >= MIN_SAMPLE_RATE && sampleRate <= MAX_SAMPLE_RATE) return;
  throw new VoxlaneError({
    code: 'audio-unsupported',
    problem: `The audio has a sample rate of ${sampleRate} Hz`,
    expected: `${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE} Hz`,
  });
}

function formatTag(format: DataView, littleEndian: boolean): number {
  const tag = format.getUint16(0, littleEndian);
  // The sub-format, a GUID, starts with the actual tag.
  return tag === EXTENSIBLE && format.byteLength >= 26 ? format.getUint16(24, littleEndian) : tag;
}

interface Chunks {
  readonly littleEndian: boolean;
  readonly riffSize: number;
  /** Size of the data chunk in an RF64 file, which can exceed 32 bits. */
  longDataSize: number | null;
  format: DataView | null;
  data: { readonly start: number; readonly size: number } | null;
}

async function findChunks(source: Blob): Promise<Chunks> {
  const head = await read(source, 0, 12);
  const littleEndian = text(head, 0) !== 'RIFX';
  const chunks: Chunks = {
    littleEndian,
    riffSize: head.getUint32(4, littleEndian),
    longDataSize: null,
    format: null,
    data: null,
  };
  let position = 12;
  for (let seen = 0; seen < MAX_CHUNKS && position + 8 <= source.size && !chunks.data; seen++) {
    const header = await read(source, position, 8);
    const name = text(header, 0);
    const size = header.getUint32(4, littleEndian);
    const start = position + 8;
    if (name === 'fmt ') {
      const format = await read(source, start, Math.min(size, 40));
      if (format.byteLength >= 14) chunks.format = format;
    } else if (name === 'ds64' && size >= 16) {
      const sizes = await read(source, start, 16);
      if (sizes.byteLength === 16) chunks.longDataSize = Number(sizes.getBigUint64(8, littleEndian));
    } else if (name === 'data') {
      chunks.data = { start, size };
    }
    position = start + size + (size % 2);
  }
  return chunks;
}

function read(source: Blob, start: number, length: number): Promise<DataView> {
  return readBytes(source, start, start + length);
}

function text(view: DataView, offset: number): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + offset, 4));
}
