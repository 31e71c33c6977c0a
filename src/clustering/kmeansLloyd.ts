import { denseOf, multiplyTransposed, rowOf, zeros, type Dense } from './dense';
import { movedCenters, subtractFrom, addTo, type Sums } from './kmeansCenters';
import { squaredDistance, squareOf, type Points } from './kmeansPoints';

/** scikit-learn's `max_iter`. */
const MAX_ITERATIONS = 300;
/** Points that are compared with all centres at a time: as many as stay near the processor. */
const BLOCK = 64;
/** Part of the farthest point's distance from the mean that a bound is off by at most: far above what rounding makes. */
const SLACK = 1e-6;

export interface Fit {
  readonly labels: Int32Array;
  /** Sum of squared distances to the own centre. */
  readonly inertia: number;
}

/**
 * Lloyd's iterations from the centres `start`. Matches `_kmeans_single_lloyd` of scikit-learn.
 *
 * @param tolerance sum of the centres' squared moves that ends the iterations
 */
export function lloyd(points: Points, start: readonly Float64Array[], tolerance: number): Fit {
  const labelling = new Labelling(points, start);
  let hasConverged = false;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const numChanged = labelling.assign();
    const shift = labelling.moveCenters();
    hasConverged = iteration > 0 && numChanged === 0;
    if (hasConverged || shift <= tolerance) break;
  }
  if (!hasConverged) labelling.assign();
  return { labels: labelling.labels, inertia: labelling.inertia() };
}

/**
 * Which centre is nearest to each point, as centres move. Keeps, as Hamerly, "Making k-means even faster" (2010), a bound
 * on the distance to a point's own centre and one on that to all others: where these are apart, the point is not compared
 * again, and its label is the one that comparing would give.
 */
class Labelling {
  readonly labels: Int32Array;
  private centers: readonly Float64Array[];
  /** At least the distance to the own centre; axes (point). */
  private readonly upper: Float64Array;
  /** At most the distance to any other centre; axes (point). */
  private readonly lower: Float64Array;
  private readonly slack: number;
  /** Of the points of each cluster; null where they have to be made anew. */
  private sums: Sums | null = null;

  constructor(
    private readonly points: Points,
    start: readonly Float64Array[],
  ) {
    const { numRows } = points.rows;
    this.centers = start;
    this.labels = new Int32Array(numRows).fill(-1);
    this.upper = new Float64Array(numRows).fill(Infinity);
    this.lower = new Float64Array(numRows);
    this.slack = SLACK * Math.sqrt(points.squares.reduce((most, square) => Math.max(most, square), 0));
  }

  /** Gives every point the nearest centre; the first one wins a tie. @returns points whose label changed */
  assign(): number {
    const { upper, lower, slack, points } = this;
    const { numRows, numColumns } = points.rows;
    const centers = denseOf(this.centers);
    const centerSquares = this.centers.map(squareOf);
    const block = zeros(BLOCK, numColumns);
    const products = zeros(BLOCK, centers.numRows);
    const open: number[] = [];
    let numChanged = 0;
    for (let row = 0; row < numRows; row++) {
      if (!(upper[row]! + slack < lower[row]! - slack)) open.push(row);
      if (open.length < BLOCK && (row < numRows - 1 || open.length === 0)) continue;
      open.forEach((index, place) => {
        block.data.set(rowOf(points.rows, index), place * numColumns);
      });
      multiplyTransposed({ ...block, numRows: open.length }, centers, products);
      open.forEach((index, place) => {
        if (this.label(index, products, place, centerSquares)) numChanged++;
      });
      open.length = 0;
    }
    return numChanged;
  }

  /** Moves centres to the means of their points. @returns sum of the squares of the moves */
  moveCenters(): number {
    const { points, labels, upper, lower } = this;
    const { centers, sums } = movedCenters(points, labels, this.centers, this.sums);
    const moves = centers.map((center, k) => squaredDistance(center, this.centers[k]!));
    this.centers = centers;
    this.sums = sums;
    const distances = moves.map(Math.sqrt);
    const farthest = distances.reduce((best, distance, k) => (distance > distances[best]! ? k : best), 0);
    const next = distances.reduce((most, distance, k) => (k === farthest ? most : Math.max(most, distance)), 0);
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row]!;
      upper[row]! += distances[label]!;
      lower[row]! -= label === farthest ? next : distances[farthest]!;
    }
    return moves.reduce((sum, move) => sum + move, 0);
  }

  inertia(): number {
    const { points, labels, centers } = this;
    let sum = 0;
    for (let row = 0; row < labels.length; row++) sum += squaredDistance(rowOf(points.rows, row), centers[labels[row]!]!);
    return sum;
  }

  /** Whether the label of a point changed, by its products with the centres. */
  private label(row: number, products: Dense, place: number, centerSquares: readonly number[]): boolean {
    const start = place * products.numColumns;
    let best = 0;
    let least = Infinity;
    let second = Infinity;
    for (let k = 0; k < centerSquares.length; k++) {
      // Without the point's own square, which is the same for all centres.
      const distance = centerSquares[k]! - 2 * products.data[start + k]!;
      if (distance < least) {
        second = least;
        least = distance;
        best = k;
      } else if (distance < second) {
        second = distance;
      }
    }
    const square = this.points.squares[row]!;
    this.upper[row] = Math.sqrt(Math.max(0, square + least));
    this.lower[row] = Math.sqrt(Math.max(0, square + second));
    const before = this.labels[row]!;
    if (before === best) return false;
    this.labels[row] = best;
    if (this.sums && before >= 0) {
      const point = rowOf(this.points.rows, row);
      subtractFrom(this.sums, before, point);
      addTo(this.sums, best, point);
    }
    return true;
  }
}
