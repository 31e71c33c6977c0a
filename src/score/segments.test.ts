import { describe, expect, it } from 'vitest';
import { crop, extent, overlaps, subtract, support } from './segments';
import type { Segment } from '../util/segment';

const segments = (...bounds: [number, number][]): Segment[] =>
  bounds.map(([startSeconds, endSeconds]) => ({ startSeconds, endSeconds }));

describe('segments', () => {
  it('merges segments that overlap, touch, or are at most a microsecond apart', () => {
    const merged = support(segments([5, 6], [0, 3], [1, 2], [3, 4], [4.0000009, 4.5], [7, 7]));
    expect(merged).toEqual(segments([0, 4.5], [5, 6]));
  });

  it('spans from the first start to the last end', () => {
    expect(extent(segments([5, 6], [1, 9], [20, 20]))).toEqual(segments([1, 9]));
    expect(extent([])).toEqual([]);
  });

  it('finds the time shared by two or more segments', () => {
    expect(overlaps(segments([0, 4], [1, 2], [1.5, 5], [5, 6], [8, 9], [8, 9]))).toEqual(segments([1, 4], [8, 9]));
  });

  it('cuts segments to regions and keeps their other fields', () => {
    const labeled = [{ startSeconds: 0, endSeconds: 10, speaker: 'a' }];
    expect(crop(labeled, segments([-5, 1], [2, 3], [9, 20], [30, 40]))).toEqual([
      { startSeconds: 0, endSeconds: 1, speaker: 'a' },
      { startSeconds: 2, endSeconds: 3, speaker: 'a' },
      { startSeconds: 9, endSeconds: 10, speaker: 'a' },
    ]);
    expect(crop(labeled, segments([-5, 0], [10, 12]))).toEqual([]);
  });

  it('subtracts segments from regions', () => {
    expect(subtract(segments([0, 10], [20, 30]), segments([-1, 1], [4, 5], [9, 21], [30, 31]))).toEqual(
      segments([1, 4], [5, 9], [21, 30]),
    );
    expect(subtract(segments([0, 10]), segments([-1, 11]))).toEqual([]);
    expect(subtract(segments([0, 10]), [])).toEqual(segments([0, 10]));
  });
});
