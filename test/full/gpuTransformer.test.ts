/** The WGSL kernels of Transformers against their definitions, on Dawn in Node. */
import { beforeAll, test } from 'vitest';
import { openGpu } from '../../src/gpu/context';
import { installDawn } from '../gpu/dawn';
import { transformerKernels } from '../gpu/transformerKernels';
import { transformerKernelTests, type TransformerKernels } from '../kernels/transformerKernelTests';
import { describeUnless } from '../skips';

const missing = await installDawn();

describeUnless(missing)('WGSL kernels of Transformers on Dawn', () => {
  let own: TransformerKernels;
  beforeAll(async () => {
    own = transformerKernels(await openGpu());
  });
  transformerKernelTests(test, {
    layerNorm: (step) => own.layerNorm(step),
    gelu: (values) => own.gelu(values),
    attention: (step) => own.attention(step),
  });
});
