import { describe, expect, it } from 'vitest';
import { divideItems, fillTables, layOutItems, type RowGeometry } from './campplusLayout';

const GEOMETRY: RowGeometry = { stride: 2, gapRows: 2, segmentRows: 3 };
const NO_LIMIT = 1e9;

describe('dividing items into batches', () => {
  it('sorts by length, and starts a batch where an item does not fit', () => {
    // Rooms of 5 + 2, 2 + 2, 3 + 2 and 2 + 2 rows, after a gap of two.
    expect(divideItems([10, 4, 5, 3], GEOMETRY, 16)).toEqual([[3, 1, 2], [0]]);
    expect(divideItems([10, 4, 5, 3], GEOMETRY, NO_LIMIT)).toEqual([[3, 1, 2, 0]]);
    expect(divideItems([], GEOMETRY, 16)).toEqual([]);
  });

  it('gives an item that is longer than a batch its own', () => {
    expect(divideItems([100, 4], GEOMETRY, 16)).toEqual([[1], [0]]);
  });
});

describe('the layout of a batch', () => {
  const layout = layOutItems([1, 0], [7, 4], GEOMETRY, NO_LIMIT);

  it('has gaps around each item, and rows of gates for each segment', () => {
    expect(layout.items).toEqual([
      { index: 1, numFrames: 4, firstRow: 2, numRows: 2, firstGateRow: 0 },
      { index: 0, numFrames: 7, firstRow: 6, numRows: 4, firstGateRow: 1 },
    ]);
    expect(layout).toMatchObject({ numRows: 12, numGateRows: 3, slices: [{ firstFrame: 0, numFrames: 24 }] });
  });

  it('fills the tables, over those of an earlier batch', () => {
    const tables = { rows: new Uint32Array(13).fill(9), frames: new Uint32Array(25).fill(9), stats: new Uint32Array(4), gates: new Uint32Array(8) };
    fillTables(layout, GEOMETRY, tables);
    expect([...tables.rows]).toEqual([0, 0, 1, 1, 0, 0, 2, 2, 2, 3, 0, 0, 9]);
    expect(tables.frames.join('')).toBe('0000111100002222222000009');
    expect([...tables.stats]).toEqual([2, 2, 6, 4]);
    expect([...tables.gates]).toEqual([2, 2, 0, 0, 6, 4, 1, 0]);
  });

  it('has slices of whole items, at most twelve, that cover all frames of items', () => {
    const lengths = Array.from({ length: 40 }, (_, index) => 2100 + index);
    const { items, slices } = layOutItems([...lengths.keys()], lengths, GEOMETRY, NO_LIMIT);
    expect(slices.length).toBeGreaterThan(1);
    expect(slices.length).toBeLessThanOrEqual(12);
    for (const { firstRow, numFrames } of items) {
      const [begin, end] = [2 * firstRow, 2 * firstRow + numFrames];
      expect(slices.filter((slice) => slice.firstFrame < begin && end < slice.firstFrame + slice.numFrames)).toHaveLength(1);
    }
  });

  it('reports an item that exceeds the buffers of the GPU', () => {
    expect(() => layOutItems([0], [1000], GEOMETRY, 900)).toThrow(expect.objectContaining({ code: 'gpu-memory' }) as Error);
  });
});
