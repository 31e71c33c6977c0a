import { GGMLQuantizationType, gguf, type GGUFParseOutput } from '@huggingface/gguf';
import type { ElementType } from '../../util/elementTypes';
import { VoxlaneError } from '../../util/errors';
import { ownValue } from '../../util/values';
import { sizeOf } from '../tensor';
import { checkpointTensor, type CheckpointTensor, toLittleEndian } from './elements';

/** Number of values and bytes in one block. */
export interface Block {
  readonly numValues: number;
  readonly numBytes: number;
}

const block = (numValues: number, numBytes: number): Block => ({ numValues, numBytes });

/** Most quantized types use blocks of 32 values with one factor, or of 256 with several. */
const SMALL = 32;
const LARGE = 256;

/**
 * Block sizes of the types in files, as in `GGML_QUANT_SIZES` of llama.cpp's gguf-py. The library only provides type names,
 * and files only store where each tensor begins.
 */
export const BLOCKS: Partial<Record<string, Block>> = {
  F32: block(1, 4),
  F16: block(1, 2),
  BF16: block(1, 2),
  F64: block(1, 8),
  I8: block(1, 1),
  I16: block(1, 2),
  I32: block(1, 4),
  I64: block(1, 8),
  Q4_0: block(SMALL, 18),
  Q4_1: block(SMALL, 20),
  Q5_0: block(SMALL, 22),
  Q5_1: block(SMALL, 24),
  Q8_0: block(SMALL, 34),
  IQ4_NL: block(SMALL, 18),
  MXFP4: block(SMALL, 17),
  Q2_K: block(LARGE, 84),
  Q3_K: block(LARGE, 110),
  Q4_K: block(LARGE, 144),
  Q5_K: block(LARGE, 176),
  Q6_K: block(LARGE, 210),
  IQ1_S: block(LARGE, 50),
  IQ1_M: block(LARGE, 56),
  IQ2_XXS: block(LARGE, 66),
  IQ2_XS: block(LARGE, 74),
  IQ2_S: block(LARGE, 82),
  IQ3_XXS: block(LARGE, 98),
  IQ3_S: block(LARGE, 110),
  IQ4_XS: block(LARGE, 136),
  TQ1_0: block(LARGE, 54),
  TQ2_0: block(LARGE, 66),
};

/** The library reads from a URL. Nothing is fetched: it receives the bytes directly. */
const ADDRESS = 'https://file.invalid/checkpoint.gguf';
/** The library requests chunks of this size, and the next chunk slightly before it needs it. */
const CHUNK_BYTES = 2_000_000;
const DEFAULT_ALIGNMENT = 32;

const ELEMENT_TYPES: Partial<Record<string, ElementType>> = {
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
  I8: 'int8',
  I16: 'int16',
  I32: 'int32',
  I64: 'int64',
};

/** Position of a tensor, in bytes from the start of the file. */
interface Place {
  readonly name: string;
  readonly dtype: string;
  /** Row-major; the file stores the reverse order. */
  readonly shape: readonly number[];
  readonly start: number;
  /** Null for a type with unknown block size. */
  readonly numBytes: number | null;
}

/**
 * Reads the tensors of a `.gguf` file in file order. Their bytes are views of the file if it is little-endian. Quantized
 * tensors have bytes but no values.
 *
 * A tensor has a `problem` if it overlaps another, follows a gap, is misaligned or is incomplete.
 *
 * @param name file name for errors
 * @throws VoxlaneError `format` for another kind of file, or one that ends in its header
 */
export async function readGguf(bytes: Uint8Array, name: string): Promise<CheckpointTensor[]> {
  const header = await readHeader(bytes, name);
  const dataStart = Number(header.tensorDataOffset);
  // The library pads the last chunk with zeros and parses tensors from them beyond the end of the file.
  if (dataStart > bytes.length + DEFAULT_ALIGNMENT || header.tensorInfoByteRange[1] > bytes.length) {
    throw unreadable(name, `ends in its header, after ${bytes.length} bytes`);
  }
  const places = header.tensorInfos.map((info): Place => {
    const dtype = (GGMLQuantizationType as Partial<Record<number, string>>)[info.dtype] ?? `type ${info.dtype}`;
    const shape = info.shape.map(Number).reverse();
    const block = ownValue(BLOCKS, dtype);
    const start = dataStart + Number(info.offset);
    return { name: info.name, dtype, shape, start, numBytes: block ? bytesOf(shape, block) : null };
  });
  const alignment = Number((header.metadata as Record<string, unknown>)['general.alignment'] ?? DEFAULT_ALIGNMENT);
  const problems = placementProblems(places, dataStart, alignment, bytes.length);
  const ends = endsOf(places, bytes.length);
  return places.map((place) =>
    readTensor(place, ends.get(place)!, bytes, header.littleEndian, problems.get(place) ?? []),
  );
}

