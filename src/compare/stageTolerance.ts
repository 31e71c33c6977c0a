import type { Tolerance } from './compare';

/** What a caller asks every stage to be judged by, in place of what the bundle and the type of the values give. */
export interface ToleranceOverride {
  /** Greatest root mean square of the error, relative to that of the golden tensor. */
  readonly rtol?: number;
  /** Absolute error that passes `rtol` at any scale. */
  readonly atol?: number;
  /** Least cosine of the angle between the two tensors. */
  readonly cosine?: number;
}

/**
 * Relative tolerance by the coarsest type of the two sides.
 *
 * - float32 and float64: 1e-4. Rounding through the shipped models, up to 50 layers deep, reaches 1.0e-5 against PyTorch.
 *   The least of the faults that must not pass, GELU by tanh in place of erf, is 2.2e-4.
 * - float16 rounds by up to 2^-11 = 4.9e-4 at every step, bfloat16 by 2^-8 = 3.9e-3: 16 such steps are allowed.
 * - Whole numbers and truth values are not rounded: they must be equal.
 */
const RTOL: Readonly<Record<string, number>> = { float16: 16 * 2 ** -11, bfloat16: 16 * 2 ** -8 };
const FLOAT_RTOL = 1e-4;
const WHOLE = /^(u?int\d+|bool)$/;

/** One step of float32 at 1: a golden tensor of zeros is met to the rounding of what cancels there. */
const FLOAT_ATOL = 2 ** -23;

/**
 * What a stage is judged by: the caller's bounds, else those of the bundle, else those that its type gives. A caller that
 * gives `rtol` or `atol` replaces the bundle's absolute bound too.
 *
 * @param dtypes of the golden values and of ours
 */
export function stageTolerance(
  stated: Tolerance,
  dtypes: readonly string[],
  { rtol, atol, cosine }: ToleranceOverride = {},
): Tolerance {
  const isWhole = dtypes.every((dtype) => WHOLE.test(dtype));
  const byType = isWhole ? 0 : Math.max(FLOAT_RTOL, ...dtypes.map((dtype) => RTOL[dtype] ?? 0));
  return {
    ...stated,
    ...((rtol ?? atol) !== undefined && { maxAbs: Infinity }),
    rtol: rtol ?? stated.rtol ?? byType,
    atol: atol ?? stated.atol ?? (isWhole ? 0 : FLOAT_ATOL),
    cosine: cosine ?? stated.cosine,
  };
}
