import { describe, expect, it } from 'vitest';
import { compareTensors, judge } from './compare';

const of = (...values: number[]): Float32Array => Float32Array.from(values);
const TOLERANCE = { maxAbs: 0.01, cosine: 0.999 };

describe('compareTensors', () => {
  it('measures equal tensors as equal', () => {
    const comparison = compareTensors(of(1, -2, 3), of(1, -2, 3));
    expect(comparison).toEqual({ maxAbs: 0, relative: 0, maxRelative: 0, meanAbs: 0, cosine: 1, nanCount: 0, infCount: 0, zeroCount: 0 });
    expect(judge(comparison, { maxAbs: 0, cosine: 1 })).toBe('pass');
  });

  it('measures differences and the angle', () => {
    const comparison = compareTensors(of(3, 0, 0), of(0, 4, 0));
    expect(comparison).toMatchObject({ maxAbs: 4, meanAbs: 7 / 3, cosine: 0, zeroCount: 2 });
    expect(compareTensors(of(-1, -2), of(1, 2)).cosine).toBe(-1);
    expect(compareTensors(of(1, 1), of(1, 0)).cosine).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it('returns an exact cosine for equal tensors, and never more than 1', () => {
    for (const size of [1, 2, 3, 7, 1000]) {
      const vector = Float32Array.from({ length: size }, (_, i) => 0.1 * (i + 1));
      expect(compareTensors(vector, vector).cosine).toBe(1);
      const { cosine } = compareTensors(vector.map((value) => 3 * value), vector);
      expect(cosine).toBeLessThanOrEqual(1);
      expect(cosine).toBeCloseTo(1, 12);
    }
    expect(compareTensors(of(3e38, 3e38), of(3e38, 3e38)).cosine).toBe(1);
    expect(compareTensors(of(1e-45, 0), of(1e-45, 0)).cosine).toBe(1);
  });

  it('defines the cosine of zeros', () => {
    expect(compareTensors(of(0, 0), of(0, 0)).cosine).toBe(1);
    expect(compareTensors(of(0, 0), of(1, 2)).cosine).toBe(0);
    expect(compareTensors(of(1, 2), of(0, 0)).cosine).toBe(0);
    expect(compareTensors(of(0, 0), of(NaN, 2)).cosine).toBeNaN();
  });

  it('counts NaN, infinite and zero values of the first', () => {
    const comparison = compareTensors(of(NaN, Infinity, -Infinity, 0, -0, 5), of(1, 1, 1, 1, 1, 5));
    expect(comparison).toMatchObject({ nanCount: 1, infCount: 2, zeroCount: 2 });
    expect(comparison.maxAbs).toBeNaN();
  });

  it('compares the greatest class of each row along the class axis', () => {
    const golden = of(1, 2, 3, /**/ 3, 2, 1, /**/ 0, 5, 0, /**/ 0, 0, 0);
    const actual = of(1, 2, 3.5, /**/ 2, 3, 1, /**/ 0, 5, 0, /**/ 0, 0, 0);
    const options = { shape: [1, 4, 3], axes: ['batch', 'frame', 'class'] };
    expect(compareTensors(actual, golden, options).argmaxAgreement).toBe(0.75);
    expect(compareTensors(actual, golden, { shape: [12], axes: ['frame'] })).not.toHaveProperty('argmaxAgreement');
  });

  it('finds the rows of a class axis that is not the last', () => {
    // Axes (batch, class, frame): the columns (1, 2), (4, 3) and (5, 6), (8, 7).
    const golden = of(1, 4, 2, 3, /**/ 5, 8, 6, 7);
    const options = { shape: [2, 2, 2], axes: ['batch', 'class', 'frame'] };
    expect(compareTensors(of(1, 4, 2, 3, /**/ 5, 8, 6, 7), golden, options).argmaxAgreement).toBe(1);
    expect(compareTensors(of(1, 4, 2, 3, /**/ 5, 6, 6, 7), golden, options).argmaxAgreement).toBe(0.75);
  });

  it('lets a row with NaN agree only with one that has NaN at the same position', () => {
    const options = { shape: [2, 2], axes: ['frame', 'class'] };
    expect(compareTensors(of(NaN, 0, 1, 0), of(NaN, 0, 1, 0), options).argmaxAgreement).toBe(1);
    expect(compareTensors(of(NaN, 0, 1, 0), of(2, 0, 1, 0), options).argmaxAgreement).toBe(0.5);
    expect(compareTensors(of(NaN, 0, 1, 0), of(0, NaN, 1, 0), options).argmaxAgreement).toBe(0.5);
  });

  it('rejects different sizes, and empty tensors', () => {
    expect(() => compareTensors(of(1), of(1, 2))).toThrow(expect.objectContaining({ code: 'model-output' }));
    expect(() => compareTensors(of(), of())).toThrow(expect.objectContaining({ code: 'model-output' }));
  });
});

describe('judge', () => {
  const sound = { maxAbs: 0.01, relative: 0.001, maxRelative: 0.01, meanAbs: 0.001, cosine: 0.999, nanCount: 0, infCount: 0, zeroCount: 0 };

  it('passes values on the bounds and fails values beyond one of them', () => {
    expect(judge(sound, TOLERANCE)).toBe('pass');
    expect(judge({ ...sound, maxAbs: 0.0101 }, TOLERANCE)).toBe('fail');
    expect(judge({ ...sound, cosine: 0.9989 }, TOLERANCE)).toBe('fail');
  });

  it('requires agreement of classes only if the tolerance does', () => {
    const strict = { ...TOLERANCE, argmaxAgreement: 0.999 };
    expect(judge({ ...sound, argmaxAgreement: 0.5 }, TOLERANCE)).toBe('pass');
    expect(judge({ ...sound, argmaxAgreement: 0.999 }, strict)).toBe('pass');
    expect(judge({ ...sound, argmaxAgreement: 0.998 }, strict)).toBe('fail');
    expect(judge(sound, strict)).toBe('fail');
  });

  it('judges relative to the spread, with a floor, and by any absolute bound', () => {
    const golden = of(3000, -4000, 5000, 0);
    const off = (share: number) => compareTensors(golden.map((value) => value * (1 + share)), golden);
    const relative = { maxAbs: Infinity, cosine: 0.999, rtol: 1e-4 };
    expect(judge(off(0.9e-4), relative)).toBe('pass');
    expect(judge(off(1.1e-4), relative)).toBe('fail');
    expect(judge(off(1.1e-4), { ...relative, atol: 0.6 })).toBe('pass');
    expect(judge(off(0.9e-4), { ...relative, maxAbs: 0.01 })).toBe('fail');
    // Errors that float32 rounding explains are within an absolute bound that is too narrow for these values.
    expect(judge(off(1e-5), { ...relative, maxAbs: 0.01 })).toBe('pass');
    expect(judge(off(1e-5), { maxAbs: 0.01, cosine: 0.999 })).toBe('fail');
  });

  it('fails one wrong value among many correct ones', () => {
    const golden = new Float32Array(100_000).map((_, index) => (-1) ** index);
    const wrong = golden.with(70_000, 1.02);
    const comparison = compareTensors(wrong, golden);
    expect(comparison.relative).toBeLessThan(1e-4);
    expect(judge(comparison, { maxAbs: Infinity, cosine: 0.999, rtol: 1e-4 })).toBe('fail');
  });

  it('judges golden zeros by the floor alone', () => {
    const tolerance = { maxAbs: 0.01, cosine: 0, rtol: 1e-4, atol: 1e-7 };
    expect(judge(compareTensors(of(1e-8, 0), of(0, 0)), tolerance)).toBe('pass');
    expect(judge(compareTensors(of(1e-3, 0), of(0, 0)), tolerance)).toBe('fail');
  });

  it('treats equal NaN and infinite values as equal, and any other as wrong, whatever the tolerance', () => {
    const boundless = { maxAbs: Infinity, cosine: -1 };
    expect(judge(compareTensors(of(1, -9), of(1, 9)), boundless)).toBe('pass');
    for (const value of [NaN, Infinity, -Infinity]) {
      expect(judge(compareTensors(of(1, value), of(1, 2)), boundless)).toBe('fail');
      expect(judge(compareTensors(of(1, 2), of(1, value)), boundless)).toBe('fail');
      expect(judge(compareTensors(of(1, value), of(1, -value)), boundless)).toBe(Number.isNaN(value) ? 'pass' : 'fail');
      expect(judge(compareTensors(of(1, value), of(1, value)), { maxAbs: 0, cosine: 1, rtol: 0 })).toBe('pass');
    }
  });

  it('fails a backend that returns only zeros', () => {
    expect(judge(compareTensors(of(0, 0), of(0.005, 0.005)), TOLERANCE)).toBe('fail');
  });
});
