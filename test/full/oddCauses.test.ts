/** Tensors that no real model outputs: no detector may fail on them. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/compare/tensor';
import type { CauseContext } from '../../src/compare/causes/context';
import { findCauses } from '../../src/compare/causes/findCauses';
import { FACTS, SAMPLE_RATE } from '../compare/fbankOptions';
import { random, tensorOf } from '../compare/planted';

const NAMES = ['batch', 'frame', 'mel', 'channel', 'class', 'sample'];
const SHAPES: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [9],
  [0, 4],
  [1, 1],
  [3, 3],
  [1, 8, 1],
  [1, 0, 80],
  [2, 3, 4],
  [1, 1, 208, 80],
  [2, 2, 2, 2, 2],
  [1, 1, 1, 1, 1, 1, 1],
  [2, 2, 2, 2, 2, 2, 2],
];
const FILLS: Readonly<Record<string, (next: () => number) => (index: number) => number>> = {
  zeros: () => () => 0,
  ones: () => () => 1,
  noise: (next) => next,
  NaN: () => () => NaN,
  mixed: (next) => (index) => [NaN, Infinity, -Infinity, 0, next()][index % 5]!,
  huge: (next) => () => 3e38 * next(),
  tiny: (next) => () => 1e-42 * next(),
};

const tensors = SHAPES.flatMap((shape) =>
  Object.entries(FILLS).map(([fill, make], index) => ({ fill, tensor: tensorOf(shape, make(random(index))) })),
);

const contextWith = (actual: Tensor, golden: Tensor, axes: readonly string[]): CauseContext => {
  const run = (): Promise<Tensor> => Promise.resolve(golden);
  return {
    stage: 'odd',
    axes,
    actual,
    golden,
    tolerance: { maxAbs: 1e-3, cosine: 0.999 },
    fbank: { samples: new Float32Array(500), facts: FACTS, sampleRate: SAMPLE_RATE },
    layer: {
      weights: [{ name: 'w', shape: [], values: new Float32Array(0), nodes: [] }],
      lstms: [{ node: 'n', w: 'w', r: 'absent', b: 'absent', hidden: 0, directions: 2, direction: 'bidirectional' }],
    },
    rerun: run,
    graph: null,
    others: [{ name: 'other', tensor: golden }],
    again: () => Promise.resolve(actual),
    otherBatch: run,
  };
};

describe.each(tensors)('ours $tensor.shape of $fill', ({ tensor: actual }) => {
  it('is compared with every golden tensor, with any axis names', async () => {
    for (const { tensor: golden } of tensors) {
      for (const axes of [NAMES.slice(0, actual.shape.length), ['mel', 'frame']]) {
        const causes = await findCauses(contextWith(actual, golden, axes));
        for (const { evidence, values } of causes) {
          expect(evidence).not.toMatch(/undefined|\[object/);
          // Serialized as JSON, which has no other numbers.
          for (const value of Object.values(values)) if (typeof value === 'number') expect(value).toSatisfy(Number.isFinite);
        }
      }
    }
  });
});

it('does not explain a constant by another tensor, nor anything by a constant', async () => {
  const noise = tensorOf([1, 20, 8], random(1));
  const level = tensorOf([1, 20, 8], () => 3);
  const axes = ['batch', 'frame', 'channel'];
  const plain = { fbank: null, layer: null, rerun: null, again: null, otherBatch: null };
  expect(await findCauses({ ...contextWith(noise, level, axes), ...plain })).toEqual([]);
  expect(await findCauses({ ...contextWith(level, noise, axes), ...plain })).toEqual([]);
});
