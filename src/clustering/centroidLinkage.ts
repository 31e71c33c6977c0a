import type { Merge } from './dendrogram';
import { type Dense, denseOf, multiplyTransposed, rowOf, transposed, zeros } from './linearAlgebra';
import { IndexedHeap, matrixLinkage } from './matrixLinkage';
import { nearestLater, sketchesOf, slackOf, squareWithin, writeSketch } from './nearestLater';

/** Number of rows from which the axes are estimated: approximate axes are good enough. */
const MAX_SAMPLES = 2048;
/** Orthogonal iterations: further iterations change the axes less than the sampling does. */
const NUM_ITERATIONS = 8;
/** Share of the total variance added to every direction, so that rows in a plane do not make the basis singular. */
const RIDGE = 1e-9;

/**
 * Rotates rows to an orthonormal basis whose first axes have the greatest variance. Distances stay the same except for
 * rounding, and the first few values account for most of a distance.
 *
 * @param rows axes (row, dimension), at least one
 * @returns axes (row, principal axis)
 */
export function alongPrincipalAxes(rows: Dense): Dense {
  const covariance = sampleCovariance(rows);
  const { numColumns } = rows;
  let trace = 0;
  for (let k = 0; k < numColumns; k++) trace += covariance.data[k * numColumns + k]!;
    // Without variance, every basis is equally good.
  const ridge = trace > 0 ? RIDGE * trace : 1;
  const axes = zeros(numColumns, numColumns);
  for (let k = 0; k < numColumns; k++) {
    covariance.data[k * numColumns + k]! += ridge;
    axes.data[k * numColumns + k] = 1;
  }
  let basis = axes;
  for (let iteration = 0; iteration < NUM_ITERATIONS; iteration++) {
    basis = multiplyTransposed(basis, covariance);
    // Twice: the second pass removes the error that cancellation leaves in the first.
    orthonormalize(basis);
    orthonormalize(basis);
  }
  return multiplyTransposed(rows, basis);
}

/** Covariance of rows sampled at equal intervals, times the number of samples; axes (dimension, dimension). */
function sampleCovariance(rows: Dense): Dense {
  const interval = Math.ceil(rows.numRows / MAX_SAMPLES);
  const sample = zeros(Math.ceil(rows.numRows / interval), rows.numColumns);
  const mean = new Float64Array(rows.numColumns);
  for (let i = 0; i < sample.numRows; i++) {
    const row = rowOf(rows, i * interval);
    rowOf(sample, i).set(row);
    for (let k = 0; k < mean.length; k++) mean[k]! += row[k]! / sample.numRows;
  }
  for (let i = 0; i < sample.numRows; i++) {
    const row = rowOf(sample, i);
    for (let k = 0; k < mean.length; k++) row[k]! -= mean[k]!;
  }
  const columns = transposed(sample);
  return multiplyTransposed(columns, columns);
}

/** Orthogonalizes each row to the rows before it and scales it to length 1, in place (modified Gram-Schmidt). */
function orthonormalize(rows: Dense): void {
  for (let i = 0; i < rows.numRows; i++) {
    const row = rowOf(rows, i);
    for (let j = 0; j < i; j++) {
      const before = rowOf(rows, j);
      let dot = 0;
      for (let k = 0; k < row.length; k++) dot += row[k]! * before[k]!;
      for (let k = 0; k < row.length; k++) row[k]! -= dot * before[k]!;
    }
    let square = 0;
    for (const value of row) square += value * value;
    const norm = Math.sqrt(square);
    for (let k = 0; k < row.length; k++) row[k] = row[k]! / norm;
  }
}

/**
 * Leading values in a sketch, before the norm of the rest. They separate most pairs of speaker embeddings, and 32,000
 * sketches fit into a core's cache.
 */
const NUM_LEADING = 16;
const SKETCH = NUM_LEADING + 1;
/** Sketches are compacted once this share of them belongs to removed clusters. */
const MAX_GONE = 0.1;
/** If a cluster moves by less than this share of a distance, the lower bound is reduced instead of measuring the distance again. */
const SMALL_MOVE = 0.1;

/**
 * Agglomerative clustering with centroid linkage. Returns the same merges as `matrixLinkage`, but its memory grows linearly with
 * the number of points: Müllner's generic algorithm on centroids instead of a distance matrix.
 *
 * Each scan for near clusters compares sketches along the principal axes and computes a distance only if two sketches
 * are near enough. For each cluster, the nearest later cluster and a bound on all others are kept (as in Hamerly's k-means). If
 * a neighbor moves a little because it has grown, its distance is measured again without a new search.
 *
 * Distances here are between centroids; those of the matrix are sums along the merges. They differ by rounding (1e-14), and
 * pairs that are nearer to a tie than that may be merged in another order. Equal points have distance 0 in both.
 *
 * @param points axes (point, dimension), free of NaN, at least one
 * @returns `numPoints - 1` merges
 */
