/** A stream of samples on a GPU that fails; a software adapter takes a minute to start. */
import { expect, test } from '../../test/browser/engine';
import { breakGpu } from '../../test/browser/gpuFaults';
import { loadSamples } from '../../test/browser/library';

test('a stream survives a GPU without memory for a single window', async ({ page }) => {
  await breakGpu(page, { stage: 'segmentation', kind: 'memory' });
  await loadSamples(page);
  const { turns, expected, backend, reason } = await page.evaluate(async () => {
    // Two seconds of speech: a software adapter takes seconds for each.
    const speech = librarySamples.slice(8 * 16_000, 10 * 16_000);
    const broken = await voxlane.Diarizer.create({ backend: 'webgpu', trustGpu: true });
    const name = broken.backend?.name;
    const run = await broken.diarize(libraryPieces(speech), { sampleRate: 16_000 });
    broken.dispose();
    const sound = await voxlane.diarize(speech, { sampleRate: 16_000, backend: 'wasm', idleSeconds: 0 });
    return { turns: run.turns, expected: sound.turns, backend: [name, run.backend.name], reason: run.backend.reason };
  });
  expect(backend).toEqual(['webgpu', 'wasm']);
  expect(reason).toMatch(/out of memory/);
  expect(expected.length).toBeGreaterThan(0);
  expect(turns).toEqual(expected);
});
