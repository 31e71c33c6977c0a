import { centerDistance, movedCenters, squaredDistance, type Points } from './kmeansCenters';
import { MersenneTwister } from './mersenneTwister';

/** pyannote's `random_state`, and how often it starts anew. */
const SEED = 42;
const NUM_STARTS = 3;
/** scikit-learn's `max_iter` and `tol`. */
const MAX_ITERATIONS = 300;
const TOLERANCE = 1e-4;

interface Fit {
  readonly labels: Int32Array;
  /** Sum of squared distances to the own centre. */
  readonly inertia: number;
}

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
  const centred = centredPoints(points);
  const random = new MersenneTwister(SEED);
  const tolerance = TOLERANCE * meanVariance(centred);
  let best: Fit | null = null;
  for (let start = 0; start < NUM_STARTS; start++) {
    const fit = lloyd(centred, plusPlusCenters(centred, numClusters, random), tolerance);
    // Rounding alone can make the same clusters look better.
    if (best === null || (fit.inertia < best.inertia && !isSameClustering(fit.labels, best.labels))) best = fit;
  }
  return best!.labels;
}

/** Points around their mean, which takes nothing from the distances and rounds them less. */
function centredPoints(points: readonly Float32Array[]): Points {
  const dimension = points[0]!.length;
  const mean = new Float64Array(dimension);
  for (const point of points) for (let k = 0; k < dimension; k++) mean[k]! += point[k]! / points.length;
  return points.map((point) => point.map((value, k) => value - Math.fround(mean[k]!)));
}

/** Mean over dimensions of the variance; the mean is already 0. */
function meanVariance(points: Points): number {
  const dimension = points[0]!.length;
  let sum = 0;
  for (const point of points) for (const value of point) sum += value * value;
  return sum / (points.length * dimension);
}

/** `_kmeans_plusplus`: each further centre is the best of a few points drawn in proportion to their squared distance. */
function plusPlusCenters(points: Points, numClusters: number, random: MersenneTwister): Float64Array[] {
  const numTrials = 2 + Math.floor(Math.log(numClusters));
  const first = points[Math.min(points.length - 1, Math.floor(random.next() * points.length))]!;
  const centers = [Float64Array.from(first)];
  let nearest = Float32Array.from(points, (point) => squaredDistance(point, first));
  let potential = total(nearest);
  while (centers.length < numClusters) {
    const draws = Array.from({ length: numTrials }, () => random.next() * potential);
    const candidates = draws.map((draw) => drawnIndex(nearest, draw));
    const outcomes = candidates.map((candidate) => {
      const center = points[candidate]!;
      const distances = nearest.map((distance, i) => Math.min(distance, squaredDistance(points[i]!, center)));
      return { center, distances, potential: Math.fround(total(distances)) };
    });
    const best = outcomes.reduce((winner, other) => (other.potential < winner.potential ? other : winner));
    centers.push(Float64Array.from(best.center));
    nearest = best.distances;
    potential = best.potential;
  }
  return centers;
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

/** `_kmeans_single_lloyd`. */
function lloyd(points: Points, start: Float64Array[], tolerance: number): Fit {
  let centers = start;
  let labels = nearestCenters(points, centers);
  let hasConverged = false;
  let previous: Int32Array | null = null;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    labels = nearestCenters(points, centers);
    const moved = movedCenters(points, labels, centers);
    const shift = moved.reduce((sum, center, k) => sum + squaredDistance(center, centers[k]!), 0);
    centers = moved;
    const before: Int32Array | null = previous;
    hasConverged = before !== null && labels.every((label, i) => label === before[i]);
    if (hasConverged || shift <= tolerance) break;
    previous = labels;
  }
  if (!hasConverged) labels = nearestCenters(points, centers);
  const inertia = points.reduce((sum, point, i) => sum + squaredDistance(point, centers[labels[i]!]!), 0);
  return { labels, inertia };
}

/** The first centre wins a tie. */
function nearestCenters(points: Points, centers: readonly Float64Array[]): Int32Array {
  const squares = centers.map((center) => center.reduce((sum, value) => sum + value * value, 0));
  return Int32Array.from(points, (point) => {
    let best = 0;
    let least = Infinity;
    centers.forEach((center, k) => {
      const distance = centerDistance(point, center, squares[k]!);
      if (distance < least) {
        least = distance;
        best = k;
      }
    });
    return best;
  });
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

const total = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
