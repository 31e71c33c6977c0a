/**
 * The two 16-bit floating point formats, widened to float32, which holds every value of either. By hand, because
 * `Float16Array` is younger than the browsers this runs in and does not read big-endian values.
 */

/** Infinity and NaN in half precision: every bit of the exponent. */
const HALF_EXPONENT = 0x1f;
/** Difference of the two formats' exponent biases: 127 - 15. */
const BIAS_SHIFT = 112;

/**
 * IEEE half precision (1 sign, 5 exponent, 10 mantissa bits) as float32.
 *
 * @param bytes two for each value, at any alignment; an odd one at the end is not read
 */
export function halfToFloat32(bytes: Uint8Array, littleEndian = true): Float32Array {
  return widen(bytes, littleEndian, (half) => {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & HALF_EXPONENT;
    const mantissa = half & 0x3ff;
    if (exponent === HALF_EXPONENT) return sign | 0x7f800000 | (mantissa << 13);
    if (exponent !== 0) return sign | ((exponent + BIAS_SHIFT) << 23) | (mantissa << 13);
    if (mantissa === 0) return sign;
    // Subnormal in half precision, but not in float32: the leading bit moves out of the mantissa into the exponent.
    const shift = Math.clz32(mantissa) - 21;
    return sign | ((BIAS_SHIFT + 1 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
  });
}

/**
 * bfloat16 as float32, whose upper half it is.
 *
 * @param bytes two for each value, at any alignment; an odd one at the end is not read
 */
export function bfloat16ToFloat32(bytes: Uint8Array, littleEndian = true): Float32Array {
  return widen(bytes, littleEndian, (upper) => upper << 16);
}

/** @param bitsOf the bits of the float32 that stands for 16 bits */
function widen(bytes: Uint8Array, littleEndian: boolean, bitsOf: (bits: number) => number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Written as bits, so that a NaN keeps its payload.
  const bits = new Int32Array(bytes.length >> 1);
  for (let index = 0; index < bits.length; index++) bits[index] = bitsOf(view.getUint16(2 * index, littleEndian));
  return new Float32Array(bits.buffer);
}
