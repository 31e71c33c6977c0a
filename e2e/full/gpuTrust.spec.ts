/** The GPU path on the software adapter: right values, no round trips, and what happens when it is not to be trusted. */
import { expect, test, type Page } from '../../test/browser/test';
import { openEngine } from '../../test/browser/engine';
import { runShort, type ShortRun } from '../../test/browser/gpu';

// In one worker, which keeps the runs that the tests compare with.
test.describe.configure({ mode: 'default' });

let wasm: ShortRun | undefined;

async function wasmRun(page: Page): Promise<ShortRun> {
  wasm ??= await runShort(page, { backend: 'wasm' });
  return wasm;
}

test.beforeEach(async ({ page }) => {
  test.setTimeout(600_000);
  await openEngine(page);
});

test('WebGPU gives what WASM and PyTorch give, and only scores and embeddings come back', async ({ page }) => {
  const expected = await wasmRun(page);
  const run = await runShort(page, { backend: 'webgpu' });
  expect(run.backend.name).toBe('webgpu');
  expect(run.backend.adapter).toMatch(/swiftshader/i);

  // Against PyTorch: the golden bundles, by their tolerances and by what is promised.
  const stages = run.backend.selfCheck!.flatMap((proof) => proof.stages);
  console.log(stages.map(({ stage, maxAbs, cosine, argmaxAgreement }) => ({ stage, maxAbs, cosine, argmaxAgreement })));
  expect(stages.map(({ stage, passed }) => [stage, passed])).toEqual([
    ['classifier', true],
    // Against WASM: at the length of a run, in its batches, which on a slow adapter have one window.
    ['classifier (1 × 10 s)', true],
    ['fbank', true],
    ['embedding', true],
    ['fbank (10 s)', true],
    ['embedding (10 s)', true],
  ]);
  const [classifier, , fbank, embedding] = stages as [(typeof stages)[0], (typeof stages)[0], (typeof stages)[0], (typeof stages)[0]];
  expect(classifier.maxAbs).toBeLessThanOrEqual(1e-2);
  expect(classifier.argmaxAgreement).toBeGreaterThanOrEqual(0.999);
  expect(fbank.maxAbs).toBeLessThanOrEqual(2e-3);
  expect(embedding.cosine).toBeGreaterThanOrEqual(0.9999);

  // Against WASM: the same turns to one frame.
  expect(expected.turns.length).toBeGreaterThan(0);
  expect(run.turns).toHaveLength(expected.turns.length);
  run.turns.forEach((turn, index) => {
    expect(turn.speaker).toBe(expected.turns[index]!.speaker);
    expect(Math.abs(turn.startSeconds - expected.turns[index]!.startSeconds)).toBeLessThanOrEqual(0.017);
    expect(Math.abs(turn.endSeconds - expected.turns[index]!.endSeconds)).toBeLessThanOrEqual(0.017);
  });

  // No round trips: float32 scores of (2 windows, 589 frames, 7 classes) and (voices, 192) embeddings, to the byte.
  console.log(run.gpu);
  expect(run.gpu?.segmentation?.bytesBack).toBe(2 * 589 * 7 * 4);
  expect(run.gpu?.embedding?.bytesBack).toBe(run.numEmbeddings * 192 * 4);
  expect(run.gpu?.fbank?.bytesBack).toBe(0);
  expect(run.numEmbeddings).toBeGreaterThan(0);
  // Samples go up once for each model.
  expect(run.gpu?.fbank?.bytesUp).toBeGreaterThanOrEqual(2 * 160_000 * 4);
  expect(run.gpu?.fbank?.bytesUp).toBeLessThan(2 * 160_000 * 4 + 4096);
  expect(expected.gpu).toBeNull();
});
