import type { ErrorQuantiles } from './report';

/** Greatest number of errors to sort. Of a larger tensor, every second, third … error is taken. */
const MAX_SORTED = 1 << 20;

/**
 * Quantiles of the absolute differences of two tensors of one size, at least 1. Equal values that are not finite have the
 * difference 0. All other differences must be finite.
 */
export function errorQuantiles(actual: Float32Array | Float64Array | Int32Array | Uint32Array, golden: typeof actual): ErrorQuantiles {
  const step = Math.ceil(golden.length / MAX_SORTED);
  const errors = new Float64Array(Math.ceil(golden.length / step));
  for (let index = 0; index < errors.length; index++) {
    const ours = actual[index * step]!;
    const theirs = golden[index * step]!;
    errors[index] = Object.is(ours, theirs) ? 0 : Math.abs(ours - theirs);
  }
  errors.sort();
  /** The least value that `share` of the errors do not exceed. */
  const at = (share: number): number => errors[Math.max(0, Math.ceil(share * errors.length) - 1)]!;
  return { median: at(0.5), p90: at(0.9), p99: at(0.99) };
}
