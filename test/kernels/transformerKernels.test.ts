/** The CPU references of the kernels of Transformers. test/full/gpuTransformer.test.ts runs the same tests with WGSL. */
import { describe, test } from 'vitest';
import { computeGelu } from '../../src/gpu/gelu';
import { computeLayerNorm } from '../../src/gpu/layerNorm';
import { computeAttention } from '../../src/sortformer/gpuAttention';
import { transformerKernelTests } from './transformerKernelTests';

describe('the CPU references of the Transformer kernels', () => {
  // The kernels of the suite are asynchronous.
  const now = <Result>(work: () => Result): Promise<Result> => Promise.resolve().then(work);
  transformerKernelTests(test, {
    layerNorm: (step) => now(() => { computeLayerNorm(step); }),
    gelu: (values) => now(() => { computeGelu(values); }),
    attention: (step) => now(() => { computeAttention(step); }),
  });
});
