import { describe, expect, it } from 'vitest';
import { growthExponent } from './growth';

const points = (lengths: readonly number[], work: (length: number) => number) =>
  lengths.map((audioSeconds) => ({ audioSeconds, workSeconds: work(audioSeconds) }));

describe('growthExponent', () => {
  it.each([0.5, 1, 2])('finds the power %d', (power) => {
    expect(growthExponent(points([180, 600, 10_800], (length) => 0.03 * length ** power))).toBeCloseTo(power, 9);
  });

  it('is a fit, not the line through the ends', () => {
    // The middle point is twice the linear value, which is symmetric in logarithms and does not change the slope.
    const bent = points([180, 1800, 18_000], (length) => (length === 1800 ? 2 : 1) * length);
    expect(growthExponent(bent)).toBeCloseTo(1, 9);
    expect(growthExponent(points([180, 600, 18_000], (length) => (length === 600 ? 2 : 1) * length))).toBeLessThan(0.98);
  });

  it('ignores recordings shorter than three minutes', () => {
    expect(growthExponent(points([60, 180, 600], (length) => (length === 60 ? 1e6 : length)))).toBeCloseTo(1, 9);
  });

  it('is null with fewer than two lengths', () => {
    expect(growthExponent([])).toBeNull();
    expect(growthExponent(points([60, 180], (length) => length))).toBeNull();
    expect(growthExponent(points([600, 600, 600], Math.random))).toBeNull();
    expect(growthExponent(points([180, 600], () => 0))).toBeNull();
  });
});
