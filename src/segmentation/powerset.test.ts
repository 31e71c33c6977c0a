import { expect, test } from 'vitest';
import { powersetToMultilabel } from './segment';

const MAPPING = [
  [0, 0, 0],
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [1, 0, 1],
  [0, 1, 1],
];

test.each(MAPPING.map((speakers, powersetClass) => ({ speakers, powersetClass })))(
  'class $powersetClass is speakers $speakers',
  ({ speakers, powersetClass }) => {
    const scores = new Float32Array(MAPPING.length).fill(-5);
    scores[powersetClass] = -0.1;
    expect([...powersetToMultilabel(scores, MAPPING)]).toEqual(speakers);
  },
);

test('frames are independent, and the first class wins a tie', () => {
  const scores = Float32Array.from([0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, 0, 0, -1]);
  expect([...powersetToMultilabel(scores, MAPPING)]).toEqual([0, 0, 0, 1, 1, 0]);
});
