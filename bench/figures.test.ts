import { describe, expect, it } from 'vitest';
import { median } from './figures';

describe('median', () => {
  it('is the middle value by size, not by text or place', () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([4])).toBe(4);
  });

  it('lies half way between the two in the middle', () => {
    expect(median([1, 100, 4, 2])).toBe(3);
  });

  it('leaves the values as they are', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('is not a number where there are none', () => {
    expect(median([])).toBeNaN();
  });
});
