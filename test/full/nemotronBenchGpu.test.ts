/** The part of `npm run bench` that measures Nemotron 3 Diarization on a GPU, here on a software adapter with one layer. */
import { expect, test } from 'vitest';
import { runOnGpu } from '../../bench/nemotron/gpuRun';
import { installDawn } from '../gpu/dawn';
import { noise } from '../kernels/fixtures/goldens';

const missing = await installDawn();
if (missing !== null) console.log(`skipped: measuring Nemotron 3 Diarization in Node: ${missing}`);

test.skipIf(missing !== null)('runs the repeated recording to its end, and measures no software adapter by default', { timeout: 300_000 }, async () => {
  const samples = noise(16_000, 1).map((value) => 0.1 * value);
  const run = await runOnGpu(samples, { audioSeconds: 2.5, numLayers: 1, allowSoftware: true });
  expect(run).toMatchObject({ audioSeconds: 2.5, numFrames: 250 });
  expect(run!.seconds).toBeGreaterThan(0);
  expect(await runOnGpu(samples, { audioSeconds: 2.5, numLayers: 1 })).toBeNull();
});
