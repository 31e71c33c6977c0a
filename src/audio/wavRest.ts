/** What follows the samples of a WAV file: other chunks, or bytes that the header does not account for. */
import { readBytes } from './readBytes';

/** Limits the work on a damaged file. */
const MOST_CHUNKS = 1000;
const SEARCHED_BYTES = 1 << 20;
/** A shorter rest is padding or a damaged chunk. */
const LEAST_BYTES = 16;
const ID3V1_BYTES = 128;

/** The bytes after the samples. */
export interface WavRest {
  /** Bytes directly after the samples that belong to no chunk. */
  readonly unnamedBytes: number;
  /** Bytes in further chunks of samples. */
  readonly furtherDataBytes: number;
}

const NOTHING: WavRest = { unnamedBytes: 0, furtherDataBytes: 0 };

/**
 * Looks at what follows the samples. Zeros, and tags that other formats put at the end, count as nothing.
 *
 * @param start offset after the samples
 * @throws VoxlaneError `audio-decode` if the file can no longer be read
 */
export async function readWavRest(source: Blob, start: number, littleEndian: boolean): Promise<WavRest> {
  if (source.size - start < LEAST_BYTES) return NOTHING;
  let position = await chunkAfter(source, start, littleEndian);
  if (position === null) {
    const isEmpty = (await endsWithTag(source, start)) || (await isZero(source, start));
    return isEmpty ? NOTHING : { unnamedBytes: source.size - start, furtherDataBytes: 0 };
  }
  let furtherDataBytes = 0;
  for (let seen = 0; seen < MOST_CHUNKS && position !== null; seen++) {
    const header = await readBytes(source, position, position + 8);
    const size = header.getUint32(4, littleEndian);
    if (text(header) === 'data') furtherDataBytes += Math.min(size, source.size - position - 8);
    position = await chunkAfter(source, position + 8 + size, littleEndian);
  }
  return { unnamedBytes: 0, furtherDataBytes };
}

/** Offset of the chunk that starts here. A chunk of odd size is padded, but not by every writer. */
async function chunkAfter(source: Blob, start: number, littleEndian: boolean): Promise<number | null> {
  const order = start % 2 === 1 ? [start + 1, start] : [start];
  for (const at of order) {
    if (at + 8 > source.size) continue;
    const header = await readBytes(source, at, at + 8);
    const name = text(header);
    const end = at + 8 + header.getUint32(4, littleEndian);
    // Samples rarely look like a name, and hardly ever have a size after it that fits. The last chunk may be truncated.
    if (/^[\x20-\x7e]{4}$/.test(name) && end <= source.size) return at;
    if (/^[A-Za-z_][A-Za-z0-9_ ]{3}$/.test(name)) return at;
  }
  return null;
}

async function endsWithTag(source: Blob, start: number): Promise<boolean> {
  return source.size - start <= ID3V1_BYTES + 1 && text(await readBytes(source, source.size - ID3V1_BYTES, source.size)).startsWith('TAG');
}

async function isZero(source: Blob, start: number): Promise<boolean> {
  for (let at = start; at < source.size; at += SEARCHED_BYTES) {
    const bytes = new Uint8Array((await readBytes(source, at, at + SEARCHED_BYTES)).buffer);
    if (bytes.some((byte) => byte !== 0)) return false;
  }
  return true;
}

function text(view: DataView): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset, Math.min(4, view.byteLength)));
}
