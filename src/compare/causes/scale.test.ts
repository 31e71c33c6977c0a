import { describe, expect, it } from 'vitest';
import { contextOf, expectCauses, ROUNDING, stageNamed, STAGES, withNoise } from '../../../test/compare/planted';

describe('scaled', () => {
  it('reports the factor of the golden tensor', async () => {
    const stage = stageNamed('lstm');
    const golden = { shape: stage.shape, data: stage.data.map((value) => 1.05 * value) };
    const cause = await expectCauses(contextOf(stage, {}, { golden }), 'scaled');
    expect(cause.evidence).toMatch(/^the golden output is 1\.0500 × the computed output/);
    // Each float32 value is within an ulp of 1.05 times the other.
    expect(cause.values.factor).toBeCloseTo(1.05, 6);
  });

  it.each([1, 2, 3])('reports it under rounding, seed %i', async (seed) => {
    const stage = stageNamed('lstm');
    const data = withNoise(stage.data, ROUNDING, seed).map((value) => value / 1.05);
    const cause = await expectCauses(contextOf(stage, { data }), 'scaled');
    expect(Math.abs((cause.values.factor as number) - 1.05)).toBeLessThanOrEqual(1e-3);
  });

  it.each(STAGES)('finds it in $name: large, small and negative factors', async (stage) => {
    for (const factor of [1.5, 0.25, -1, 255, 1 / 32768]) {
      const data = withNoise(stage.data, ROUNDING).map((value) => value / factor);
      const cause = await expectCauses(contextOf(stage, { data }), 'scaled');
      expect((cause.values.factor as number) / factor).toBeCloseTo(1, 3);
    }
  });

  it('reports factor and offset if both are needed', async () => {
    const stage = stageNamed('linear2');
    const data = stage.data.map((value) => (value - 3) / 2);
    const cause = await expectCauses(contextOf(stage, { data }), 'scaled');
    expect(cause.evidence).toMatch(/^the golden output is 2\.0000 × the computed output \+ 3\.0000/);
  });
});

describe('offset', () => {
  it.each(STAGES)('finds it in $name under rounding', async (stage) => {
    for (const offset of [1, -0.5, 40]) {
      const data = withNoise(stage.data, ROUNDING).map((value) => value - offset);
      const cause = await expectCauses(contextOf(stage, { data }), 'offset');
      // With so many values, the noise averages out to far below its size.
      expect(Math.abs((cause.values.offset as number) - offset)).toBeLessThan(ROUNDING);
    }
  });

  it('reports it with its sign', async () => {
    const stage = stageNamed('linear2');
    const cause = await expectCauses(contextOf(stage, { data: stage.data.map((value) => value + 0.25) }), 'offset');
    expect(cause.evidence).toMatch(/^the golden output is the computed output − 0\.25000/);
  });

  it('does not report an offset for two different tensors that are far apart', async () => {
    const stage = stageNamed('linear2');
    const other = stage.data.toReversed().map((value) => value + 500);
    await expectCauses(contextOf(stage, { data: other }));
  });
});

describe('log-base', () => {
  const fbank = stageNamed('fbank');

  it.each([
    ['to base 10', Math.LOG10E, 'logarithm to base 10'],
    ['to base 2', Math.LOG2E, 'logarithm to base 2'],
    ['in decibels of power', 10 * Math.LOG10E, '10·log10'],
    ['in decibels of amplitude', 20 * Math.LOG10E, '20·log10'],
  ])('finds logarithms %s in ours', async (_, factor, text) => {
    const data = withNoise(fbank.data, ROUNDING).map((value) => factor * value);
    const cause = await expectCauses(contextOf(fbank, { data }), 'log-base');
    expect(cause.evidence).toMatch(new RegExp(`golden values are a natural logarithm, computed values are a .*${text}`));
    expect((cause.values.factor as number) * factor).toBeCloseTo(1, 4);
  });

  it('finds them in the golden tensor', async () => {
    const golden = { shape: fbank.shape, data: fbank.data.map((value) => value * Math.LOG10E) };
    const cause = await expectCauses(contextOf(fbank, {}, { golden }), 'log-base');
    expect(cause.evidence).toMatch(/^the golden output is 0\.43429 × the computed output: golden values are a logarithm to base 10, computed values are a natural/);
  });

  it('leaves factors that are not exactly a constant of logarithms to scaled', async () => {
    for (const factor of [2, 10, 20, 0.1, 2.31, 1.44]) {
      await expectCauses(contextOf(fbank, { data: fbank.data.map((value) => value / factor) }), 'scaled');
    }
  });

  it('finds that ours is not a logarithm', async () => {
    const stage = stageNamed('classifier');
    const cause = await expectCauses(contextOf(stage, { data: stage.data.map(Math.exp) }), 'log-base');
    expect(cause.evidence).toMatch(/^the golden output is the natural logarithm of \(the computed output\): a logarithm is missing in the computed output/);
    const decibels = { shape: stage.shape, data: stage.data.map((value) => 10 * Math.log10(Math.exp(value))) };
    const cause10 = await expectCauses(contextOf(stage, { data: stage.data.map(Math.exp) }, { golden: decibels }), 'log-base');
    expect(cause10.evidence).toContain('10·log10');
  });

  it('finds that the golden tensor is not a logarithm', async () => {
    const stage = stageNamed('classifier');
    const golden = { shape: stage.shape, data: stage.data.map(Math.exp) };
    const cause = await expectCauses(contextOf(stage, {}, { golden }), 'log-base');
    expect(cause.evidence).toMatch(/^the golden output is exp\(the computed output\): a logarithm is missing in the golden output/);
  });
});
