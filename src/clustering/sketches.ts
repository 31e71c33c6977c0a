import { rowOf, zeros, type Dense } from './dense';

/**
 * Short rows that stand for long ones: the first values, then the norm of the rest. By the triangle inequality two
 * sketches are never farther apart than the rows are.
 *
 * @param rows axes (row, dimension)
 * @param numLeading values that are kept; zeros follow where a row has fewer
 * @returns axes (row, numLeading + 1)
 */
export function sketchesOf(rows: Dense, numLeading: number): Dense {
  const sketches = zeros(rows.numRows, numLeading + 1);
  for (let i = 0; i < rows.numRows; i++) writeSketch(rows, i, sketches, i);
  return sketches;
}

/** Writes the sketch of row `row` at `place` of `sketches`. */
export function writeSketch(rows: Dense, row: number, sketches: Dense, place: number): void {
  const from = rowOf(rows, row);
  const to = rowOf(sketches, place);
  const numLeading = sketches.numColumns - 1;
  to.set(from.subarray(0, numLeading));
  let square = 0;
  for (let k = numLeading; k < from.length; k++) square += from[k]! * from[k]!;
  to[numLeading] = Math.sqrt(square);
}

/** How much rounding may add to the distance of two sketches, and to its square where that comes of dot products. */
export interface Slack {
  readonly distance: number;
  readonly square: number;
}

/** Sums have one term per dimension, each of at most the greatest square; four times what that can lose. */
export function slackOf(rows: Dense): Slack {
  let greatest = 0;
  for (let i = 0; i < rows.numRows; i++) greatest = Math.max(greatest, squareOf(rows, i));
  const part = 4 * rows.numColumns * Number.EPSILON;
  return { distance: part * Math.sqrt(greatest), square: part * greatest };
}

/** Sum of the squares of one row. */
export function squareOf(rows: Dense, row: number): number {
  let sum = 0;
  for (const value of rowOf(rows, row)) sum += value * value;
  return sum;
}

/** Dimensions after which a distance is given up where it is too great already. */
const STRIDE = 32;

/**
 * Square of the distance of two rows; `Infinity` where it is found to exceed `limit` on the way. Rows that are equal are
 * at 0, exactly.
 */
export function squareWithin({ data, numColumns }: Dense, i: number, j: number, limit: number): number {
  const a = i * numColumns;
  const b = j * numColumns;
  let sum = 0;
  for (let k = 0; k < numColumns; ) {
    const end = Math.min(numColumns, k + STRIDE);
    // Two sums, because each addition waits for the one before.
    let even = 0;
    let odd = 0;
    for (; k + 1 < end; k += 2) {
      const first = data[a + k]! - data[b + k]!;
      const second = data[a + k + 1]! - data[b + k + 1]!;
      even += first * first;
      odd += second * second;
    }
    if (k < end) {
      const last = data[a + k]! - data[b + k]!;
      even += last * last;
      k++;
    }
    sum += even + odd;
    if (sum > limit) return Infinity;
  }
  return sum;
}
