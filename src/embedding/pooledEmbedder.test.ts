import { expect, it } from 'vitest';
import { RESNET34 } from '../../test/resnetGoldens';
import type { PooledHead } from '../onnx/pooled';
import type { FloatTensor, Graph } from '../ort/graph';
import { EVERY_FRAME } from './mask';
import { CpuPooling } from './pooledEmbedder';

const HEAD: PooledHead = { weight: new Float32Array(12).fill(1), bias: new Float32Array(1), meanVector: null, embeddingSize: 1, numChannels: 6 };

/** Pools a map of this shape, whatever the features are: a graph whose mel axis has no fixed size. */
async function poolMap(shape: readonly number[]): Promise<Float32Array> {
  const map: FloatTensor = { data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(2), shape };
  const graph: Graph = { run: () => Promise.resolve(map), release: () => Promise.resolve() };
  const windows = await new CpuPooling(graph, HEAD, RESNET34).open(new Float32Array(RESNET34.sampleRate).fill(0.1), 1);
  return windows.pool([{ window: 0, masks: [EVERY_FRAME] }]);
}

it('pools a map whose channels and frequencies are those of the last layer', async () => {
  expect([...(await poolMap([1, 2, 3, 4]))]).toEqual([12]);
  expect([...(await poolMap([1, 6, 4]))]).toEqual([12]);
});

it.each([[[1, 2, 4, 5], '2 × 4'], [[1, 2, 2, 6], '2 × 2'], [[1, 5, 7], '5']])('rejects a map of the shape %j, as features of another size give it', async (shape, found) => {
  await expect(poolMap(shape)).rejects.toMatchObject({
    code: 'model-invalid',
    problem: `The graph's pooling expects 6 channels, but with the features of this model its map has ${found}`,
  });
});
