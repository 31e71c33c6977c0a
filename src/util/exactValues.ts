/** Values of a type that float32 does not hold in full, in an array of that type. */
export type ExactValues = Float64Array | BigInt64Array | BigUint64Array | Int32Array | Uint32Array;

/** Whether an array is of a type that float32 does not hold in full. */
export const isExactArray = (data: unknown): data is ExactValues =>
  data instanceof Float64Array ||
  data instanceof BigInt64Array ||
  data instanceof BigUint64Array ||
  data instanceof Int32Array ||
  data instanceof Uint32Array;

export const isBigArray = (data: unknown): data is BigInt64Array | BigUint64Array =>
  data instanceof BigInt64Array || data instanceof BigUint64Array;

/** Whether float32 changes one of the values. @param rounded the same as float32 */
export function losesValues(exact: ExactValues, rounded: Float32Array): boolean {
  if (isBigArray(exact)) return exact.some((value, index) => BigInt(rounded[index]!) !== value);
  return (exact as Float64Array).some((value, index) => !Object.is(value, rounded[index]) && value !== rounded[index]);
}

/** The values as numbers, for measures in float64; whole numbers beyond 2^53 are rounded. */
export const numbersOf = (values: Float32Array | ExactValues): Float32Array | Float64Array | Int32Array | Uint32Array =>
  isBigArray(values) ? Float64Array.from(values as BigInt64Array, Number) : values;

/** The first value that the integer type `dtype` (`int8`, `uint64`) cannot hold; undefined if it holds all, or is not an integer type. */
export function firstUnfit(dtype: string, values: Float32Array | ExactValues): number | bigint | undefined {
  const [, unsigned, bits] = /^(u?)int(\d+)$/.exec(dtype) ?? [];
  if (bits === undefined) return undefined;
  const size = 2n ** BigInt(bits);
  const min = unsigned ? 0n : -size / 2n;
  // A BigInt and a number are compared without rounding.
  return (values as Float64Array).find((value: number | bigint) => !(value >= min && value < min + size && Number.isInteger(Number(value))));
}
