/**
 * The preset community-1 end to end on WASM with a full-size ResNet34 with seeded weights. The results are meaningless, but
 * the code path is the real one.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseManifest } from '../../src/store/manifest';
import { timeGeometry, totalFrames } from '../../src/segmentation/geometry';
import { openEngine } from '../../test/browser/engine';
import { expect, test } from '../../test/browser/seededModel';

/** Of a recording of 11 s. */
const NUM_WINDOWS = 2;

test('stages have the expected shapes without NaN, and the result names its model', async ({ page, seededModel: model }) => {
  await openEngine(page);
  await page.setInputFiles('#file', 'public/sample.wav');
  await page.setInputFiles('#files', model);
  const run = await page.evaluate(async () => {
    const shapes: Record<string, number[]> = {};
    let numEmbedded = 0;
    const modelFile = document.querySelector<HTMLInputElement>('#files')!.files![0]!;
    const diarizer = await voxlane.Diarizer.create({ preset: 'community-1', backend: 'wasm', modelFile, trustUnknownModel: true });
    const result = await diarizer.diarize(voxlane.chosenFile(), {
      startSeconds: 7,
      durationSeconds: 11,
      hook: ({ stage, artifact }) => {
        if (!artifact) return;
        const [length = 0, ...rest] = artifact.shape;
        shapes[stage] = [(shapes[stage]?.[0] ?? 0) + length, ...rest];
        if (stage !== 'embedding') return;
        for (let row = 0; row < artifact.data.length; row += 256) if (!Number.isNaN(artifact.data[row]!)) numEmbedded++;
      },
    });
    diarizer.dispose();
    // The file is stored, so the next visit needs no download, and `auto` uses it.
    const stored = await voxlane.storedModels();
    const again = await voxlane.Diarizer.create({ backend: 'wasm', trustUnknownModel: true });
    const preset = again.preset;
    const { modelNote } = await again.diarize(new Float32Array(16_000), { sampleRate: 16_000 });
    again.dispose();
    const untrusting = await voxlane.Diarizer.create({ backend: 'wasm' });
    const presetUntrusting = untrusting.preset;
    untrusting.dispose();
    await voxlane.deleteStoredModel('wespeaker-resnet34-lm');
    const without = await voxlane.Diarizer.create({ backend: 'wasm' });
    const presetWithout = without.preset;
    without.dispose();
    return { shapes, numEmbedded, result: JSON.parse(voxlane.toJson('sample', result)) as Record<string, unknown>, stored, preset, presetUntrusting, presetWithout, notes: [result.modelNote, modelNote] };
  });
  const manifest = JSON.parse(readFileSync('models/segmentation-3.0/manifest.json', 'utf8')) as unknown;
  const numFrames = totalFrames(timeGeometry(parseManifest('segmentation', manifest, 'segmentation-3.0')), NUM_WINDOWS);
  expect(run.shapes).toEqual({
    segmentation: [NUM_WINDOWS, 589, 3],
    embedding: [NUM_WINDOWS, 3, 256],
    counting: [numFrames],
    clustering: [NUM_WINDOWS, 3],
    reconstruction: [numFrames, expect.any(Number)],
  });
  expect(run.numEmbedded).toBeGreaterThan(2);
  const sha256 = createHash('sha256').update(readFileSync(model)).digest('hex');
  expect(run.result).toMatchObject({ preset: 'community-1', embeddingModel: sha256 });
  const turns = run.result.turns as { confidence: number | null; startSeconds: number }[];
  expect(turns.every(({ startSeconds }) => startSeconds >= 6)).toBe(true);
  // Confidence is null for a second simultaneous speaker if only one cluster was found: pyannote adds one without embedding.
  const known = turns.flatMap(({ confidence }) => confidence ?? []);
  expect(known.length).toBeGreaterThan(0);
  expect(known.every((confidence) => confidence >= 0 && confidence <= 1)).toBe(true);
  for (const { centroid } of run.result.speakers as { centroid: number[] }[]) {
    expect(centroid).toHaveLength(256);
    expect(centroid.every(Number.isFinite)).toBe(true);
  }
  expect(run.stored).toMatchObject([{ id: 'wespeaker-resnet34-lm', sha256, bytes: readFileSync(model).length }]);
  expect([run.preset, run.presetUntrusting, run.presetWithout]).toEqual(['community-1', 'campplus', 'campplus']);
  // The result with the file, and the result with the stored model.
  for (const note of run.notes) expect(note).toContain(sha256);
});