export function prunedLinkage(points: readonly ArrayLike<number>[]): Merge[] {
  if (points.length < 2) return [];
  const linkage = new Linkage(alongPrincipalAxes(denseOf(points)));
  const merges: Merge[] = [];
  while (merges.length < points.length - 1) merges.push(linkage.next());
  return merges;
}

/** A cluster is identified by the index of its last point, which is also its index in the arrays below. */
class Linkage {
  private readonly sketches: Dense;
  private readonly slack: number;
  /** Points of each cluster; 0 if the cluster was merged into another one. */
  private readonly sizes: Int32Array;
  private readonly ids: Int32Array;
  /** Nearest known later cluster. */
  private readonly neighbors: Int32Array;
  /** Lower bounds of the distance to any later cluster; the keys of the heap. */
  private readonly lowerBounds: Float64Array;
  /** Lower bounds of the distance to any later cluster except the neighbor. */
  private readonly runnersUp: Float64Array;
  /** 1 if the lower bound is the exact distance to the neighbor and the neighbor is the nearest cluster. */
  private readonly isExact: Uint8Array;
  private readonly heap: IndexedHeap;
  /** Cluster of each sketch, ascending, and the position of each cluster's sketch. */
  private readonly owners: Int32Array;
  private readonly positions: Int32Array;
  private numSketches: number;
  private numClusters: number;
  private numMerges = 0;

  /** @param centroids axes (cluster, principal axis); changed in place */
  constructor(private readonly centroids: Dense) {
    const { numRows } = centroids;
    this.sketches = sketchesOf(centroids, NUM_LEADING);
    this.slack = slackOf(centroids).distance;
    this.sizes = new Int32Array(numRows).fill(1);
    this.ids = Int32Array.from({ length: numRows }, (_, i) => i);
    const nearest = nearestLater(centroids, this.sketches);
    this.neighbors = nearest.neighbors;
    this.lowerBounds = nearest.distances;
    this.runnersUp = nearest.runnersUp;
    this.isExact = new Uint8Array(numRows - 1).fill(1);
    this.heap = new IndexedHeap(this.lowerBounds);
    this.owners = this.ids.slice();
    this.positions = this.ids.slice();
    this.numSketches = numRows;
    this.numClusters = numRows;
  }

  /** Merges the two nearest clusters. */
  next(): Merge {
    const { heap, isExact, neighbors, lowerBounds, sizes, ids } = this;
    let x = heap.top();
    while (isExact[x] === 0) {
      this.refine(x);
      x = heap.top();
    }
    heap.removeTop();
    const y = neighbors[x]!;
    const distance = lowerBounds[x]!;
    const size = sizes[x]! + sizes[y]!;
    const merge = { left: Math.min(ids[x]!, ids[y]!), right: Math.max(ids[x]!, ids[y]!), distance, size };
    const share = sizes[x]! / size;
    this.moveCentroid(x, y, share);
    sizes[x] = 0;
    sizes[y] = size;
    ids[y] = sizes.length + this.numMerges;
    this.numMerges++;
    this.numClusters--;
    if (this.numClusters < (1 - MAX_GONE) * this.numSketches) this.compact();
    this.updateEarlier(x, y, distance * (1 - share) + this.slack, distance * share + this.slack);
    if (y < lowerBounds.length) this.findNearest(y, -1, Infinity);
    return merge;
  }

  /** The merged cluster takes the index of y. Equal centroids stay bit-identical. */
  private moveCentroid(x: number, y: number, share: number): void {
    const from = rowOf(this.centroids, x);
    const to = rowOf(this.centroids, y);
    for (let k = 0; k < to.length; k++) to[k]! += share * (from[k]! - to[k]!);
    writeSketch(this.centroids, y, this.sketches, this.positions[y]!);
  }

  /** Removes the sketches of merged clusters. */
  private compact(): void {
    const { owners, positions, sizes, sketches } = this;
    let count = 0;
    for (let position = 0; position < this.numSketches; position++) {
      const owner = owners[position]!;
      if (sizes[owner] === 0) continue;
      rowOf(sketches, count).set(rowOf(sketches, position));
      owners[count] = owner;
      positions[owner] = count;
      count++;
    }
    this.numSketches = count;
  }

  /** Replaces the lower bound at the front of the heap with the exact distance. */
  private refine(x: number): void {
    const { neighbors, lowerBounds, runnersUp, isExact } = this;
    const neighbor = neighbors[x]!;
    const square = squareWithin(this.centroids, x, neighbor, Infinity);
    const distance = Math.sqrt(square);
    if (distance < runnersUp[x]!) {
      lowerBounds[x] = distance;
      isExact[x] = 1;
      this.heap.changed(x);
    } else {
      this.findNearest(x, neighbor, square);
    }
  }

