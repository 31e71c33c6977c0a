import { zeros, type Dense } from './dense';

/** Rows of a cell. */
export const CELL = 64;

/**
 * Puts rows that lie near each other one after the other: halves them at the median along the axis on which they differ
 * most, then the halves, down to cells of {@link CELL}, as a k-d tree.
 *
 * @returns row at each place
 */
export function cellOrder({ data, numRows, numColumns }: Dense): Int32Array {
  const order = Int32Array.from({ length: numRows }, (_, i) => i);
  const widestAxis = (from: number, to: number): number => {
    let axis = 0;
    let greatest = -Infinity;
    for (let k = 0; k < numColumns; k++) {
      let sum = 0;
      let squares = 0;
      for (let place = from; place < to; place++) {
        const value = data[order[place]! * numColumns + k]!;
        sum += value;
        squares += value * value;
      }
      const variance = squares - (sum * sum) / (to - from);
      if (variance > greatest) {
        greatest = variance;
        axis = k;
      }
    }
    return axis;
  };
  const halve = (from: number, to: number): void => {
    if (to - from <= CELL) return;
    const axis = widestAxis(from, to);
    const valueOf = (row: number): number => data[row * numColumns + axis]!;
    order.subarray(from, to).sort((a, b) => valueOf(a) - valueOf(b) || a - b);
    const middle = from + CELL * Math.ceil((to - from) / (2 * CELL));
    halve(from, middle);
    halve(middle, to);
  };
  halve(0, numRows);
  return order;
}

/** Copies of the rows, in another order. */
export function reordered(rows: Dense, order: Int32Array): Dense {
  const result = zeros(rows.numRows, rows.numColumns);
  const { numColumns } = rows;
  order.forEach((row, place) => {
    result.data.set(rows.data.subarray(row * numColumns, (row + 1) * numColumns), place * numColumns);
  });
  return result;
}

/** The box around each cell's rows, to tell how far apart two cells are at least. */
export class CellBoxes {
  readonly count: number;
  private readonly least: Dense;
  private readonly greatest: Dense;

  /** @param rows axes (place, dimension), in the order of {@link cellOrder} */
  constructor({ data, numRows, numColumns }: Dense) {
    this.count = Math.ceil(numRows / CELL);
    this.least = zeros(this.count, numColumns);
    this.greatest = zeros(this.count, numColumns);
    this.least.data.fill(Infinity);
    this.greatest.data.fill(-Infinity);
    for (let place = 0; place < numRows; place++) {
      const box = Math.floor(place / CELL) * numColumns;
      for (let k = 0; k < numColumns; k++) {
        const value = data[place * numColumns + k]!;
        if (value < this.least.data[box + k]!) this.least.data[box + k] = value;
        if (value > this.greatest.data[box + k]!) this.greatest.data[box + k] = value;
      }
    }
  }

  /** Square of the least distance of a row of cell `a` and one of cell `b`. */
  gapSquare(a: number, b: number): number {
    const { numColumns } = this.least;
    const atA = a * numColumns;
    const atB = b * numColumns;
    let sum = 0;
    for (let k = 0; k < numColumns; k++) {
      const below = this.least.data[atA + k]! - this.greatest.data[atB + k]!;
      const above = this.least.data[atB + k]! - this.greatest.data[atA + k]!;
      const gap = Math.max(0, below, above);
      sum += gap * gap;
    }
    return sum;
  }
}
