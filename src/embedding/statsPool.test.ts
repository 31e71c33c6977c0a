import { expect, it } from 'vitest';
import { frameWeights, poolEmbeddings, statsPool } from './statsPool';
import { statsPoolTests } from '../../test/kernels/statsPoolTests';

statsPoolTests(it, (map, weights, head) =>
  Promise.resolve({ statistics: statsPool(map, weights), embeddings: poolEmbeddings(map, weights, head) }),
);

it('assigns the nearest mask frame to each frame of a map', () => {
  const mask = Uint8Array.of(0, 1, 1, 0, 0, 1);
  expect([...frameWeights(mask, 3)]).toEqual([0, 1, 0]);
  expect([...frameWeights(mask, 6)]).toEqual([...mask]);
  expect([...frameWeights(mask, 12)]).toEqual([0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1]);
  expect([...frameWeights(Uint8Array.of(1), 5)]).toEqual([1, 1, 1, 1, 1]);
});
