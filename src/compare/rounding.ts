/** Rounding of weights to types of fewer bits. */

/** Bits after the point of float16 and bfloat16. */
const FLOAT16_BITS = 10;
const BFLOAT16_BITS = 7;
/** Least normal numbers. */
const FLOAT16_LEAST = 2 ** -14;
const BFLOAT16_LEAST = 2 ** -126;
/** From here on, float16 rounds to infinity. */
const FLOAT16_OVERFLOW = 65_520;
/** Steps of int8 on either side of zero: as onnxruntime, -128 is not used. */
const INT8_STEPS = 127;

/** Which values of a row-major tensor share a scale: value `i` is of the channel `floor(i / stride) % count`. */
export interface ChannelLayout {
  readonly stride: number;
  readonly count: number;
}

export const toFloat16 = (values: Float32Array): Float32Array =>
  values.map((value) => (Math.abs(value) >= FLOAT16_OVERFLOW ? Math.sign(value) * Infinity : toBits(value, FLOAT16_BITS, FLOAT16_LEAST)));

export const toBfloat16 = (values: Float32Array): Float32Array => values.map((value) => toBits(value, BFLOAT16_BITS, BFLOAT16_LEAST));

/**
 * Rounds to whole steps of the greatest value of each channel: `scale = max |value| / 127`, zero stays zero, halves go to the even
 * step. This is what onnxruntime does with `QInt8` weights if `per_channel=True`.
 */
export function toInt8(values: Float32Array, { stride, count }: ChannelLayout): Float32Array {
  const greatest = new Float64Array(count);
  const channelOf = (index: number): number => Math.floor(index / stride) % count;
  for (let index = 0; index < values.length; index++) {
    const channel = channelOf(index);
    greatest[channel] = Math.max(greatest[channel]!, Math.abs(values[index]!));
  }
  return values.map((value, index) => {
    const step = greatest[channelOf(index)]! / INT8_STEPS;
    return step > 0 ? toEven(value / step) * step : value;
  });
}

/** To the nearest number with so many bits after the point, to even in between. @param least normal number */
function toBits(value: number, bits: number, least: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(value), least)));
  const step = 2 ** (exponent - bits);
  return toEven(value / step) * step;
}

/** The nearest whole number, the even one of two. */
function toEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
