import { describe, expect, it } from 'vitest';
import { compareTensors } from './compare';
import { hasShape, indexOf, judgeMeasures, measure } from './measure';
import type { Tensor } from './tensor';

const tensor = (shape: number[], ...values: number[]): Tensor => ({ shape, data: Float32Array.from(values) });
const AXES = ['batch', 'frame', 'class'];
const TOLERANCE = { maxAbs: 0.01, cosine: 0.999 };
const NOTHING = { maxAbs: null, maxRelative: null, goldenRms: null, quantiles: null, meanAbs: null, relative: null, cosine: null, snrDb: null, argmaxAgreement: null, worst: null };

describe('measure', () => {
  it('measures a difference, and reports where it is greatest', () => {
    const golden = tensor([1, 3, 2], 1, 2, 3, 4, 5, 6);
    const actual = tensor([1, 3, 2], 1, 2, 3, 4, 7, 6);
    const measures = measure(actual, golden, AXES, (frame) => 0.5 + 0.1 * frame);
    expect(measures).toMatchObject({ maxAbs: 2, meanAbs: 2 / 6, nanCount: 0, infCount: 0, zeroCount: 0 });
    // The squares of 1 … 6 add up to 91, those of their distances from the mean to 17.5.
    expect(measures.relative).toBeCloseTo(2 / Math.sqrt(17.5), 12);
    expect(measures.snrDb).toBeCloseTo(10 * Math.log10(91 / 4), 12);
    expect(measures.argmaxAgreement).toBeCloseTo(2 / 3, 12);
    expect(measures.worst).toEqual({ index: [0, 2, 0], actual: 7, golden: 5, seconds: 0.7 });
  });

  it('agrees with compareTensors, which the backend self-check uses', () => {
    const golden = tensor([2, 2, 2], 0.3, -1, 2, 0, 5, 7, -9, 1);
    const actual = tensor([2, 2, 2], 0.31, -1, 2.5, 0, 4, 7, -9.5, 1);
    const { shape, data } = actual;
    expect(measure(actual, golden, AXES)).toMatchObject(compareTensors(data, golden.data, { shape, axes: AXES }));
  });

  it('has no ratio, no worst value and no seconds if they do not exist', () => {
    const equal = measure(tensor([2], 1, 2), tensor([2], 1, 2), ['frame'], () => 1);
    expect(equal).toMatchObject({ maxAbs: 0, relative: 0, cosine: 1, snrDb: null, argmaxAgreement: null, worst: null });
    expect(measure(tensor([2], 0, 1), tensor([2], 0, 0), ['frame'])).toMatchObject({ relative: null, snrDb: null });
    expect(measure(tensor([2], 1, 3), tensor([2], 1, 2), ['frame']).worst?.seconds).toBeNull();
    expect(measure(tensor([2], 1, 3), tensor([2], 1, 2), ['channel'], () => 1).worst?.seconds).toBeNull();
    expect(measure(tensor([2], 1, 3), tensor([2], 1, 2), ['sample'], (sample) => sample / 4).worst?.seconds).toBe(0.25);
  });

  it.each([
    ['NaN', NaN, { nanCount: 1, infCount: 0 }],
    ['infinity', -Infinity, { nanCount: 0, infCount: 1 }],
  ])('reports no measure that %s invalidates, and points at the first', (_, value, counts) => {
    const measures = measure(tensor([1, 4], 1, 9, value, 0), tensor([1, 4], 1, 2, 3, 4), ['batch', 'frame']);
    expect(measures).toMatchObject({ maxAbs: null, meanAbs: null, relative: null, cosine: null, snrDb: null, ...counts });
    expect(measures).toMatchObject({ zeroCount: 1, worst: { index: [0, 2], actual: value, golden: 3 } });
  });

  it('reports no measure if a golden value is not finite', () => {
    const measures = measure(tensor([3], 1, 2, Infinity), tensor([3], 1, NaN, Infinity), ['frame']);
    expect(measures).toMatchObject({ maxAbs: null, nanCount: 0, infCount: 1, worst: { index: [1] } });
  });

  it('reports only counts if the shapes differ, even with the same number of values', () => {
    const actual = tensor([2, 2], NaN, 0, Infinity, 1);
    const counts = { nanCount: 1, infCount: 1, zeroCount: 1 };
    expect(measure(actual, tensor([4], 1, 2, 3, 4), ['frame', 'class'])).toEqual({ ...NOTHING, ...counts });
    expect(measure(actual, tensor([2, 3], 1, 2, 3, 4, 5, 6), ['frame', 'class'])).toEqual({ ...NOTHING, ...counts });
  });

  it('finds no difference between two empty tensors of the same shape', () => {
    const empty = measure(tensor([1, 0, 4]), tensor([1, 0, 4]), ['batch', 'frame', 'class']);
    expect(empty).toMatchObject({ maxAbs: 0, relative: 0, cosine: 1, worst: null });
    expect(judgeMeasures(empty, { maxAbs: 0, cosine: 1, rtol: 0 })).toBe('pass');
  });

  it('reports quantiles of the errors, and the scale of the golden values', () => {
    const golden = tensor([1000], ...Array.from({ length: 1000 }, (_, index) => 2 * (-1) ** index));
    const actual = tensor([1000], ...Array.from({ length: 1000 }, (_, index) => golden.data[index]! + (index + 1) / 1024));
    const { quantiles, goldenRms, maxRelative } = measure(actual, golden, ['frame']);
    expect(quantiles).toEqual({ median: 500 / 1024, p90: 900 / 1024, p99: 990 / 1024 });
    expect([goldenRms, maxRelative]).toEqual([2, 1000 / 1024 / 2]);
  });

  it('measures the rest of a tensor whose values are infinite on both sides', () => {
    const measures = measure(tensor([4], 3, -Infinity, NaN, 4), tensor([4], 3, -Infinity, NaN, 5), ['frame']);
    expect(measures).toMatchObject({ maxAbs: 1, nanCount: 1, infCount: 1, goldenRms: Math.sqrt(17), worst: { index: [3] } });
  });

  it('measures a single number without axes', () => {
    expect(measure(tensor([], 3), tensor([], 1), [])).toMatchObject({ maxAbs: 2, worst: { index: [], actual: 3, golden: 1 } });
  });
});

