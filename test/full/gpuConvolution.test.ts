/** A convolution of silero-vad that ONNX Runtime computes incorrectly on WebGPU with the software adapter, on Dawn in Node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readBundle } from '../../src/compare/files/bundle';
import { GraphRunner } from '../../src/compare/graphRunner';
import { makePlan } from '../../src/compare/plan';
import { compareStages } from '../../src/compare/run';
import { openGpu } from '../../src/gpu/context';
import { graphInfo, parseOnnx } from '../../src/onnx/model';
import { openSession } from '../../src/ort/session';
import { ALL_CASES, NO_CASES } from '../compare/caseRun';
import { openNodeSession } from '../compare/nodeSession';
import { installDawn, RUNTIME_BASE } from '../gpu/dawn';

import { itUnless } from '../skips';

const missing = (await installDawn()) ?? NO_CASES;

itUnless(missing)('WebGPU fails where WASM passes', { timeout: 300_000 }, async () => {
  const bundle = readBundle(readFileSync(join(ALL_CASES, 'silero_conv_webgpu.zip')));
  const model = parseOnnx(bundle.graph!, 'silero_conv_webgpu');
  const plan = makePlan(bundle, graphInfo(model), null);
  const gpu = await openGpu();
  const variants = { graph: new GraphRunner(model, { open: openNodeSession }), features: null };
  const onGpu = { graph: new GraphRunner(model, { open: (bytes) => openSession(bytes, { runtimeBase: RUNTIME_BASE, threads: 1, gpu }) }), features: null };
  const verdictOn = async (runner: typeof onGpu): Promise<string> =>
    (await compareStages({ plan, model, runner, variants, thorough: false, onStep: () => undefined })).verdict;
  expect(await verdictOn(variants)).toBe('pass');
  expect(await verdictOn(onGpu)).toBe('fail');
  await onGpu.graph.release();
  await variants.graph.release();
});