async function readHeader(bytes: Uint8Array, name: string): Promise<GGUFParseOutput> {
  const serve = (_address: unknown, init?: RequestInit): Promise<Response> => {
    const range = new Headers(init?.headers).get('range') ?? '';
    const [, start = 0, end = 0] = (/^bytes=(\d+)-(\d+)$/.exec(range) ?? []).map(Number);
    // The library may request one chunk more than it needs; beyond that, the header declares more than the file holds.
    if (start >= bytes.length + CHUNK_BYTES) throw new Error(`ends in its header, after ${bytes.length} bytes`);
    return Promise.resolve(new Response(new Uint8Array(bytes.subarray(start, end + 1))));
  };
  try {
    return await gguf(ADDRESS, { fetch: serve });
  } catch (cause) {
    throw unreadable(name, 'cannot be read as GGUF', cause);
  }
}

/** End of each tensor. For unknown types it is the start of the next tensor, including the padding between them. */
function endsOf(places: readonly Place[], fileBytes: number): Map<Place, number> {
  const ends = new Map<Place, number>();
  let next = fileBytes;
  let start = fileBytes;
  for (const place of places.toSorted((a, b) => b.start - a.start)) {
    if (place.start < start) [next, start] = [start, place.start];
    ends.set(place, place.numBytes === null ? next : place.start + place.numBytes);
  }
  return ends;
}

function readTensor(
  place: Place,
  end: number,
  bytes: Uint8Array,
  littleEndian: boolean,
  problems: readonly string[],
): CheckpointTensor {
  const { name, dtype, shape, start } = place;
  const type = ownValue(ELEMENT_TYPES, dtype) ?? null;
  const isReadable = start <= end && end <= bytes.length;
  const own = isReadable ? bytes.subarray(start, end) : new Uint8Array(0);
  return checkpointTensor({
    name,
    dtype,
    type,
    shape,
    bytes: type === null ? own : toLittleEndian(own, type, littleEndian),
    problem: problems.length === 0 ? null : problems.join('; '),
    isReadable,
  });
}

const bytesOf = (shape: readonly number[], { numValues, numBytes }: Block): number =>
  Math.ceil(sizeOf(shape) / numValues) * numBytes;

/** Finds misplaced tensors: each should begin at the end of the previous one, padded to the alignment. */
function placementProblems(
  places: readonly Place[],
  dataStart: number,
  alignment: number,
  fileBytes: number,
): Map<Place, string[]> {
  const problems = new Map<Place, string[]>(places.map((place) => [place, []]));
  let reached = dataStart;
  let last = 'the header';
  for (const place of places.toSorted((a, b) => a.start - b.start)) {
    const { name, dtype, shape, start, numBytes } = place;
    const found = problems.get(place)!;
    const end = start + (numBytes ?? 0);
    const expected = dataStart + Math.ceil((reached - dataStart) / alignment) * alignment;
    const { numValues = 1 } = ownValue(BLOCKS, dtype) ?? {};
    if ((shape.at(-1) ?? 1) % numValues !== 0) {
      found.push(`has rows of ${shape.at(-1) ?? 1} values, not a multiple of the ${numValues} of ${dtype}`);
    }
    if ((start - dataStart) % alignment !== 0) {
      found.push(`begins at byte ${start - dataStart} of the data, not a multiple of ${alignment}`);
    }
    if (end > fileBytes) found.push(`ends at byte ${end} of the file, which has ${fileBytes}`);
    if (start < reached && numBytes !== 0) {
      found.push(`shares ${Math.min(end, reached) - start} bytes with ${last}`);
    } else if (start > expected && last !== UNKNOWN) {
      found.push(`leaves a gap of ${start - reached} bytes after ${last}`);
    }
    if (numBytes === null) [reached, last] = [start, UNKNOWN];
    else if (end > reached) [reached, last] = [end, name];
  }
  return problems;
}

/** Placeholder name after a tensor of an unknown type: its end is unknown, so nothing after it counts as a gap. */
const UNKNOWN = '';

function unreadable(name: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'format',
      problem: `${name} ${found}`,
      expected: 'a whole .gguf file of version 1 to 3',
      remedy: 'Download or convert it again',
    },
    { cause },
  );
}
