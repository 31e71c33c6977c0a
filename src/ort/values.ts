import { VoxlaneError } from '../util/errors';
import { firstUnfit, isBigArray, isExactArray, losesValues, numbersOf, type ExactValues } from '../util/exactValues';
import { halfToFloat32 } from '../util/float16';
import { ownValue } from '../util/ownValue';

/** A tensor of the runtime as far as it is needed here. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

type NumberArray = ArrayLike<number> & { readonly buffer: ArrayBufferLike };

/** Arrays that the runtime wants for each type of a graph's input. Half floats go in as their bits. */
const ARRAYS: Partial<Record<string, (values: ArrayLike<number>) => unknown>> = {
  float32: (values) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  float64: (values) => Float64Array.from(values),
  float16: (values) => Uint16Array.from(values, float32ToHalf),
  int8: (values) => Int8Array.from(values),
  uint8: (values) => Uint8Array.from(values),
  bool: (values) => Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)),
  int16: (values) => Int16Array.from(values),
  uint16: (values) => Uint16Array.from(values),
  int32: (values) => Int32Array.from(values),
  uint32: (values) => Uint32Array.from(values),
  int64: (values) => BigInt64Array.from(Array.from(values, (value) => BigInt(value))),
  uint64: (values) => BigUint64Array.from(Array.from(values, (value) => BigInt(value))),
};

/**
 * The values as an array that a tensor of `dtype` takes.
 *
 * @throws VoxlaneError `options` for a type that numbers cannot be given for, or numbers that an integer type cannot hold
 */
export function toRuntimeArray(dtype: string, values: Float32Array | ExactValues, name: string): unknown {
  const make = ownValue(ARRAYS, dtype);
  if (!make) throw unfit(name, `is of the type ${dtype}`, `one of ${Object.keys(ARRAYS).join(', ')}`);
  const unfitting = firstUnfit(dtype, values);
  if (unfitting !== undefined) throw unfit(name, `is ${dtype}, and has the value ${unfitting}`, 'whole numbers in the range of its type');
  if (isBigArray(values)) return dtype === 'int64' ? BigInt64Array.from(values) : dtype === 'uint64' ? BigUint64Array.from(values) : make(numbersOf(values));
  return make(values);
}

/**
 * The values of a tensor that the runtime gave, as float32 (whole numbers above 2^24 are rounded).
 *
 * @throws VoxlaneError `model-output` for strings
 */
export function fromRuntime({ type, data }: RuntimeTensor, name: string): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number);
  // Where the browser has Float16Array the runtime gives that, elsewhere the bits.
  if (type === 'float16' && data instanceof Uint16Array) {
    return halfToFloat32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), true);
  }
  if (type === 'string') {
    throw new VoxlaneError({
      code: 'model-output',
      problem: `The value ${name} holds strings`,
      expected: 'a value of numbers',
      remedy: 'Tap another value',
    });
  }
  return Float32Array.from(data as NumberArray);
}

/** The values in the runtime's own array, if float32 rounds one of them. @param rounded the same as float32 */
export function exactFromRuntime({ data }: RuntimeTensor, rounded: Float32Array): { readonly exact?: ExactValues } {
  return isExactArray(data) && losesValues(data, rounded) ? { exact: data.slice() } : {};
}

/** Bits of the nearest half float, ties to even, as IEEE 754 rounds. */
function float32ToHalf(value: number): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, value);
  const word = bits.getUint32(0);
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From the middle between the greatest half, 65504, and the next power of two on.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below half of the least subnormal nothing is left; below the least normal one the step is fixed.
  if (magnitude < 0x38800000) return sign | roundEven(Math.abs(value) * 2 ** 24);
  const shifted = magnitude - 0x38000000;
  return sign | ((shifted + 0x0fff + ((shifted >>> 13) & 1)) >>> 13);
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function unfit(name: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The graph's input ${name} ${found}`,
    expected,
    remedy: 'Give the input values of its type',
  });
}
