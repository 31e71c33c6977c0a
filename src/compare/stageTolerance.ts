import type { Tolerance } from './compare';
import { FLOAT32_SHARE, spreadOf } from './relativeError';

/** Tolerance for every stage. Takes precedence over the bundle's tolerance and the defaults by type. */
export interface ToleranceOverride {
  /** Maximum root mean square of the error, relative to the spread of the golden tensor. */
  readonly rtol?: number;
  /** Absolute error that passes `rtol` at any scale. */
  readonly atol?: number;
  /** Minimum cosine similarity of the two tensors. */
  readonly cosine?: number;
}

/**
 * Relative tolerance by the coarser type of the two sides.
 *
 * - float32 and float64: 1e-4. Rounding in the bundled models, up to 50 layers deep, reaches 1.0e-5 against PyTorch. The
 *   smallest fault that must not pass, GELU with tanh in place of erf, is 2.2e-4.
 * - float16 rounds by up to 2^-11 = 4.9e-4 at every step, bfloat16 by 2^-8 = 3.9e-3: 16 such steps are allowed.
 * - One-byte floats are only a storage format. One rounding, of the golden value, is allowed: 2^-4, 2^-3 or 2^-1. It bounds
 *   the cosine as well, because rounding by a share r turns a vector by up to the angle whose cosine is 1 - r²/2.
 * - Integers and booleans are not rounded: they must be equal.
 */
const FLOAT8_RTOL: Readonly<Record<string, number>> = { float8e4m3fn: 2 ** -4, float8e4m3fnuz: 2 ** -4, float8e5m2: 2 ** -3, float8e5m2fnuz: 2 ** -3, float8e8m0: 2 ** -1 };
const RTOL: Readonly<Record<string, number>> = { float16: 16 * 2 ** -11, bfloat16: 16 * 2 ** -8, ...FLOAT8_RTOL };
const FLOAT_RTOL = 1e-4;
const WHOLE = /^(u?int\d+|bool)$/;

/** One step of float32 at 1: if golden values are zero, terms of order 1 may have canceled, up to their rounding. */
const FLOAT_ATOL = 2 ** -23;

/**
 * Tolerance of a stage: the override, else the bundle's, else the default by type. An override of `rtol` or `atol` also
 * removes the bundle's absolute bound.
 *
 * @param dtypes types of our values and, if known, of the golden values
 */
export function stageTolerance(
  stated: Tolerance,
  dtypes: readonly string[],
  { rtol, atol, cosine }: ToleranceOverride = {},
): Tolerance {
  const isWhole = WHOLE.test(dtypes[0] ?? '');
  const byType = isWhole ? 0 : Math.max(FLOAT_RTOL, ...dtypes.map((dtype) => RTOL[dtype] ?? 0));
  return {
    ...stated,
    ...((rtol ?? atol) !== undefined && { maxAbs: Infinity }),
    rtol: rtol ?? stated.rtol ?? byType,
    atol: atol ?? stated.atol ?? (isWhole ? 0 : FLOAT_ATOL),
    cosine: cosine ?? Math.min(stated.cosine, ...dtypes.map((dtype) => 1 - (FLOAT8_RTOL[dtype] ?? 0) ** 2 / 2)),
  };
}

/** The absolute error that a tolerance allows at the scale of these golden values. */
export function allowedAbs({ maxAbs, rtol, atol = 0 }: Tolerance, golden: Float32Array): number {
  return rtol === undefined ? maxAbs : Math.min(maxAbs, Math.max(atol, rtol * spreadOf(golden)));
}

/**
 * Minimum spread of a stage, as a share of the root mean square of its golden values. Types coarser than float32 round by
 * almost `rtol` times the magnitude, so the spread alone is not a sufficient scale for them.
 */
export const offsetShareOf = (dtypes: readonly string[]): number => (dtypes.some((dtype) => RTOL[dtype] !== undefined) ? 1 : FLOAT32_SHARE);
