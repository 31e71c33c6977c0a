import { condensedDistances } from './distances';
import { IndexedHeap } from './heap';
import type { Merge } from './merge';

/**
 * Agglomerative clustering with centroid linkage (UPGMC) on euclidean distances.
 *
 * Matches `scipy.cluster.hierarchy.linkage(points, method='centroid')`, merge by merge: the generic
 * algorithm of Müllner, "Modern hierarchical, agglomerative clustering algorithms" (2011), figure 3, with the
 * Lance-Williams update in float64. Time O(n²) typically, memory n(n-1)/2 float64, once.
 *
 * @param points axes (point, dimension)
 * @returns `numPoints - 1` merges; distances need not rise from one to the next (centroid inversions)
 * @throws VoxlaneError `options` where there is not the memory for so many points
 */
export function matrixLinkage(points: readonly ArrayLike<number>[]): Merge[] {
  const numPoints = points.length;
  const { values, rowStarts } = condensedDistances(points);
  const sizes = new Int32Array(numPoints).fill(1);
  const clusterIds = Int32Array.from({ length: numPoints }, (_, i) => i);
  // neighbours[x] is a guess at x's nearest later point, lowerBounds[x] never more than its distance.
  const neighbours = new Int32Array(Math.max(numPoints - 1, 0));
  const lowerBounds = new Float64Array(Math.max(numPoints - 1, 0));

  const findNearest = (x: number): { index: number; distance: number } => {
    let index = -1;
    let distance = Infinity;
    const rowStart = rowStarts[x]!;
    for (let i = x + 1; i < numPoints; i++) {
      if (sizes[i] === 0) continue;
      const candidate = values[rowStart + i]!;
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
    while (lowerBounds[x] !== values[rowStarts[x]! + neighbours[x]!]) {
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
      const atX = z < x ? rowStarts[z]! + x : rowStarts[x]! + z;
      const atY = z < y ? rowStarts[z]! + y : rowStarts[y]! + z;
      const toMerged = centroidDistance(values[atX]!, values[atY]!, distance, sizeX, sizeY);
      values[atY] = toMerged;
      // z's own guess looks at later points only.
      if (z > y) continue;
      if (neighbours[z] === x) neighbours[z] = y;
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
