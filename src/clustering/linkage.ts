import { IndexedHeap } from './heap';

/**
 * One merge of a dendrogram: the clusters `left` < `right` become cluster `numPoints + row`.
 * Clusters below `numPoints` are the points themselves. As a row of `scipy.cluster.hierarchy.linkage`.
 */
export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly distance: number;
  /** Points in the new cluster. */
  readonly size: number;
}

/**
 * Agglomerative clustering with centroid linkage (UPGMC) on euclidean distances.
 *
 * Matches `scipy.cluster.hierarchy.linkage(points, method='centroid')`, merge by merge: the generic
 * algorithm of Müllner, "Modern hierarchical, agglomerative clustering algorithms" (2011), figure 3, with the
 * Lance-Williams update in float64. Time O(n²) typically, memory n(n-1)/2 float64.
 *
 * @param points axes (point, dimension)
 * @returns `numPoints - 1` merges; distances need not rise from one to the next (centroid inversions)
 */
export function centroidLinkage(points: readonly Float64Array[]): Merge[] {
  const numPoints = points.length;
  const distances = new CondensedDistances(points);
  const sizes = new Int32Array(numPoints).fill(1);
  const clusterIds = Int32Array.from({ length: numPoints }, (_, i) => i);
  // neighbours[x] is a guess at x's nearest later point, lowerBounds[x] never more than its distance.
  const neighbours = new Int32Array(Math.max(numPoints - 1, 0));
  const lowerBounds = new Float64Array(Math.max(numPoints - 1, 0));

  const findNearest = (x: number): { index: number; distance: number } => {
    let index = -1;
    let distance = Infinity;
    for (let i = x + 1; i < numPoints; i++) {
      if (sizes[i] === 0) continue;
      const candidate = distances.get(x, i);
      if (candidate < distance) {
        distance = candidate;
        index = i;
      }
    }
    return { index, distance };
  };

  for (let x = 0; x < numPoints - 1; x++) {
    const nearest = findNearest(x);
    neighbours[x] = nearest.index;
    lowerBounds[x] = nearest.distance;
  }
  const heap = new IndexedHeap(lowerBounds);
  const setNearest = (x: number, index: number, distance: number): void => {
    neighbours[x] = index;
    lowerBounds[x] = distance;
    heap.changed(x);
  };

  const merges: Merge[] = [];
  for (let step = 0; step < numPoints - 1; step++) {
    // Guesses at the front of the heap are mended until one is right.
    let x = heap.top();
    while (lowerBounds[x] !== distances.get(x, neighbours[x]!)) {
      const nearest = findNearest(x);
      setNearest(x, nearest.index, nearest.distance);
      x = heap.top();
    }
    heap.removeTop();
    const y = neighbours[x]!;
    const distance = lowerBounds[x]!;
    const sizeX = sizes[x]!;
    const sizeY = sizes[y]!;
    merges.push({
      left: Math.min(clusterIds[x]!, clusterIds[y]!),
      right: Math.max(clusterIds[x]!, clusterIds[y]!),
      distance,
      size: sizeX + sizeY,
    });
    // The merged cluster lives on in y's place.
    sizes[x] = 0;
    sizes[y] = sizeX + sizeY;
    clusterIds[y] = numPoints + step;

    for (let z = 0; z < numPoints; z++) {
      if (sizes[z] === 0 || z === y) continue;
      distances.set(z, y, centroidDistance(distances.get(z, x), distances.get(z, y), distance, sizeX, sizeY));
    }
    for (let z = 0; z < x; z++) {
      if (sizes[z]! > 0 && neighbours[z] === x) neighbours[z] = y;
    }
    for (let z = 0; z < y; z++) {
      if (sizes[z] === 0) continue;
      const toMerged = distances.get(z, y);
      if (toMerged < lowerBounds[z]!) setNearest(z, y, toMerged);
    }
    if (y < numPoints - 1) {
      const nearest = findNearest(y);
      if (nearest.index !== -1) setNearest(y, nearest.index, nearest.distance);
    }
  }
  return merges;
}

/** Lance-Williams update: distance from a third cluster to the centroid of x ∪ y. */
function centroidDistance(toX: number, toY: number, between: number, sizeX: number, sizeY: number): number {
  const size = sizeX + sizeY;
  const square = (sizeX * toX * toX + sizeY * toY * toY - (sizeX * sizeY * between * between) / size) / size;
  // Rounding can put coinciding centroids below zero, and a NaN would never be found in its place again.
  return Math.sqrt(Math.max(0, square));
}

/** Upper triangle of the euclidean distance matrix, without the diagonal. */
class CondensedDistances {
  private readonly values: Float64Array;
  private readonly numPoints: number;

  constructor(points: readonly Float64Array[]) {
    this.numPoints = points.length;
    this.values = new Float64Array((this.numPoints * (this.numPoints - 1)) / 2);
    for (let i = 0; i < this.numPoints; i++) {
      for (let j = i + 1; j < this.numPoints; j++) this.set(i, j, euclidean(points[i]!, points[j]!));
    }
  }

  get(i: number, j: number): number {
    return this.values[this.indexOf(i, j)]!;
  }

  set(i: number, j: number, value: number): void {
    this.values[this.indexOf(i, j)] = value;
  }

  private indexOf(i: number, j: number): number {
    const low = i < j ? i : j;
    const high = i < j ? j : i;
    return this.numPoints * low - (low * (low + 1)) / 2 + (high - low - 1);
  }
}

function euclidean(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2;
  return Math.sqrt(sum);
}