  /**
   * Searches the later clusters for the nearest one.
   *
   * @param neighbor cluster to start with, or -1
   * @param square squared distance to `neighbor`
   */
  private findNearest(x: number, neighbor: number, square: number): void {
    const { centroids, owners, sizes, numSketches, slack } = this;
    const values = this.sketches.data;
    const query = rowOf(this.sketches, this.positions[x]!).slice();
    let nearest = neighbor;
    let least = square;
    let second = Infinity;
    let limit = Infinity;
    for (let position = this.positions[x]! + 1; position < numSketches; position++) {
      if (!isWithin(query, values, position * SKETCH, limit)) continue;
      const other = owners[position]!;
      if (sizes[other] === 0 || other === neighbor) continue;
      const found = squareWithin(centroids, x, other, second);
      if (found < least || (found === least && other < nearest)) {
        second = least;
        least = found;
        nearest = other;
      } else if (found < second) {
        second = found;
      } else {
        continue;
      }
      limit = (Math.sqrt(second) + slack) ** 2;
    }
    this.neighbors[x] = nearest;
    this.lowerBounds[x] = Math.sqrt(least);
    this.runnersUp[x] = Math.sqrt(second);
    this.isExact[x] = 1;
    this.heap.changed(x);
  }

  /**
   * Updates the clusters before `y` after the merge of x and y.
   *
   * @param moveX upper bound of the distance from x's centroid to the new one
   * @param moveY upper bound of the distance from y's centroid to the new one
   */
  private updateEarlier(x: number, y: number, moveX: number, moveY: number): void {
    const { centroids, neighbors, lowerBounds, runnersUp, isExact, owners, sizes, heap, slack } = this;
    const values = this.sketches.data;
    const end = this.positions[y]!;
    const query = rowOf(this.sketches, end).slice();
    for (let position = 0; position < end; position++) {
      const z = owners[position]!;
      const neighbor = neighbors[z]!;
      const isNeighbor = neighbor === x || neighbor === y;
      if (isNeighbor) {
        if (sizes[z] === 0) continue;
        neighbors[z] = y;
        isExact[z] = 0;
        const move = neighbor === x ? moveX : moveY;
        if (move < SMALL_MOVE * lowerBounds[z]!) {
          lowerBounds[z]! -= move;
          heap.changed(z);
          continue;
        }
      } else {
        const bound = runnersUp[z]! + slack;
        if (!isWithin(query, values, position * SKETCH, bound * bound) || sizes[z] === 0) continue;
      }
      const bound = isNeighbor ? Infinity : (runnersUp[z]! + slack) ** 2;
      const distance = Math.sqrt(squareWithin(centroids, z, y, bound));
      if (distance < lowerBounds[z]!) {
        if (!isNeighbor) runnersUp[z] = lowerBounds[z]!;
        neighbors[z] = y;
        lowerBounds[z] = distance;
        isExact[z] = 1;
        heap.changed(z);
      } else if (isNeighbor) {
        if (distance === lowerBounds[z]) isExact[z] = 1;
      } else if (distance < runnersUp[z]!) {
        runnersUp[z] = distance;
      }
    }
  }
}

/** Whether the squared distance of `query` and the sketch at `start` is at most `limit`. */
function isWithin(query: Float64Array, values: Float64Array, start: number, limit: number): boolean {
  // Four values already separate most pairs.
  const first = query[0]! - values[start]!;
  const second = query[1]! - values[start + 1]!;
  const third = query[2]! - values[start + 2]!;
  const fourth = query[3]! - values[start + 3]!;
  let sum = first * first + second * second + third * third + fourth * fourth;
  if (sum > limit) return false;
  for (let k = 4; k < SKETCH; k++) {
    const difference = query[k]! - values[start + k]!;
    sum += difference * difference;
  }
  return sum <= limit;
}

/**
 * Maximum number of points whose distances are kept as a matrix: 256 MB in float64, which fits beside both models in a browser.
 * At this size, `prunedLinkage` is faster on speaker embeddings and slower on noise.
 */
const MAX_MATRIX_POINTS = 8000;

/**
 * Agglomerative clustering with centroid linkage (UPGMC) on Euclidean distances.
 *
 * Matches `scipy.cluster.hierarchy.linkage(points, method='centroid')`, merge by merge.
 *
 * @param points axes (point, dimension), free of NaN
 * @returns `numPoints - 1` merges; their distances are not necessarily ascending (centroid inversions)
 */
export function centroidLinkage(points: readonly ArrayLike<number>[]): Merge[] {
  return points.length <= MAX_MATRIX_POINTS ? matrixLinkage(points) : prunedLinkage(points);
}
