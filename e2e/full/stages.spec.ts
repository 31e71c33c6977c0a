/** A single stage on a GPU that fails in mid-run; the GPU is made of software, and takes a minute to get ready. */
import type { StageOptions } from '../../src/index';
import { breakGpu } from '../../test/browser/gpuFaults';
import { openEngine } from '../../test/browser/engine';
import { expect, test } from '../../test/browser/test';

test('a stage is done again on WASM where the GPU fails, and says so', async ({ page }) => {
  test.setTimeout(300_000);
  await breakGpu(page, { stage: 'segmentation', kind: 'nan' });
  await openEngine(page);
  const outcome = await page.evaluate(async () => {
    const samples = Float32Array.from({ length: 160_000 }, (_, i) => Math.sin(i * i * 1e-5) / 4);
    const wasm: StageOptions = { backend: 'wasm', preset: 'campplus' };
    // Options of a diarizer that stages know and do not tell of: without the self-check, which this is not about.
    const failing = { ...wasm, backend: 'webgpu' as const, trustGpu: true };
    const segmentation = await voxlane.segment(samples, failing);
    const next = await voxlane.embed(samples, segmentation, failing);
    const plain = await voxlane.segment(samples, wasm);
    voxlane.releaseStages();
    return { backends: [segmentation.backend, next.backend], isSame: segmentation.data.join() === plain.data.join() };
  });
  expect(outcome.backends.map(({ name }) => name)).toEqual(['wasm', 'wasm']);
  expect(outcome.backends[0]!.reason).toMatch(/^WebGPU failed in mid-run/);
  expect(outcome.isSame).toBe(true);
});
