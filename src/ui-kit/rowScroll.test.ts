import { describe, expect, it } from 'vitest';
import { firstRow, isNearEdge, isScaled, lastRow, presentRows, type RowView, scrollTopFor, TALLEST_PIXELS } from './rowScroll';

/** A view of 10 rows, of which the header covers one. */
const viewOf = (numRows: number, scrollTop = 0): RowView => ({ numRows, rowHeight: 40, clientHeight: 400, scrollTop });

describe('a table of a few hundred rows', () => {
  it('has the rows near the view, and spacers for the others', () => {
    const view = viewOf(500, 200 * 40);
    expect([firstRow(view), lastRow(view)]).toEqual([200, 211]);
    expect(presentRows(view)).toEqual({ from: 120, to: 291, aboveHeight: 120 * 40, belowHeight: 209 * 40 });
    expect(presentRows(viewOf(50))).toEqual({ from: 0, to: 50, aboveHeight: 0, belowHeight: 0 });
  });

  it('needs other rows before the present ones end', () => {
    const rows = { from: 120, to: 291 };
    expect([150, 159, 160, 200, 240, 241].map((row) => isNearEdge(viewOf(500, row * 40), rows))).toEqual([true, true, false, false, false, true]);
    expect(isNearEdge(viewOf(50), { from: 0, to: 50 })).toBe(false);
  });

  it('scrolls no further than needed to show a row, below the header', () => {
    const view = viewOf(500, 200 * 40);
    expect([10, 200, 208, 209].map((index) => scrollTopFor(view, index))).toEqual([400, 8000, 8000, 8040]);
  });
});

describe('a table that is taller than an element can be', () => {
  const numRows = 1_000_000;

  it('is as tall as an element can be at the start, within it, and at the end', () => {
    expect([250_000, 250_001].map((rows) => isScaled(viewOf(rows)))).toEqual([false, true]);
    for (const scrollTop of [0, 1, 5_000_000.5, TALLEST_PIXELS + 40 - 400]) {
      const { from, to, aboveHeight, belowHeight } = presentRows(viewOf(numRows, scrollTop));
      expect(aboveHeight + (to - from) * 40 + belowHeight).toBe(TALLEST_PIXELS);
    }
  });

  it('reaches each row: the first and the last ones too', () => {
    for (const index of [0, 1, 123_456, 999_998, 999_999]) {
      const view = viewOf(numRows, scrollTopFor(viewOf(numRows, 3_000_000), index));
      const first = firstRow(view);
      expect(index).toBeGreaterThanOrEqual(first);
      // Nine rows are visible below the header.
      expect(index).toBeLessThan(first + 9);
      const { from, to } = presentRows(view);
      expect(index).toBeGreaterThanOrEqual(from);
      expect(index).toBeLessThan(to);
    }
  });
});
