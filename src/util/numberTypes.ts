/** Values of a type that float32 cannot represent exactly, in an array of that type. */
export type ExactValues = Float64Array | BigInt64Array | BigUint64Array | Int32Array | Uint32Array;

/** Whether an array has a type that float32 cannot represent exactly. */
export const isExactArray = (data: unknown): data is ExactValues =>
  data instanceof Float64Array ||
  data instanceof BigInt64Array ||
  data instanceof BigUint64Array ||
  data instanceof Int32Array ||
  data instanceof Uint32Array;

export const isBigArray = (data: unknown): data is BigInt64Array | BigUint64Array =>
  data instanceof BigInt64Array || data instanceof BigUint64Array;

/** Whether float32 changes any of the values. @param rounded the same values as float32 */
export function losesValues(exact: ExactValues, rounded: Float32Array): boolean {
  if (isBigArray(exact)) return exact.some((value, index) => BigInt(rounded[index]!) !== value);
  return (exact as Float64Array).some((value, index) => !Object.is(value, rounded[index]) && value !== rounded[index]);
}

/** The values as numbers, for measures in float64; integers above 2^53 are rounded. */
export const numbersOf = (values: Float32Array | ExactValues): Float32Array | Float64Array | Int32Array | Uint32Array =>
  isBigArray(values) ? Float64Array.from(values as BigInt64Array, Number) : values;

/**
 * The first value that the integer type `dtype` (`int8`, `uint64`) cannot represent; undefined if all values fit or
 * `dtype` is not an integer type.
 */
export function firstUnfit(dtype: string, values: Float32Array | ExactValues): number | bigint | undefined {
  const [, unsigned, bits] = /^(u?)int(\d+)$/.exec(dtype) ?? [];
  if (bits === undefined) return undefined;
  const size = 2n ** BigInt(bits);
  const min = unsigned ? 0n : -size / 2n;
  // Comparing a BigInt with a number does not round.
  return (values as Float64Array).find((value: number | bigint) => !(value >= min && value < min + size && Number.isInteger(Number(value))));
}

/**
 * The 16-bit floating-point formats, widened to float32, which represents all their values. Implemented here because
 * some supported browsers lack `Float16Array`, and it cannot read big-endian values.
 */

/** Exponent of infinity and NaN in half precision: all bits set. */
const HALF_EXPONENT = 0x1f;
/** Difference of the two formats' exponent biases: 127 - 15. */
const BIAS_SHIFT = 112;

/**
 * Converts IEEE half precision (1 sign, 5 exponent, 10 mantissa bits) to float32.
 *
 * @param bytes two per value, at any alignment; an odd byte at the end is ignored
 */
export function halfToFloat32(bytes: Uint8Array, littleEndian = true): Float32Array {
  return widen(bytes, littleEndian, (half) => {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & HALF_EXPONENT;
    const mantissa = half & 0x3ff;
    if (exponent === HALF_EXPONENT) return sign | 0x7f800000 | (mantissa << 13);
    if (exponent !== 0) return sign | ((exponent + BIAS_SHIFT) << 23) | (mantissa << 13);
    if (mantissa === 0) return sign;
    // Subnormal in half precision but not in float32: the leading bit moves from the mantissa to the exponent.
    const shift = Math.clz32(mantissa) - 21;
    return sign | ((BIAS_SHIFT + 1 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
  });
}

/**
 * Converts bfloat16 to float32. bfloat16 is the upper half of a float32.
 *
 * @param bytes two per value, at any alignment; an odd byte at the end is ignored
 */
export function bfloat16ToFloat32(bytes: Uint8Array, littleEndian = true): Float32Array {
  return widen(bytes, littleEndian, (upper) => upper << 16);
}

/** @param bitsOf converts 16 bits to the bits of the float32 */
function widen(bytes: Uint8Array, littleEndian: boolean, bitsOf: (bits: number) => number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Written as bits, so a NaN keeps its payload.
  const bits = new Int32Array(bytes.length >> 1);
  for (let index = 0; index < bits.length; index++) bits[index] = bitsOf(view.getUint16(2 * index, littleEndian));
  return new Float32Array(bits.buffer);
}

/**
 * Floating-point formats of at most one byte, widened to float32, which represents all their values.
 *
 * One-byte formats: Micikevicius et al., "FP8 Formats for Deep Learning" (2022). The `fnuz` formats have no negative
 * zero and no infinities (Noune et al., "8-bit Numerical Formats for Deep Neural Networks", 2022). `float8e8m0` and
 * `float4e2m1`: Open Compute Project, Microscaling Formats 1.0.
 */

/** A sign bit, exponent bits and mantissa bits, in this order. */
interface Format {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /**
   * - `infinity`: the maximum exponent means infinity or NaN, as in IEEE 754
   * - `allOnes`: NaN if all bits of exponent and mantissa are set
   * - `negativeZero`: NaN in place of a negative zero
   * - `none`: every code is a number
   */
  readonly special: 'infinity' | 'allOnes' | 'negativeZero' | 'none';
}

type SmallFloat = 'float8e4m3fn' | 'float8e4m3fnuz' | 'float8e5m2' | 'float8e5m2fnuz' | 'float8e8m0' | 'float4e2m1';

const FORMATS: Readonly<Record<Exclude<SmallFloat, 'float8e8m0'>, Format>> = {
  float8e4m3fn: { exponentBits: 4, mantissaBits: 3, bias: 7, special: 'allOnes' },
  float8e4m3fnuz: { exponentBits: 4, mantissaBits: 3, bias: 8, special: 'negativeZero' },
  float8e5m2: { exponentBits: 5, mantissaBits: 2, bias: 15, special: 'infinity' },
  float8e5m2fnuz: { exponentBits: 5, mantissaBits: 2, bias: 16, special: 'negativeZero' },
  float4e2m1: { exponentBits: 2, mantissaBits: 1, bias: 1, special: 'none' },
};

/** Value of exponent code 0 in `float8e8m0`, which has neither sign nor mantissa. */
const E8M0_LEAST = -127;
const E8M0_NAN = 0xff;

/** The value of each code of a format. */
export function smallFloatTable(name: SmallFloat): Float32Array {
  if (name === 'float8e8m0') return Float32Array.from({ length: 256 }, (_, code) => (code === E8M0_NAN ? NaN : 2 ** (code + E8M0_LEAST)));
  const format = FORMATS[name];
  return Float32Array.from({ length: 2 ** (1 + format.exponentBits + format.mantissaBits) }, (_, code) => valueOf(code, format));
}

function valueOf(code: number, { exponentBits, mantissaBits, bias, special }: Format): number {
  const signCode = 2 ** (exponentBits + mantissaBits);
  const sign = code >= signCode ? -1 : 1;
  const exponent = (code % signCode) >> mantissaBits;
  const mantissa = code % 2 ** mantissaBits;
  const isLastExponent = exponent === 2 ** exponentBits - 1;
  if (special === 'negativeZero' && code === signCode) return NaN;
  if (special === 'infinity' && isLastExponent) return mantissa === 0 ? sign * Infinity : NaN;
  if (special === 'allOnes' && isLastExponent && mantissa === 2 ** mantissaBits - 1) return NaN;
  const fraction = mantissa / 2 ** mantissaBits;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

/** Converts codes of one byte each to float32. */
export function float8ToFloat32(bytes: Uint8Array, name: SmallFloat): Float32Array {
  const table = smallFloatTable(name);
  return Float32Array.from(bytes, (code) => table[code]!);
}
