import { denseOf, multiplyTransposed, rowOf } from './dense';
import { lloyd, type Fit } from './kmeansLloyd';
import { centredPoints, squareFrom, total, type Points } from './kmeansPoints';
import { MersenneTwister } from './mersenneTwister';

/** pyannote's `random_state`, and how often it starts anew. */
const SEED = 42;
const NUM_STARTS = 3;
/** scikit-learn's `tol`. */
const TOLERANCE = 1e-4;

/**
 * Splits points into `numClusters` by k-means.
 *
 * Matches `KMeans(n_clusters, n_init=3, random_state=42).fit_predict` of scikit-learn on float32: the same generator,
 * k-means++ start, Lloyd's iterations and relocation of empty clusters, so that labels and their numbering are the
 * same. Sums are in float64 here, so that points that are equally far from two centres may go to the other one.
 *
 * @param points axes (point, dimension), at least `numClusters`
 * @returns cluster index per point; fewer different ones than asked for where points coincide
 */
export function kMeans(points: readonly Float32Array[], numClusters: number): Int32Array {
  return new KMeans(points).labels(numClusters);
}

/** How far {@link KMeans} is with one number of clusters. */
interface Search {
  readonly random: MersenneTwister;
  startsLeft: number;
  best: Fit | null;
}

/** {@link kMeans} of the same points into any number of clusters; each is computed once, in pieces where that is wanted. */
export class KMeans {
  private readonly points: Points;
  private readonly tolerance: number;
  private readonly searches = new Map<number, Search>();

  constructor(points: readonly Float32Array[]) {
    this.points = centredPoints(points);
    const { numRows, numColumns } = this.points.rows;
    // Mean over dimensions of the variance; the mean is already 0.
    this.tolerance = (TOLERANCE * total(this.points.squares)) / (numRows * numColumns);
  }

  labels(numClusters: number): Int32Array {
    while (this.advance(numClusters));
    return this.searches.get(numClusters)!.best!.labels;
  }

  /** Does one more of the starts. @returns whether there are more to do */
  advance(numClusters: number): boolean {
    const { points, tolerance, searches } = this;
    const search = searches.get(numClusters) ?? { random: new MersenneTwister(SEED), startsLeft: NUM_STARTS, best: null };
    searches.set(numClusters, search);
    if (search.startsLeft === 0) return false;
    const fit = lloyd(points, plusPlusCenters(points, numClusters, search.random), tolerance);
    const { best } = search;
    // Rounding alone can make the same clusters look better.
    if (best === null || (fit.inertia < best.inertia && !isSameClustering(fit.labels, best.labels))) search.best = fit;
    search.startsLeft--;
    return search.startsLeft > 0;
  }
}

/** `_kmeans_plusplus`: each further centre is the best of a few points drawn in proportion to their squared distance. */
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

/** Of each of some points, the squared distances of all; axes (point), in float32, as there. */
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

/** The first index at which the running sum of `weights` reaches `draw`; the sum is in float32, as there. */
function drawnIndex(weights: Float32Array, draw: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum = Math.fround(sum + weights[i]!);
    if (sum >= draw) return i;
  }
  return weights.length - 1;
}

/** Whether two labellings differ in their numbering alone. */
function isSameClustering(a: Int32Array, b: Int32Array): boolean {
  const mapping = new Map<number, number>();
  return a.every((label, i) => {
    const mapped = mapping.get(label);
    if (mapped === undefined) mapping.set(label, b[i]!);
    return mapped === undefined || mapped === b[i];
  });
}
