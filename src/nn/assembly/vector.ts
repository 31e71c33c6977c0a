/** Vectors of four float32, shared by the kernels. */

/** Four float32. */
export const VECTOR_BYTES: usize = 16;

/**
 * `a · b + c`, rounded once if the browser has relaxed SIMD and the processor has such an instruction. A sum of a
 * thousand products then takes half the instructions and is more accurate.
 */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** The maximum of `a` and 0. NaN is preserved, so it is detected in the output. */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
export function rectify(a: v128): v128 {
  return f32x4.pmax(a, f32x4.splat(0));
}

/** A field of a parameter block: see parameters.ts. */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
export function field<T>(block: usize, index: i32): T {
  return load<T>(block + (<usize>index << 2));
}
