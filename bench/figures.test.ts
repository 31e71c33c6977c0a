import { describe, expect, it } from 'vitest';
import { median } from './figures';

describe('median', () => {
  it('is the middle value in numeric order', () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([4])).toBe(4);
  });

  it('is the mean of the two middle values', () => {
    expect(median([1, 100, 4, 2])).toBe(3);
  });

  it('does not change the input', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('is NaN without values', () => {
    expect(median([])).toBeNaN();
  });
});
