/** Compares the WGSL kernels with torchaudio's goldens and their CPU references, on Dawn in Node. */
import { beforeAll, describe, test } from 'vitest';
import type { Evaluator } from '../browser/evaluator';
import { compilerTests, filterbankTests, poolingTests } from '../kernels/kernelTests';
import { installDawn } from '../gpu/dawn';

const missing = await installDawn();
if (missing !== null) console.log(`skipped: WGSL kernels in Node: ${missing}`);

/** The page of the kernels, in this process. */
const evaluator: Evaluator = { evaluate: async (body, request) => body(request) };

describe.skipIf(missing !== null)('WGSL kernels on Dawn', () => {
  beforeAll(async () => {
    await import('../pages/kernelsPage');
    console.log(`kernels on ${await voxlaneKernels.open()}`);
  });

  filterbankTests(test, evaluator, { numRandomLengths: 12 });
  compilerTests(test, evaluator);
  poolingTests(test, evaluator);
});
