/**
 * Floating point formats of a byte and less, widened to float32, which holds every value of each.
 *
 * Formats of a byte: Micikevicius et al., "FP8 Formats for Deep Learning" (2022). The `fnuz` formats have no negative zero
 * and no infinities (Noune et al., "8-bit Numerical Formats for Deep Neural Networks", 2022). `float8e8m0` and
 * `float4e2m1`: Open Compute Project, Microscaling Formats 1.0.
 */

/** A sign bit, exponent bits and mantissa bits, in this order. */
interface Format {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /**
   * - `infinity`: the greatest exponent means infinity or NaN, as in IEEE 754
   * - `allOnes`: NaN if every bit of exponent and mantissa is set
   * - `negativeZero`: NaN in the place of a negative zero
   * - `none`: every code is a number
   */
  readonly special: 'infinity' | 'allOnes' | 'negativeZero' | 'none';
}

export type SmallFloat = 'float8e4m3fn' | 'float8e4m3fnuz' | 'float8e5m2' | 'float8e5m2fnuz' | 'float8e8m0' | 'float4e2m1';

const FORMATS: Readonly<Record<Exclude<SmallFloat, 'float8e8m0'>, Format>> = {
  float8e4m3fn: { exponentBits: 4, mantissaBits: 3, bias: 7, special: 'allOnes' },
  float8e4m3fnuz: { exponentBits: 4, mantissaBits: 3, bias: 8, special: 'negativeZero' },
  float8e5m2: { exponentBits: 5, mantissaBits: 2, bias: 15, special: 'infinity' },
  float8e5m2fnuz: { exponentBits: 5, mantissaBits: 2, bias: 16, special: 'negativeZero' },
  float4e2m1: { exponentBits: 2, mantissaBits: 1, bias: 1, special: 'none' },
};

/** Value of the exponent's code 0 in `float8e8m0`, which has neither sign nor mantissa. */
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

/** Codes of a byte each as float32. */
export function float8ToFloat32(bytes: Uint8Array, name: SmallFloat): Float32Array {
  const table = smallFloatTable(name);
  return Float32Array.from(bytes, (code) => table[code]!);
}
