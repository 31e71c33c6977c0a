import { describe, expect, it } from 'vitest';
import { crop, extent, type Interval, overlaps, subtract, support } from './intervals';

const intervals = (...bounds: [number, number][]): Interval[] =>
  bounds.map(([startSeconds, endSeconds]) => ({ startSeconds, endSeconds }));

describe('intervals', () => {
  it('merges what overlaps, touches, or is apart by no more than a microsecond', () => {
    const merged = support(intervals([5, 6], [0, 3], [1, 2], [3, 4], [4.0000009, 4.5], [7, 7]));
    expect(merged).toEqual(intervals([0, 4.5], [5, 6]));
  });

  it('spans from the first start to the last end', () => {
    expect(extent(intervals([5, 6], [1, 9], [20, 20]))).toEqual(intervals([1, 9]));
    expect(extent([])).toEqual([]);
  });

  it('finds what two or more share', () => {
    expect(overlaps(intervals([0, 4], [1, 2], [1.5, 5], [5, 6], [8, 9], [8, 9]))).toEqual(intervals([1, 4], [8, 9]));
  });

  it('cuts intervals to regions and keeps their other fields', () => {
    const labelled = [{ startSeconds: 0, endSeconds: 10, speaker: 'a' }];
    expect(crop(labelled, intervals([-5, 1], [2, 3], [9, 20], [30, 40]))).toEqual([
      { startSeconds: 0, endSeconds: 1, speaker: 'a' },
      { startSeconds: 2, endSeconds: 3, speaker: 'a' },
      { startSeconds: 9, endSeconds: 10, speaker: 'a' },
    ]);
    expect(crop(labelled, intervals([-5, 0], [10, 12]))).toEqual([]);
  });

  it('takes intervals out of regions', () => {
    expect(subtract(intervals([0, 10], [20, 30]), intervals([-1, 1], [4, 5], [9, 21], [30, 31]))).toEqual(
      intervals([1, 4], [5, 9], [21, 30]),
    );
    expect(subtract(intervals([0, 10]), intervals([-1, 11]))).toEqual([]);
    expect(subtract(intervals([0, 10]), [])).toEqual(intervals([0, 10]));
  });
});
