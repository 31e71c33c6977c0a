/**
 * The values of `src/compare/windowCheck.ts` against ONNX Runtime, which computes them in float32. `VOXLANE_WRITE=1` writes
 * them again; it is needed after a change of the golden bundles or of the models.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { readBundle, tensorNamed } from '../../src/compare/files/bundle';
import { comparedScores, repeatedWaveform, scoredWindows, sumOf } from '../../src/compare/windowCheck';
import embeddings from '../../src/compare/windowEmbeddings.json';
import scores from '../../src/compare/windowScores.json';
import { openEmbedding, openSegmentation } from '../../workers/model';
import { fetchFiles, loadRequest } from '../gpu/openInNode';

beforeAll(fetchFiles);

/** Writes or compares values. A step is rounded to half of it, and float32 differs between two implementations by far less. */
function check<Values>(file: string, stored: Values, found: Values): void {
  const path = `src/compare/${file}`;
  if (process.env.VOXLANE_WRITE === '1') writeFileSync(path, `${JSON.stringify(found)}\n`);
  else expect(found).toEqual(stored);
}

const goldensOf = (id: string) => {
  const { inputs, source } = readBundle(readFileSync(`public/goldens/${id}.zip`));
  const { data } = tensorNamed(inputs, 'waveform');
  return { data, facts: { checkpoint: source.checkpoint_sha256 as string, inputSum: sumOf(data) } };
};

/** Values in steps; a value within a tenth of a step of the rounding limit keeps the stored step. */
function inSteps(data: Float32Array, step: number, stored: readonly number[]): number[] {
  return Array.from(data, (value, i) => (Math.abs(value / step - stored[i]!) < 0.6 ? stored[i]! : Math.round(value / step)));
}

test('scores of a batch of whole windows', async () => {
  const { data, facts } = goldensOf('segmentation-3.0');
  const { graph, backend } = await openSegmentation(loadRequest('segmentation-3.0', 'wasm', false));
  expect(backend).toBe('wasm');
  const { numWindows, numSamples } = scores;
  const windows = scoredWindows(data);
  const found: Float32Array[] = [];
  for (let window = 0; window < numWindows; window++) {
    found.push((await graph.run({ data: windows.slice(window * numSamples, (window + 1) * numSamples), shape: [1, 1, numSamples] })).data);
  }
  await graph.release();
  const all = Float32Array.from(found.flatMap((own) => [...own]));
  check('windowScores.json', scores, { ...scores, ...facts, values: inSteps(comparedScores(all), scores.step, scores.values) });
}, 120_000);

test('embeddings of a window and of a part of it', async () => {
  const { data, facts } = goldensOf('campplus-zh-en');
  const { embedder, backend } = await openEmbedding(loadRequest('campplus-zh-en', 'wasm', false), null);
  expect(backend).toBe('wasm');
  const segments = [];
  for (const [index, { numSamples, values }] of embeddings.segments.entries()) {
    const found = await embedder.embedSegment(repeatedWaveform(data, numSamples, index), () => undefined);
    segments.push({ numSamples, values: inSteps(found, embeddings.step, values) });
  }
  await embedder.close();
  check('windowEmbeddings.json', embeddings, { ...embeddings, ...facts, segments });
}, 120_000);
