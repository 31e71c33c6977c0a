import { describe, expect, it } from 'vitest';
import { transpose } from '../align';
import type { CauseContext } from './context';
import { contextOf, expectCauses, gathered, ROUNDING, stageNamed, tensorOf, withNoise } from '../../../test/compare/planted';

/** Part of a stage, as a context with these axes. */
function partOf(name: string, axes: string[], shape: number[], indexIn: (index: number[]) => number[]): CauseContext {
  const stage = stageNamed(name);
  const part = gathered(stage, shape, indexIn);
  return { ...contextOf(stage, part), axes, golden: part };
}

describe('permuted-axes', () => {
  it('names the permutation that matches the shape', async () => {
    const stage = stageNamed('sincnet');
    const transposed = transpose(stage, [0, 2, 1]);
    const cause = await expectCauses(contextOf(stage, {}, { golden: transposed }), 'permuted-axes');
    expect(cause.evidence).toMatch(/^the golden output is \(batch, frame, channel\): \(1, 115, 60\) against the computed \(1, 60, 115\)/);
    expect(cause.values).toEqual({ order: [0, 2, 1] });
  });

  it.each(['sincnet', 'lstm', 'classifier', 'fbank', 'head', 'block3'])('finds it in %s under rounding', async (name) => {
    const stage = stageNamed(name);
    const { shape, data } = transpose(stage, [0, 2, 1]);
    const cause = await expectCauses(contextOf(stage, { shape, data: withNoise(data, ROUNDING) }), 'permuted-axes');
    expect(cause.evidence).toContain('in this layout, the max abs error is');
  });

  it('finds other faults after it is transposed back', async () => {
    const stage = stageNamed('sincnet');
    const { shape, data } = transpose(stage, [0, 2, 1]);
    const actual = { shape, data: data.map((value) => value / 1.05) };
    const cause = await expectCauses(contextOf(stage, actual), 'permuted-axes', 'scaled');
    expect(cause.evidence).toContain('correlation is 1.0000');
  });

  it('finds the order of three axes', async () => {
    const axes = ['channel', 'frame', 'mel'];
    const context = partOf('head', axes, [10, 20, 16], ([a, b, c]) => [0, 16 * a! + c!, b!]);
    const cause = await expectCauses({ ...context, actual: transpose(context.golden, [1, 2, 0]) }, 'permuted-axes');
    expect(cause.evidence).toMatch(/^the golden output is \(mel, channel, frame\): \(10, 20, 16\) against the computed \(20, 16, 10\)/);
  });

  it('finds axes of equal size transposed', async () => {
    const context = partOf('head', ['batch', 'channel', 'frame'], [1, 64, 64], ([, channel, frame]) => [0, channel!, frame!]);
    const actual = transpose(context.golden, [0, 2, 1]);
    const cause = await expectCauses({ ...context, actual }, 'permuted-axes');
    expect(cause.evidence).toMatch(/^the golden output is \(frame, channel\), the computed output is \(channel, frame\), both \(64, 64\)/);
  });

  it('finds that ours was reshaped instead of transposed', async () => {
    const stage = stageNamed('lstm');
    // (batch, channel, frame) in memory, named (batch, frame, channel).
    const { data } = transpose(stage, [0, 2, 1]);
    const cause = await expectCauses(contextOf(stage, { data: withNoise(data, ROUNDING) }), 'permuted-axes');
    expect(cause.evidence).toMatch(/^the computed output has the golden values in the memory order \(channel, frame\), reshaped/);
  });

  it('finds that the golden tensor was', async () => {
    const stage = stageNamed('lstm');
    const { data } = transpose(stage, [0, 2, 1]);
    const cause = await expectCauses(contextOf(stage, {}, { golden: { shape: stage.shape, data } }), 'permuted-axes');
    expect(cause.evidence).toMatch(/^the golden output has the computed values in the memory order \(channel, frame\)/);
  });

  it('finds the same values under another shape', async () => {
    const stage = stageNamed('embedding');
    const flat = await expectCauses(contextOf(stage, { shape: [192] }, { axes: ['channel'] }), 'permuted-axes');
    expect(flat.evidence).toContain('in the same order, but another shape: (1, 192) against the computed (192)');
    const sincnet = stageNamed('sincnet');
    const reshaped = await expectCauses(contextOf(sincnet, { shape: [1, 115, 60] }), 'permuted-axes');
    expect(reshaped.evidence).toContain('in the same order, but another shape');
  });

  it('does not treat a matching shape as matching values', async () => {
    const stage = stageNamed('sincnet');
    // Every value is shifted by half the tensor, which no layout does.
    const { shape, data } = transpose(stage, [0, 2, 1]);
    const moved = tensorOf(shape, (index) => data[(index + data.length / 2) % data.length]!);
    await expectCauses(contextOf(stage, moved));
  });
});
