import { describe, expect, it } from 'vitest';
import type { LstmNode } from '../../src/onnx/weights';
import { contextOf, expectCauses, gathered, random, ROUNDING, stageNamed, STAGES, withNoise } from '../compare/planted';

const axisOf = (name: string): number => stageNamed(name).axes.findIndex((axis) => ['channel', 'class', 'mel'].includes(axis));

/** The stage with its channels reordered: golden channel `i` is our channel `order[i]`. */
function ordered(name: string, order: readonly number[]): Float32Array {
  const stage = stageNamed(name);
  const axis = axisOf(name);
  const inverse = new Map(order.map((ours, golden) => [ours, golden]));
  const { data } = gathered(stage, stage.shape, (index) => index.with(axis, inverse.get(index[axis]!)!));
  return withNoise(data, ROUNDING);
}

const sizeOfChannels = (name: string): number => stageNamed(name).shape[axisOf(name)]!;
const every = (name: string): number[] => Array.from({ length: sizeOfChannels(name) }, (_, index) => index);

/** Fisher-Yates shuffle. */
function shuffled(values: readonly number[]): number[] {
  const result = [...values];
  const next = random(11);
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(((next() + 1) / 2) * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

describe('channel-order', () => {
  it('finds channels without a name by the size of an axis of the weights', async () => {
    const stage = stageNamed('linear1');
    const axes = stage.axes.map((_, axis) => `axis${axis}`);
    const size = sizeOfChannels('linear1');
    const weights = [{ name: 'w', shape: [size, 3], values: new Float32Array(3 * size).fill(1), nodes: ['linear'] }];
    const data = ordered('linear1', every('linear1').toReversed());
    const context = { ...contextOf(stage, { data }), axes };
    const cause = await expectCauses({ ...context, layer: { weights, lstms: [] } }, 'channel-order');
    expect(cause.evidence).toContain(`along axis${axisOf('linear1')}`);
    await expectCauses(context);
  });

  it.each(STAGES)('finds $name reversed', async ({ name }) => {
    const data = ordered(name, every(name).toReversed());
    const cause = await expectCauses(contextOf(stageNamed(name), { data }), 'channel-order');
    expect(cause.values.kind).toBe('reversed');
  });

  it.each(STAGES.filter(({ name }) => name !== 'classifier'))('finds the halves of $name swapped', async ({ name }) => {
    const half = sizeOfChannels(name) / 2;
    const data = ordered(name, every(name).map((index) => (index + half) % (2 * half)));
    const cause = await expectCauses(contextOf(stageNamed(name), { data }), 'channel-order');
    expect(cause.evidence).toMatch(/^the golden output is the computed output with the halves along (channel|mel) swapped/);
  });

  const framed = STAGES.filter(({ axes }) => axes.includes('frame'));
  it.each(framed)('finds $name rotated, interleaved and shuffled', async ({ name }) => {
    const stage = stageNamed(name);
    const size = sizeOfChannels(name);
    const rotated = ordered(name, every(name).map((index) => (index + 3) % size));
    const cause = await expectCauses(contextOf(stage, { data: rotated }), 'channel-order');
    expect(cause.values.kind).toBe('rotated');
    expect(cause.evidence).toContain('rotated by 3');
    if (size % 2 === 0) {
      const interleaved = ordered(name, every(name).map((index) => (index % 2) * (size / 2) + Math.floor(index / 2)));
      expect((await expectCauses(contextOf(stage, { data: interleaved }), 'channel-order')).values.kind).toBe('interleaved');
    }
    const shuffle = ordered(name, shuffled(every(name)));
    expect((await expectCauses(contextOf(stage, { data: shuffle }), 'channel-order')).values.kind).toBe('permuted');
  });

  it('names the two swapped channels', async () => {
    const stage = stageNamed('classifier');
    const order = [0, 1, 5, 3, 4, 2, 6];
    const cause = await expectCauses(contextOf(stage, { data: ordered('classifier', order) }), 'channel-order');
    expect(cause.evidence).toContain('along class: 2 of 7 moved (golden ← computed: 2 ← 5, 5 ← 2)');
    expect(cause.values).toEqual({ kind: 'permuted', order });
  });

  it('finds a shuffled vector only if its values distinguish its channels', async () => {
    // The differences are far above the rounding, except among the zeros, which are all equal.
    const stage = stageNamed('embedding');
    const exact = ordered('embedding', shuffled(every('embedding')));
    await expectCauses(contextOf(stage, { data: exact }), 'channel-order');
    // Two sorted vectors of the same distribution are near each other too.
    const next = random(13);
    const [ours, golden] = [1, 2].map(() => ({ shape: [1, 192], data: Float32Array.from({ length: 192 }, next) }));
    await expectCauses(contextOf(stage, ours!, { golden: golden! }));
  });

  it('reports swapped halves of an LSTM as swapped directions', async () => {
    const data = ordered('lstm', every('lstm').map((index) => (index + 128) % 256));
    const names = { node: '/lstm/LSTM', w: 'w', r: 'r', b: null };
    const lstm: LstmNode = { ...names, hidden: 128, directions: 2, direction: 'bidirectional' };
    const context = contextOf(stageNamed('lstm'), { data });
    const cause = await expectCauses({ ...context, layer: { weights: [], lstms: [lstm] } }, 'lstm-direction');
    expect(cause.evidence).toContain('halves along channel swapped');
    const oneWay = { ...lstm, directions: 1, direction: 'forward' };
    await expectCauses({ ...context, layer: { weights: [], lstms: [oneWay] } }, 'channel-order');
  });
});
