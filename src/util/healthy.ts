import { VoxlaneError } from './errors';

/**
 * What a model gave, unless it is garbage, which must not become a result: drivers and runtimes have been seen to give
 * zeros or NaN without a word.
 *
 * @param name of the model's output
 * @param code `gpu-wrong` where it was computed on a GPU
 * @throws VoxlaneError `code` where a value is NaN or infinite, or all are zero
 */
export function healthy(values: Float32Array, name: string, code: 'gpu-wrong' | 'model-output'): Float32Array {
  const isFinite = values.every((value) => Number.isFinite(value));
  if (isFinite && values.some((value) => value !== 0)) return values;
  throw new VoxlaneError({
    code,
    problem: `The model output ${name} ${isFinite ? 'holds nothing but zeros' : 'holds NaN or infinite values'}`,
    expected: 'finite numbers that are not all zero',
    remedy: code === 'gpu-wrong' ? 'The GPU computes wrongly here: take the backend `wasm`' : 'Export the model again',
  });
}
