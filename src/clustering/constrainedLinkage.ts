import { condensedDistances } from './distances';
import type { Merge } from './merge';

/** What is linked: points, or means of points that are already together. */
export interface Atoms {
  /** Axes (atom, dimension). */
  readonly centroids: readonly Float64Array[];
  /** Points of each atom. */
  readonly sizes: Int32Array;
  /** Group of each atom, or -1. Atoms of different groups are never merged. */
  readonly groups: Int32Array;
}

/**
 * Centroid linkage under cannot-links: of the pairs that may be merged, always the nearest. Without groups, the merges of
 * `matrixLinkage`. Time O(n²) typically, memory n(n-1)/2 float64.
 *
 * @returns merges as of a dendrogram whose points are the atoms, until only clusters of different groups are left
 */
export function constrainedLinkage({ centroids, sizes: startSizes, groups: startGroups }: Atoms): Merge[] {
  const numAtoms = centroids.length;
  const { values, rowStarts } = condensedDistances(centroids);
  const sizes = startSizes.slice();
  const groups = startGroups.slice();
  const ids = Int32Array.from({ length: numAtoms }, (_, i) => i);
  // Nearest later cluster that each may be merged with; -1 for none.
  const neighbours = new Int32Array(numAtoms).fill(-1);
  const nearest = new Float64Array(numAtoms).fill(Infinity);
  const placeOf = (a: number, b: number): number => (a < b ? rowStarts[a]! + b : rowStarts[b]! + a);
  const mayMerge = (a: number, b: number): boolean => groups[a] === -1 || groups[b] === -1 || groups[a] === groups[b];
  const search = (x: number): void => {
    neighbours[x] = -1;
    nearest[x] = Infinity;
    for (let i = x + 1; i < numAtoms; i++) {
      const distance = values[rowStarts[x]! + i]!;
      if (sizes[i] === 0 || distance >= nearest[x] || !mayMerge(x, i)) continue;
      nearest[x] = distance;
      neighbours[x] = i;
    }
  };

  for (let x = 0; x < numAtoms; x++) search(x);
  const merges: Merge[] = [];
  for (;;) {
    let x = 0;
    for (let i = 1; i < numAtoms; i++) if (nearest[i]! < nearest[x]!) x = i;
    const y = neighbours[x]!;
    if (y === -1) return merges;
    const distance = nearest[x]!;
    const [sizeX, sizeY] = [sizes[x]!, sizes[y]!];
    const size = sizeX + sizeY;
    merges.push({ left: Math.min(ids[x]!, ids[y]!), right: Math.max(ids[x]!, ids[y]!), distance, size });
    // The merged cluster lives on in y's place.
    sizes[x] = 0;
    nearest[x] = Infinity;
    neighbours[x] = -1;
    sizes[y] = size;
    ids[y] = numAtoms + merges.length - 1;
    groups[y] = Math.max(groups[x]!, groups[y]!);
    for (let z = 0; z < numAtoms; z++) {
      if (sizes[z] === 0 || z === y) continue;
      const [toX, toY] = [values[placeOf(z, x)]!, values[placeOf(z, y)]!];
      const square = (sizeX * toX * toX + sizeY * toY * toY - (sizeX * sizeY * distance * distance) / size) / size;
      const toMerged = Math.sqrt(Math.max(0, square));
      values[placeOf(z, y)] = toMerged;
      if (z > y) continue;
      if (neighbours[z] === x || neighbours[z] === y) search(z);
      else if (toMerged < nearest[z]! && mayMerge(z, y)) {
        nearest[z] = toMerged;
        neighbours[z] = y;
      }
    }
    search(y);
  }
}
