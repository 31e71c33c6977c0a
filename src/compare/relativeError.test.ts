import { describe, expect, it } from 'vitest';
import { compareTensors, judge } from './compare';
import { offsetShareOf, stageTolerance } from './stageTolerance';

const SIZE = 1000;
const TOLERANCE = stageTolerance({ maxAbs: Infinity, cosine: 0.999 }, ['float32']);

/** Values from -1 to 1 in irregular order, rounded to float32. */
const signal = (scale: number, offset = 0, phase = 0): Float32Array =>
  Float32Array.from({ length: SIZE }, (_, index) => offset + scale * Math.sin(index * index + phase));
const verdict = (actual: Float32Array, golden: Float32Array): string => judge(compareTensors(actual, golden), TOLERANCE);

describe('attention scores with a mask', () => {
  it.each([-1e4, -1e9, -3.4028234663852886e38])('does not let the fill value %d hide errors of the other values', (fill) => {
    for (const numMasked of [1, 100, 990]) {
      const masked = (scores: Float32Array): Float32Array => scores.map((value, index) => (index < numMasked ? fill : value));
      const golden = masked(signal(3));
      expect(verdict(masked(signal(3.15)), golden)).toBe('fail');
      expect(verdict(masked(signal(3.00003)), golden)).toBe('pass');
    }
  });

  it('judges fill values relative to themselves', () => {
    const added = (fill: number, scores: Float32Array): Float32Array => scores.map((value, index) => (index % 2 === 0 ? fill + value : value));
    expect(verdict(added(-1e9, signal(3)), added(-1e9, signal(3, 40)).map((value, index) => (index % 2 === 0 ? value : value - 40)))).toBe('pass');
    expect(verdict(added(-1.01e9, signal(3)), added(-1e9, signal(3)))).toBe('fail');
    // Two masks were added to each other.
    const twice = signal(3).map((value, index) => [value, -1e9, -2e9][index % 3]!);
    expect(verdict(twice.map((value, index) => (index % 3 === 0 ? 1.1 * value : value)), twice)).toBe('fail');
  });
});

describe('a mask before it is added', () => {
  it.each([-1e4, -1e9])('does not let the fill value %d hide errors of its zeros', (fill) => {
    const mask = (bias: number): Float32Array => signal(bias).map((value, index) => (index % 2 === 0 ? fill : value));
    expect(verdict(mask(2), mask(0))).toBe('fail');
    expect(verdict(mask(1e-3), mask(0))).toBe('fail');
    expect(verdict(mask(1e-5), mask(0))).toBe('pass');
    expect(verdict(mask(0).map((value) => value * (1 + 2 ** -24)), mask(0))).toBe('pass');
  });

  it('is not a spectrum, whose zeros have rounding errors', () => {
    const tone = (noise: number): Float32Array => signal(noise).map((value, index) => (index % 200 === 7 ? 1e5 : value));
    expect(verdict(tone(2e-3), tone(0))).toBe('pass');
  });
});

describe('an offset', () => {
  it('does not hide a signal that is lost or wrong', () => {
    expect(verdict(signal(0, 1000), signal(0.05, 1000))).toBe('fail');
    expect(verdict(signal(0, 1000), signal(0.005, 1000))).toBe('fail');
    expect(verdict(signal(1.01, 1000), signal(1, 1000))).toBe('fail');
    expect(verdict(signal(1, 1000.01), signal(1, 1000))).toBe('fail');
  });

  it('allows its own rounding', () => {
    // Two steps of float32 at 1000.
    const rounded = signal(0.05, 1000).map((value, index) => value + ((index % 5) - 2) * 2 ** -14);
    expect(verdict(rounded, signal(0.05, 1000))).toBe('pass');
  });

  it('is the scale for types that round by the same amount', () => {
    const [ours, golden] = [signal(1, 1000.4), signal(1, 1000)];
    const judged = (dtype: string): string => {
      const offsetShare = offsetShareOf([dtype]);
      return judge(compareTensors(ours, golden, { shape: [SIZE], axes: ['x'], offsetShare }), stageTolerance({ maxAbs: Infinity, cosine: 0 }, [dtype]));
    };
    expect(judged('float16')).toBe('pass');
    expect(judged('float32')).toBe('fail');
  });

  it('is the scale for a constant and for a single value', () => {
    expect(verdict(signal(0, 1000.01), signal(0, 1000))).toBe('pass');
    expect(verdict(signal(0, 1000.1), signal(0, 1000))).toBe('fail');
    expect(judge(compareTensors(Float32Array.of(0.50002), Float32Array.of(0.5)), TOLERANCE)).toBe('pass');
    expect(judge(compareTensors(Float32Array.of(0.9001, 0.9101), Float32Array.of(0.9, 0.91)), TOLERANCE)).toBe('fail');
  });
});

describe('outliers', () => {
  it('do not hide errors of the rest', () => {
    const outliers = [4e4, -9e4, 7e5, 6e3, -2e6];
    const withOutliers = (values: Float32Array): Float32Array => values.map((value, index) => outliers[index] ?? value);
    expect(verdict(withOutliers(signal(30)), withOutliers(signal(90)))).toBe('fail');
    expect(verdict(withOutliers(signal(30)), withOutliers(signal(30.001)))).toBe('pass');
  });

  it('are what a one-hot output and the spectrum of a tone consist of', () => {
    const tone = (noise: number): Float32Array => signal(noise).map((value, index) => (index % 200 === 7 ? 256 : value));
    // Errors of float32 sums.
    expect(verdict(tone(2e-5), tone(-2e-5))).toBe('pass');
    expect(verdict(tone(2e-2), tone(-2e-2))).toBe('fail');
    const oneHot = (value: number): Float32Array => signal(0).map((_, index) => (index % 100 === 0 ? value : 1e-9));
    expect(verdict(oneHot(0.99999), oneHot(1))).toBe('pass');
    expect(verdict(oneHot(0.999), oneHot(1))).toBe('fail');
  });
});

describe('stages of other kinds', () => {
  it('judges golden values that are all zero by the absolute error alone', () => {
    const zeros = new Float32Array(SIZE);
    expect(verdict(signal(1e-8), zeros)).toBe('pass');
    expect(verdict(signal(1e-6), zeros)).toBe('fail');
    // Golden values as small as the absolute floor still have an angle.
    expect(verdict(signal(-1e-8), signal(1e-8))).toBe('fail');
    expect(verdict(zeros, signal(1e-8))).toBe('fail');
  });

  it('finds errors behind channels of a thousand times the scale of the rest', () => {
    const withChannel = (values: Float32Array): Float32Array => values.map((value, index) => (index % 250 === 7 ? 900 + value : value));
    expect(verdict(withChannel(signal(1.01)), withChannel(signal(1)))).toBe('fail');
    expect(verdict(withChannel(signal(1)).map((value) => value * (1 + 1e-7)), withChannel(signal(1)))).toBe('pass');
  });

  it.each([128, -273, 1e5])('distinguishes a signal around %d from its mean', (offset) => {
    expect(verdict(signal(0, offset), signal(1, offset))).toBe('fail');
    // One rounding of float32.
    expect(verdict(signal(1, offset).map((value) => value * (1 + 2 ** -24)), signal(1, offset))).toBe('pass');
  });
});
