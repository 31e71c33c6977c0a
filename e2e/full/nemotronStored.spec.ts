/** float16 weights of the preset nemotron on Chromium's software adapter: converted, stored, and read again after a reload. */
import { openEngine } from '../../test/browser/engine';
import { expect, test, type Page } from '../../test/browser/test';
import { serveSeededModel } from '../../test/nemotron/seededHub';
import { NEMOTRON } from '../../test/seededNemotron';
import type { DiarizationResult } from '../../src/index';

const NUM_LAYERS = 2;
const SECONDS = 9;

interface Run extends Pick<DiarizationResult, 'turns' | 'backend' | 'models' | 'modelNote'> {
  /** Activity, axes (frame, speaker). */
  readonly probabilities: readonly number[];
}

/** Diarizes the start of the sample on a new visit. */
async function run(page: Page): Promise<Run> {
  await openEngine(page);
  return page.evaluate(async (durationSeconds) => {
    const bytes = new DataView(await (await fetch('sample.wav')).arrayBuffer());
    const offset = bytes.byteLength - 2 * 480_000;
    const samples = Float32Array.from({ length: durationSeconds * 16_000 }, (_, i) => bytes.getInt16(offset + 2 * i, true) / 32768);
    const diarizer = await voxlane.Diarizer.create({ preset: 'nemotron', backend: 'webgpu', hub: new URL('/hub/', location.href) });
    try {
      const probabilities: number[] = [];
      const result = await diarizer.diarize(samples, {
        sampleRate: 16_000,
        hook: ({ stage, artifact }) => {
          if (stage === 'segmentation' && artifact) for (const value of artifact.data) probabilities.push(value);
        },
      });
      const { turns, backend, models, modelNote } = result;
      return { turns, backend, models, modelNote, probabilities };
    } finally {
      diarizer.dispose();
    }
  }, SECONDS);
}

/** Names of the stored files. */
async function storedFiles(page: Page): Promise<string[]> {
  return (await page.evaluate(() => voxlane.storedModels())).map(({ file }) => file).toSorted();
}

test('float16 weights on WebGPU give the same values before and after they were stored, and without the original', async ({ page, context }) => {
  // A software adapter.
  test.setTimeout(900_000);
  const requests = await serveSeededModel(context, NUM_LAYERS);
  const first = await run(page);
  expect(first.backend.name).toBe('webgpu');
  expect(first.backend.reason).toContain('our WebGPU kernels reproduced the golden outputs');
  expect(first.modelNote).toBeNull();
  expect(first.probabilities).toHaveLength(SECONDS * 100 * 8);
  expect(new Set(first.probabilities).size).toBeGreaterThan(SECONDS * 100);
  expect(await storedFiles(page)).toEqual(['model.float16.safetensors', 'model.safetensors']);
  expect(requests).toHaveLength(1);

  const second = await run(page);
  expect(second).toEqual(first);

  // The original is deleted on a page that has the same storage.
  await page.goto('test/store.html');
  await page.waitForFunction(() => 'voxlaneStore' in globalThis);
  await page.evaluate((id) => voxlaneStore.dropOriginal(id), NEMOTRON.id);
  const third = await run(page);
  expect(await storedFiles(page)).toEqual(['model.float16.safetensors']);
  expect(third).toEqual(first);
  expect(requests).toHaveLength(1);
});
