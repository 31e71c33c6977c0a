/** Detectors report nothing for correct stages, and for errors that no known fault causes. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../tensor';
import { findCauses } from './findCauses';
import { contextOf, expectCauses, random, STAGES, withNoise } from '../../../test/compare/planted';

const SEEDS = Array.from({ length: 3 }, (_, index) => index + 1);

/** Relative float32 rounding of values after the sums of a whole model. */
const RELATIVE_ROUNDING = 1e-5;

const greatest = (data: Float32Array): number => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe.each(SEEDS)('run %i', (seed) => {
  it('finds no cause for stages that are correct apart from rounding', async () => {
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

  it('finds no cause for one wrong value, a clipped range or an unrelated tensor', async () => {
    await expectCauses(contextOf(stage, { data: data.with(5, data[5]! + 1) }));
    const limit = greatest(data) / 3;
    await expectCauses(contextOf(stage, { data: data.map((value) => Math.max(-limit, Math.min(limit, value))) }));
    const most = greatest(data);
    await expectCauses(contextOf(stage, { data: data.map(() => most * next()) }));
  });

  it('finds no cause if half of the values are scaled, or each non-channel row by another factor', async () => {
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
