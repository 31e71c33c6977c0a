import { BYTES_PER_ELEMENT, type ElementType } from '../../util/elementTypes';
import {
  bfloat16ToFloat32,
  type ExactValues,
  float8ToFloat32,
  halfToFloat32,
  losesValues,
} from '../../util/numberTypes';

/** Float32 values, and what the conversion lost. */
interface Float32Values {
  readonly data: Float32Array;
  /** Clauses without a period, for the user; empty if float32 holds every value exactly or nearly exactly. */
  readonly notes: readonly string[];
}

type Float8 = Extract<ElementType, `float8${string}`>;

type ReadElement = (view: DataView, at: number, littleEndian: boolean) => number;

/** Integer types and float64; other floats are converted bitwise. */
const READERS: Readonly<Record<Exclude<ElementType, Float8 | 'float16' | 'bfloat16' | 'float32'>, ReadElement>> = {
  bool: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  int8: (view, at) => view.getInt8(at),
  int16: (view, at, littleEndian) => view.getInt16(at, littleEndian),
  int32: (view, at, littleEndian) => view.getInt32(at, littleEndian),
  int64: (view, at, littleEndian) => Number(view.getBigInt64(at, littleEndian)),
  uint8: (view, at) => view.getUint8(at),
  uint16: (view, at, littleEndian) => view.getUint16(at, littleEndian),
  uint32: (view, at, littleEndian) => view.getUint32(at, littleEndian),
  uint64: (view, at, littleEndian) => Number(view.getBigUint64(at, littleEndian)),
  float64: (view, at, littleEndian) => view.getFloat64(at, littleEndian),
};

const EXACT: Partial<Record<ElementType, (buffer: ArrayBuffer) => ExactValues>> = {
  float64: (buffer) => new Float64Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  uint64: (buffer) => new BigUint64Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  uint32: (buffer) => new Uint32Array(buffer),
};

/**
 * Returns the values in their own type if float32 rounds one of them; else null.
 *
 * @param bytes whole values, at any alignment
 * @param data the same values as float32
 */
export function exactValues(bytes: Uint8Array, type: ElementType, data: Float32Array, littleEndian = true): ExactValues | null {
  const make = EXACT[type];
  if (!make) return null;
  // A copy, because a typed array must begin at a multiple of its element size.
  const exact = make(new Uint8Array(toLittleEndian(bytes, type, littleEndian)).buffer);
  return losesValues(exact, data) ? exact : null;
}

/**
 * Converts values of any type to float32.
 *
 * @param bytes whole values, at any alignment
 */
export function toFloat32(bytes: Uint8Array, type: ElementType, littleEndian = true): Float32Values {
  switch (type) {
    case 'float32':
      return { data: float32Of(bytes, littleEndian), notes: [] };
    case 'float16':
      return {
        data: halfToFloat32(bytes, littleEndian),
        notes: ['holds float16: each value is rounded to 11 bits, by up to 0.05 %'],
      };
    case 'bfloat16':
      return {
        data: bfloat16ToFloat32(bytes, littleEndian),
        notes: ['holds bfloat16: each value is rounded to 8 bits, by up to 0.4 %'],
      };
    case 'float8e4m3fn':
    case 'float8e4m3fnuz':
      return { data: float8ToFloat32(bytes, type), notes: [`holds ${type}: each value is rounded to 4 bits, by up to 6 %`] };
    case 'float8e5m2':
    case 'float8e5m2fnuz':
      return { data: float8ToFloat32(bytes, type), notes: [`holds ${type}: each value is rounded to 3 bits, by up to 13 %`] };
    case 'float8e8m0':
      return { data: float8ToFloat32(bytes, type), notes: ['holds float8e8m0: each value is rounded to a power of two, by up to 50 %'] };
    default:
      return narrow(bytes, type, littleEndian);
  }
}

/** Converts each value to little-endian byte order. Returns the same array if nothing changes. */
export function toLittleEndian(bytes: Uint8Array, type: ElementType, littleEndian: boolean): Uint8Array {
  const size = BYTES_PER_ELEMENT[type];
  if (littleEndian || size === 1) return bytes;
  const swapped = new Uint8Array(bytes);
  for (let start = 0; start < swapped.length; start += size) swapped.subarray(start, start + size).reverse();
  return swapped;
}

function float32Of(bytes: Uint8Array, littleEndian: boolean): Float32Array {
  // A copy, because a typed array must begin at a multiple of its element size. `slice` would return a view if the bytes
  // are a Node Buffer.
  return new Float32Array(new Uint8Array(toLittleEndian(bytes, 'float32', littleEndian)).buffer);
}

function narrow(bytes: Uint8Array, type: keyof typeof READERS, littleEndian: boolean): Float32Values {
  const read = READERS[type];
  const size = BYTES_PER_ELEMENT[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float32Array(bytes.length / size);
  for (let index = 0; index < data.length; index++) data[index] = read(view, index * size, littleEndian);
  // `exactValues` keeps what float32 rounds.
  return { data, notes: [] };
}

/** One tensor of a file that holds named tensors. */
export interface CheckpointTensor {
  readonly name: string;
  /** Type name in the file: `F16`, `<f4`. */
  readonly dtype: string;
  /** Null if the values cannot be converted to float32. */
  readonly type: ElementType | null;
  readonly shape: readonly number[];
  /**
   * The values, row-major and little-endian: a view of the file if it has this layout. Empty if they are not in the file.
   */
  readonly bytes: Uint8Array;
  /** What is wrong with this tensor's position in the file, as a clause without a period; null if nothing is wrong. */
  readonly problem: string | null;
  /** True if the length of `bytes` matches shape and type. */
  readonly isReadable: boolean;
  /** Converted on each call; null if the tensor is not readable. */
  values(): Float32Array | null;
}

/** A tensor with lazy conversion: an audit only hashes the bytes of most tensors. */
export function checkpointTensor(parts: Omit<CheckpointTensor, 'values'>): CheckpointTensor {
  const { type, bytes, isReadable } = parts;
  return { ...parts, values: () => (isReadable && type !== null ? toFloat32(bytes, type).data : null) };
}
