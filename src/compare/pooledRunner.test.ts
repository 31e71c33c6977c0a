import { expect, it } from 'vitest';
import type { GraphInfo } from '../onnx/model';
import type { PooledHead } from '../onnx/pooled';
import type { GraphTensor, ValueRunner } from './graphRunner';
import { PooledRunner, poolOnCpu } from './kernelRunner';

/** From the statistics of two channels to three dimensions. */
const HEAD: PooledHead = {
  weight: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1),
  bias: Float32Array.of(0, 10, 0),
  meanVector: null,
  embeddingSize: 3,
  numChannels: 2,
};
const NAMES = { map: 'map', statistics: 'statistics', embedding: 'embedding', head: HEAD };
/** Two items with two channels and three frames. */
const MAP: GraphTensor = { shape: [2, 2, 3], data: Float32Array.of(1, 2, 3, 5, 5, 5, 0, 4, 8, -1, 0, 1) };

/** A runtime whose graph returns {@link MAP}. */
const runtime: ValueRunner = {
  info: { nodes: [] } as unknown as GraphInfo,
  inputsOf: () => ['features'],
  values: (_feeds, outputs) => Promise.resolve(new Map(outputs.map((name) => [name, { ...MAP, dtype: 'float32' }]))),
  release: () => Promise.resolve(),
};

it('pools each item of the map of the runtime, or of a golden map', async () => {
  const runner = new PooledRunner(runtime, NAMES, poolOnCpu(HEAD));
  const features: GraphTensor = { shape: [2, 1, 1], data: Float32Array.of(0, 0) };
  const found = await runner.values(new Map([['features', features]]), ['map', 'statistics', 'embedding']);
  expect(found.get('map')!.data).toEqual(MAP.data);
  expect(found.get('statistics')).toEqual({ shape: [2, 4], dtype: 'float32', data: Float32Array.of(2, 5, 1, 0, 4, 0, 4, 1) });
  expect(found.get('embedding')).toEqual({ shape: [2, 3], dtype: 'float32', data: Float32Array.of(2, 15, 8, 4, 10, 9) });
  // Golden statistics are not injected; a golden map is.
  const golden = new Map<string, GraphTensor>([
    ['features', features],
    ['map', { shape: [1, 2, 2], data: Float32Array.of(1, 1, 2, 2) }],
    ['statistics', { shape: [1, 4], data: Float32Array.of(9, 9, 9, 9) }],
  ]);
  expect([...(await runner.values(golden, ['embedding'])).get('embedding')!.data]).toEqual([1, 12, 3]);
  expect(runner.inputsOf(golden, ['embedding'])).toEqual(['map']);
  expect(runner.inputsOf(new Map([['features', features]]), ['embedding'])).toEqual(['features']);
});
