/** Rounds float32 to IEEE 754 binary16. Implemented here, because some supported browsers lack `Float16Array`. */

/** Position of the exponent in float32, and the difference of the two exponent biases there. */
const EXPONENT_BITS = 23;
const BIAS_DIFFERENCE = (127 - 15) << EXPONENT_BITS;
/** Mantissa bits that float16 lacks. */
const LOST_BITS = 13;
const INFINITY_BITS = 0x7f80_0000;
/** 65520, halfway between the greatest float16 and the next power of two: the smallest value that rounds to infinity. */
const OVERFLOW_BITS = 0x477f_f000;
/** 2^-14, the smallest normal float16. */
const NORMAL_BITS = 0x3880_0000;

const HALF_INFINITY = 0x7c00;
const HALF_NAN = 0x7e00;

/** Rounded values. */
export interface Rounded {
  /** Bit patterns, one per value. */
  readonly bits: Uint16Array<ArrayBuffer>;
  /** Index of the first finite value that float16 cannot represent, because it rounds to infinity; -1 if there is none. */
  readonly overflowIndex: number;
}

/** Rounds each value to the nearest float16, and a value in the middle to the even one. NaN and infinity stay. */
export function roundToFloat16(values: Float32Array): Rounded {
  const bits32 = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  let overflowIndex = -1;
  for (let index = 0; index < bits.length; index++) {
    const value = bits32[index]!;
    const magnitude = value & 0x7fff_ffff;
    const sign = (value >>> 16) & 0x8000;
    if (overflowIndex < 0 && magnitude >= OVERFLOW_BITS && magnitude < INFINITY_BITS) overflowIndex = index;
    bits[index] = sign | roundMagnitude(magnitude);
  }
  return { bits, overflowIndex };
}

/** @param magnitude bits of a float32 without its sign */
function roundMagnitude(magnitude: number): number {
  if (magnitude > INFINITY_BITS) return HALF_NAN;
  if (magnitude >= OVERFLOW_BITS) return HALF_INFINITY;
  // A carry out of the mantissa increments the exponent, which is right.
  if (magnitude >= NORMAL_BITS) return shiftHalfEven(magnitude - BIAS_DIFFERENCE, LOST_BITS);
  // A multiple of 2^-24: the mantissa with its leading 1, shifted by the exponent.
  const mantissa = (magnitude & 0x7f_ffff) | 0x80_0000;
  const shift = 126 - (magnitude >>> EXPONENT_BITS);
  return shift > 24 ? 0 : shiftHalfEven(mantissa, shift);
}

/** `value` / 2^`shift`, rounded to the nearest integer, halves to the even one. */
function shiftHalfEven(value: number, shift: number): number {
  const quotient = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (quotient & 1) === 1) ? quotient + 1 : quotient;
}
