/** The part of `npm run bench` that measures Nemotron 3 Diarization on a GPU, here on a software adapter with one layer. */
import { expect } from 'vitest';
import { runOnGpu } from '../../bench/nemotron/gpuRun';
import { installDawn } from '../gpu/dawn';
import { noise } from '../kernels/fixtures/goldens';
import { itUnless } from '../skips';

const missing = await installDawn();

itUnless(missing)('runs the repeated recording to its end, and measures no software adapter by default', { timeout: 300_000 }, async () => {
  const samples = noise(16_000, 1).map((value) => 0.1 * value);
  const run = await runOnGpu(samples, { audioSeconds: 2.5, numLayers: 1, allowSoftware: true });
  expect(run).toMatchObject({ audioSeconds: 2.5, numFrames: 250 });
  expect(run!.seconds).toBeGreaterThan(0);
  expect(await runOnGpu(samples, { audioSeconds: 2.5, numLayers: 1 })).toBeNull();
});
