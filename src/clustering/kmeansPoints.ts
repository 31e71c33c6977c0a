import { denseOf, rowOf, type Dense } from './dense';

/** What k-means splits. */
export interface Points {
  /** Axes (point, dimension). */
  readonly rows: Dense;
  /** Squared length of each. */
  readonly squares: Float64Array;
}

/**
 * Where a squared distance is less than this part of the squares that it is the difference of, too many digits have
 * cancelled, and it is computed from the differences instead.
 */
const CANCELLED = 1e-3;

/** Points around their mean, which takes nothing from the distances and rounds them less; rounded to float32, as there. */
export function centredPoints(points: readonly Float32Array[]): Points {
  const dimension = points[0]!.length;
  const mean = new Float64Array(dimension);
  for (const point of points) for (let k = 0; k < dimension; k++) mean[k]! += point[k]! / points.length;
  const rows = denseOf(points);
  for (let start = 0; start < rows.data.length; start += dimension) {
    for (let k = 0; k < dimension; k++) rows.data[start + k] = Math.fround(rows.data[start + k]! - Math.fround(mean[k]!));
  }
  const squares = Float64Array.from({ length: rows.numRows }, (_, row) => squareOf(rowOf(rows, row)));
  return { rows, squares };
}

/** Square of the euclidean distance of `row` and a centre, of whose dot product and square are given. */
export function squareFrom({ rows, squares }: Points, row: number, dot: number, center: Float64Array, centerSquare: number): number {
  const scale = squares[row]! + centerSquare;
  const square = scale - 2 * dot;
  return square > CANCELLED * scale ? square : squaredDistance(rowOf(rows, row), center);
}

/** Square of the euclidean distance. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const difference = a[k]! - b[k]!;
    sum += difference * difference;
  }
  return sum;
}

export function squareOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

export function total(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
