import { type Dense, denseOf, multiplyTransposed, rowOf, zeros } from './linearAlgebra';
import { MersenneTwister } from './mersenneTwister';

/** Input of k-means. */
interface Points {
  /** Axes (point, dimension). */
  readonly rows: Dense;
  /** Squared length of each point. */
  readonly squares: Float64Array;
}

/**
 * If a squared distance is less than this share of the sum of squares from which it is subtracted, too many digits cancel, and
 * the distance is computed from the differences instead.
 */
const CANCELLED = 1e-3;

/** Points centered at their mean, which keeps distances and reduces rounding errors; rounded to float32, as in scikit-learn. */
function centeredPoints(points: readonly Float32Array[]): Points {
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

/** Squared Euclidean distance of `row` and a center, given their dot product and the square of the center. */
function squareFrom({ rows, squares }: Points, row: number, dot: number, center: Float64Array, centerSquare: number): number {
  const scale = squares[row]! + centerSquare;
  const square = scale - 2 * dot;
  return square > CANCELLED * scale ? square : squaredDistance(rowOf(rows, row), center);
}

/** Squared Euclidean distance. */
function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const difference = a[k]! - b[k]!;
    sum += difference * difference;
  }
  return sum;
}

function squareOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function total(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Sums of the points of each cluster. */
interface Sums {
  /** Vector sum of each cluster. */
  readonly vectors: readonly Float64Array[];
  /** Number of points in each cluster. */
  readonly sizes: Int32Array;
}

function addTo({ vectors, sizes }: Sums, cluster: number, point: Float64Array): void {
  const sum = vectors[cluster]!;
  for (let k = 0; k < sum.length; k++) sum[k]! += point[k]!;
  sizes[cluster]!++;
}

function subtractFrom({ vectors, sizes }: Sums, cluster: number, point: Float64Array): void {
  const sum = vectors[cluster]!;
  for (let k = 0; k < sum.length; k++) sum[k]! -= point[k]!;
  sizes[cluster]!--;
}

/**
 * The mean of each cluster. An empty cluster moves to the point that is farthest from its own center.
 *
 * Matches `lloyd_iter_chunked_dense` of scikit-learn with `_relocate_empty_clusters_dense` and `_average_centers`.
 *
 * @param known sums of the points under these labels; null to compute them
 * @returns the centers, and the sums if they still match the labels
 */
function movedCenters(
  points: Points,
  labels: Int32Array,
  centers: readonly Float64Array[],
  known: Sums | null,
): { centers: Float64Array[]; sums: Sums | null } {
  const sums = known ?? sumsOf(points, labels, centers.length);
  const { vectors, sizes } = sums;
  const isSomeEmpty = sizes.includes(0);
  if (isSomeEmpty) relocateEmpty(points, labels, centers, vectors, sizes);
  const largest = sizes.indexOf(Math.max(...sizes));
    // An empty cluster that no point could be moved to takes the center of the largest one.
  const moved = vectors.map((_, cluster) => {
    const source = sizes[cluster]! > 0 ? cluster : largest;
    return vectors[source]!.map((value) => value / sizes[source]!);
  });
  return { centers: moved, sums: isSomeEmpty ? null : sums };
}

function sumsOf({ rows }: Points, labels: Int32Array, numClusters: number): Sums {
  const vectors = Array.from({ length: numClusters }, () => new Float64Array(rows.numColumns));
  const sums = { vectors, sizes: new Int32Array(numClusters) };
  for (let row = 0; row < rows.numRows; row++) addTo(sums, labels[row]!, rowOf(rows, row));
  return sums;
}

/** Modifies `sums` and `sizes` in place. */
function relocateEmpty(
  { rows }: Points,
  labels: Int32Array,
  centers: readonly Float64Array[],
  sums: readonly Float64Array[],
  sizes: Int32Array,
): void {
  const empty = [...sizes.keys()].filter((cluster) => sizes[cluster] === 0);
  const distances = Array.from(labels, (label, row) => squaredDistance(rowOf(rows, row), centers[label]!));
  const farthest = [...distances.keys()].sort((a, b) => distances[b]! - distances[a]!);
  // Fewer distinct points than clusters: no point can be moved.
  if (distances[farthest[0]!] === 0) return;
  empty.forEach((cluster, rank) => {
    const index = farthest[rank]!;
    const point = rowOf(rows, index);
    const from = labels[index]!;
    point.forEach((value, k) => {
      sums[from]![k]! -= value;
      sums[cluster]![k] = value;
    });
    sizes[cluster] = 1;
    sizes[from]!--;
  });
}

/** scikit-learn's `max_iter`. */
const MAX_ITERATIONS = 300;
/** Points compared with all centers at a time: few enough to stay in the cache. */
const BLOCK = 64;
/** Tolerance of the bounds, as a share of the distance of the farthest point from the mean: far above rounding errors. */
const SLACK = 1e-6;

interface Fit {
  readonly labels: Int32Array;
  /** Sum of squared distances to the assigned center. */
  readonly inertia: number;
}

/**
 * Lloyd's iterations from the centers `start`. Matches `_kmeans_single_lloyd` of scikit-learn.
 *
 * @param tolerance iterations end when the sum of the squared moves of the centers is at most this value
 */
function lloyd(points: Points, start: readonly Float64Array[], tolerance: number): Fit {
  const labeling = new Labeling(points, start);
  let hasConverged = false;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const numChanged = labeling.assign();
    const shift = labeling.moveCenters();
    hasConverged = iteration > 0 && numChanged === 0;
    if (hasConverged || shift <= tolerance) break;
  }
  if (!hasConverged) labeling.assign();
  return { labels: labeling.labels, inertia: labeling.inertia() };
}

