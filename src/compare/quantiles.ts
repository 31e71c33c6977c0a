import type { ErrorQuantiles } from './report';

/** Errors that are sorted at most: of more, every second, third … is taken, so that a large stage costs little. */
const MAX_SORTED = 1 << 20;

/**
 * Quantiles of the absolute differences of two tensors of one size, which is at least 1. Values that are equal and not
 * finite have the difference 0; no other may be without a finite difference.
 */
export function errorQuantiles(actual: Float32Array, golden: Float32Array): ErrorQuantiles {
  const step = Math.ceil(golden.length / MAX_SORTED);
  const errors = new Float64Array(Math.ceil(golden.length / step));
  for (let index = 0; index < errors.length; index++) {
    const ours = actual[index * step]!;
    const theirs = golden[index * step]!;
    errors[index] = Object.is(ours, theirs) ? 0 : Math.abs(ours - theirs);
  }
  errors.sort();
  /** The least error that this share of the errors does not exceed. */
  const at = (share: number): number => errors[Math.max(0, Math.ceil(share * errors.length) - 1)]!;
  return { median: at(0.5), p90: at(0.9), p99: at(0.99) };
}
