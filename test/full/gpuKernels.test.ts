/** Compares the WGSL kernels with torchaudio's goldens and their CPU references, on Dawn in Node. */
import { beforeAll, test } from 'vitest';
import type { Evaluator } from '../browser/evaluator';
import { compilerTests, filterbankTests, poolingTests } from '../kernels/kernelTests';
import { installDawn } from '../gpu/dawn';
import { describeUnless } from '../skips';

const missing = await installDawn();

/** The page of the kernels, in this process. */
const evaluator: Evaluator = { evaluate: async (body, request) => body(request) };

describeUnless(missing)('WGSL kernels on Dawn', () => {
  beforeAll(async () => {
    await import('../pages/kernelsPage');
    console.log(`kernels on ${await voxlaneKernels.open()}`);
  });

  filterbankTests(test, evaluator, { numRandomLengths: 12 });
  compilerTests(test, evaluator);
  poolingTests(test, evaluator);
});