describe('judgeMeasures', () => {
  const golden = tensor([1, 2, 2], 1, 2, 4, 3);

  it('passes within the tolerance, and fails outside it or if nothing could be measured', () => {
    const judged = (actual: Tensor, maxAbs: number): string =>
      judgeMeasures(measure(actual, golden, AXES), { ...TOLERANCE, maxAbs });
    expect(judged(tensor([1, 2, 2], 1, 2, 4, 3.25), 0.25)).toBe('pass');
    expect(judged(tensor([1, 2, 2], 1, 2, 4, 3.25), 0.24)).toBe('fail');
    expect(judged(tensor([1, 2, 2], 1, 2, 4, NaN), Infinity)).toBe('fail');
    expect(judged(tensor([2, 2], 1, 2, 4, 3), Infinity)).toBe('fail');
  });

  it('requires agreement of classes if the tolerance does', () => {
    const turned = measure(tensor([1, 2, 2], 1, 2, 3.5, 3.501), golden, AXES);
    const loose = { maxAbs: 1, cosine: 0.9 };
    expect(judgeMeasures(turned, loose)).toBe('pass');
    expect(judgeMeasures(turned, { ...loose, argmaxAgreement: 0.6 })).toBe('fail');
    expect(judgeMeasures({ ...turned, argmaxAgreement: null }, { ...loose, argmaxAgreement: 0 })).toBe('fail');
  });
});

it('finds the index along each axis', () => {
  expect(indexOf(17, [2, 3, 4])).toEqual([1, 1, 1]);
  expect(indexOf(0, [])).toEqual([]);
  expect(indexOf(23, [2, 3, 4])).toEqual([1, 2, 3]);
});

it('compares shapes axis by axis', () => {
  expect(hasShape(tensor([1, 2], 0, 0), [1, 2])).toBe(true);
  expect(hasShape(tensor([1, 2], 0, 0), [2])).toBe(false);
  expect(hasShape(tensor([1, 2], 0, 0), [2, 1])).toBe(false);
});

it.each([1e200, 1e308])('measures float64 values of the magnitude %d, whose squares are infinite', (scale) => {
  const tensor = (...values: number[]) => ({ shape: [4], data: Float32Array.from(values), exact: Float64Array.from(values, (value) => value * scale) });
  const golden = tensor(0.1, -0.5, 0.9, -1);
  expect(measure(golden, golden, ['x'])).toMatchObject({ maxAbs: 0, relative: 0, cosine: 1 });
  const other = measure(tensor(0.1, -0.5, 0.9, -0.9), golden, ['x']);
  expect(other.maxAbs! / scale).toBeCloseTo(0.1, 12);
  expect(other.relative).toBeGreaterThan(0.01);
  expect(other.cosine).toBeLessThan(1);
});
