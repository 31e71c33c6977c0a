/** Four float32 at a time: what the kernels share. */

/** Four float32. */
export const VECTOR_BYTES: usize = 16;

/**
 * `a · b + c`, rounded once where the browser has relaxed SIMD and the processor such an instruction. The sum of a
 * thousand products then takes half as many instructions, and is the closer for it.
 */
// @ts-expect-error AssemblyScript's decorators stand on functions.
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** The greater of `a` and 0; NaN stays NaN, for it to be seen in the end. */
// @ts-expect-error AssemblyScript's decorators stand on functions.
@inline
export function rectify(a: v128): v128 {
  return f32x4.pmax(a, f32x4.splat(0));
}
