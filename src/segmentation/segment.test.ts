import { expect, test } from 'vitest';
import type { FloatTensor, Graph } from '../ort/graph';
import type { SegmentationManifest } from '../store/manifest';
import { Segmenter } from './segment';

const WINDOW = 4;
/** Two classes, silence and one speaker; one frame per window. */
const manifest = { windowSamples: WINDOW, powerset: { mapping: [[0], [1]] } } as unknown as SegmentationManifest;

/** Classifies each window as speech if its first sample is positive, and records the number of windows. */
function listener(): { graph: Graph; batches: number[] } {
  const batches: number[] = [];
  const run = (input: unknown): Promise<FloatTensor> => {
    const { data, shape } = input as FloatTensor;
    batches.push(shape[0]!);
    const scores = Array.from({ length: shape[0]! }, (_, window) => (data[window * WINDOW]! > 0 ? [0, 1] : [1, 0])).flat();
    return Promise.resolve({ data: Float32Array.from(scores), shape: [shape[0]!, 1, 2] });
  };
  return { graph: { run, release: () => Promise.resolve() }, batches };
}

const voice = [1, 0, 0, 1];
const noise = [-1, 0, 0, 1];
const silence = [0, 0, 0, 0];

test('the graph runs once for windows of digital silence', async () => {
  const { graph, batches } = listener();
  const segmenter = new Segmenter(graph, manifest);
  expect([...(await segmenter.segment(Float32Array.from([voice, silence, noise, silence, voice].flat())))]).toEqual([1, 0, 0, 0, 1]);
  expect(batches).toEqual([1, 3]);
  expect([...(await segmenter.segment(Float32Array.from([silence, silence].flat())))]).toEqual([0, 0]);
  expect(batches).toEqual([1, 3]);
});

test('a batch with sound in every window is passed unchanged', async () => {
  const { graph, batches } = listener();
  expect([...(await new Segmenter(graph, manifest).segment(Float32Array.from([noise, voice].flat())))]).toEqual([0, 1]);
  expect(batches).toEqual([2]);
});