/**
 * The nearest center of each point, updated as centers move. As in Hamerly, "Making k-means even faster" (2010), keeps an upper
 * bound on the distance to the assigned center and a lower bound on the distance to all others. If the bounds do not overlap,
 * the point keeps its label without a new comparison, which would return the same label.
 */
class Labeling {
  readonly labels: Int32Array;
  private centers: readonly Float64Array[];
  /** Upper bound of the distance to the assigned center; axes (point). */
  private readonly upper: Float64Array;
  /** Lower bound of the distance to any other center; axes (point). */
  private readonly lower: Float64Array;
  private readonly slack: number;
  /** Sums of the points of each cluster; null if they must be recomputed. */
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

  /** Assigns every point to the nearest center; the first one wins a tie. @returns number of points whose label changed */
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

  /** Moves centers to the means of their points. @returns sum of the squares of the moves */
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

  /** Updates the label of a point from its dot products with the centers. @returns whether the label changed */
  private label(row: number, products: Dense, place: number, centerSquares: readonly number[]): boolean {
    const start = place * products.numColumns;
    let best = 0;
    let least = Infinity;
    let second = Infinity;
    for (let k = 0; k < centerSquares.length; k++) {
      // Without the squared length of the point, which is the same for all centers.
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

/** pyannote's `random_state` and `n_init`. */
const SEED = 42;
const NUM_STARTS = 3;
/** scikit-learn's `tol`. */
const TOLERANCE = 1e-4;

/**
 * Splits points into `numClusters` clusters by k-means.
 *
 * Matches `KMeans(n_clusters, n_init=3, random_state=42).fit_predict` of scikit-learn on float32: the same generator,
 * k-means++ start, Lloyd's iterations, and relocation of empty clusters. Labels and their numbering are therefore the
 * same. Sums here are in float64, so points that are equally far from two centers may be assigned differently.
 *
 * @param points axes (point, dimension), at least `numClusters`
 * @returns cluster index per point; fewer distinct indices than `numClusters` if points coincide
 */
export function kMeans(points: readonly Float32Array[], numClusters: number): Int32Array {
  return new KMeans(points).labels(numClusters);
}

/** Progress of {@link KMeans} for one number of clusters. */
interface Search {
  readonly random: MersenneTwister;
  startsLeft: number;
  best: Fit | null;
}

/** {@link kMeans} of the same points for any number of clusters. Each number is computed once, optionally in steps. */
export class KMeans {
  private readonly points: Points;
  private readonly tolerance: number;
  private readonly searches = new Map<number, Search>();

  constructor(points: readonly Float32Array[]) {
    this.points = centeredPoints(points);
    const { numRows, numColumns } = this.points.rows;
    // Mean over dimensions of the variance; the mean is already 0.
    this.tolerance = (TOLERANCE * total(this.points.squares)) / (numRows * numColumns);
  }

  labels(numClusters: number): Int32Array {
    while (this.advance(numClusters));
    return this.searches.get(numClusters)!.best!.labels;
  }

  /** Runs one more start. @returns whether there are starts left */
  advance(numClusters: number): boolean {
    const { points, tolerance, searches } = this;
    const search = searches.get(numClusters) ?? { random: new MersenneTwister(SEED), startsLeft: NUM_STARTS, best: null };
    searches.set(numClusters, search);
    if (search.startsLeft === 0) return false;
    const fit = lloyd(points, plusPlusCenters(points, numClusters, search.random), tolerance);
    const { best } = search;
    // Rounding alone can lower the inertia of the same clusters.
    if (best === null || (fit.inertia < best.inertia && !isSameClustering(fit.labels, best.labels))) search.best = fit;
    search.startsLeft--;
    return search.startsLeft > 0;
  }
}

/** `_kmeans_plusplus`: each further center is the best of several points drawn in proportion to their squared distance. */
function plusPlusCenters(points: Points, numClusters: number, random: MersenneTwister): Float64Array[] {
  const { rows } = points;
  const numTrials = 2 + Math.floor(Math.log(numClusters));
  const first = Math.min(rows.numRows - 1, Math.floor(random.next() * rows.numRows));
  const centers = [rowOf(rows, first).slice()];
  let nearest = squaredDistances(points, [first])[0]!;
  let potential = total(nearest);
  while (centers.length < numClusters) {
    const draws = Array.from({ length: numTrials }, () => random.next() * potential);
    const candidates = draws.map((draw) => drawnIndex(nearest, draw));
    const outcomes = squaredDistances(points, candidates).map((distances, trial) => {
      for (let i = 0; i < distances.length; i++) if (nearest[i]! < distances[i]!) distances[i] = nearest[i]!;
      return { candidate: candidates[trial]!, distances, potential: Math.fround(total(distances)) };
    });
    const best = outcomes.reduce((winner, other) => (other.potential < winner.potential ? other : winner));
    centers.push(rowOf(rows, best.candidate).slice());
    nearest = best.distances;
    potential = best.potential;
  }
  return centers;
}

/** Squared distances of all points to each candidate; axes (candidate, point), in float32, as in scikit-learn. */
function squaredDistances(points: Points, candidates: readonly number[]): Float32Array[] {
  const { rows, squares } = points;
  const centers = denseOf(candidates.map((candidate) => rowOf(rows, candidate)));
  const products = multiplyTransposed(rows, centers).data;
  return candidates.map((candidate, trial) => {
    const center = rowOf(centers, trial);
    const square = squares[candidate]!;
    const distances = new Float32Array(rows.numRows);
    for (let row = 0; row < rows.numRows; row++) {
      distances[row] = squareFrom(points, row, products[row * candidates.length + trial]!, center, square);
    }
    return distances;
  });
}

/** The first index at which the running sum of `weights` reaches `draw`; the sum is in float32, as in scikit-learn. */
function drawnIndex(weights: Float32Array, draw: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum = Math.fround(sum + weights[i]!);
    if (sum >= draw) return i;
  }
  return weights.length - 1;
}

/** Whether two labelings differ only in their numbering. */
function isSameClustering(a: Int32Array, b: Int32Array): boolean {
  const mapping = new Map<number, number>();
  return a.every((label, i) => {
    const mapped = mapping.get(label);
    if (mapped === undefined) mapping.set(label, b[i]!);
    return mapped === undefined || mapped === b[i];
  });
}
