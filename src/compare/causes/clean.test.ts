/** That detectors keep quiet: on stages that are right, and on errors that none of the known faults makes. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../tensor';
import { findCauses } from './findCauses';
import { contextOf, expectCauses, random, STAGES, withNoise } from '../../../test/compare/planted';

const SEEDS = Array.from({ length: 5 }, (_, index) => index + 1);

/** What float32 leaves of values of this size after a model's worth of sums. */
const RELATIVE_ROUNDING = 1e-5;


const greatest = (data: Float32Array): number => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe.each(SEEDS)('run %i', (seed) => {
  it('finds no cause on stages that are right but for rounding', async () => {
    for (const stage of STAGES) {
      const actual = withNoise(stage.data, RELATIVE_ROUNDING * greatest(stage.data), seed);
      const other = withNoise(stage.data, RELATIVE_ROUNDING * greatest(stage.data), -seed);
      const same = (): Promise<Tensor> => Promise.resolve({ shape: stage.shape, data: other });
      expect(await findCauses(contextOf(stage, { data: actual }, { again: same, otherBatch: same }))).toEqual([]);
    }
  });
});

describe.each(STAGES)('$name', (stage) => {
  const { axes, data, shape } = stage;
  const next = random(7);

  it('finds no cause of one wrong value, a clipped range or a tensor of something else', async () => {
    await expectCauses(contextOf(stage, { data: data.with(5, data[5]! + 1) }));
    const limit = greatest(data) / 3;
    await expectCauses(contextOf(stage, { data: data.map((value) => Math.max(-limit, Math.min(limit, value))) }));
    const most = greatest(data);
    await expectCauses(contextOf(stage, { data: data.map(() => most * next()) }));
  });

  it('finds no cause if half of the values are scaled, or each row that is no channel by another factor', async () => {
    const halfScaled = data.map((value) => (next() < 0 ? value : 1.2 * value));
    await expectCauses(contextOf(stage, { data: halfScaled }));
    // Rows of (batch, channel, frame) are channels: another factor for each is a cause.
    const rowsAreChannels = axes.at(-2) === 'channel';
    const rowLength = shape.at(-1)!;
    const factors = Array.from({ length: data.length / rowLength }, () => 1.5 + next());
    if (factors.length > 1) {
      const uneven = data.map((value, index) => value * factors[Math.floor(index / rowLength)]!);
      await expectCauses(contextOf(stage, { data: uneven }), ...(rowsAreChannels ? (['channel-scale'] as const) : []));
    }
  });
});
