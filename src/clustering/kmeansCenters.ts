import { rowOf } from './dense';
import { squaredDistance, type Points } from './kmeansPoints';

/** Sums of the points of each cluster. */
export interface Sums {
  readonly vectors: readonly Float64Array[];
  /** Points of each cluster. */
  readonly sizes: Int32Array;
}

export function addTo({ vectors, sizes }: Sums, cluster: number, point: Float64Array): void {
  const sum = vectors[cluster]!;
  for (let k = 0; k < sum.length; k++) sum[k]! += point[k]!;
  sizes[cluster]!++;
}

export function subtractFrom({ vectors, sizes }: Sums, cluster: number, point: Float64Array): void {
  const sum = vectors[cluster]!;
  for (let k = 0; k < sum.length; k++) sum[k]! -= point[k]!;
  sizes[cluster]!--;
}

/**
 * The mean of each cluster; one that lost its last point is moved to the point that is farthest from its own centre.
 *
 * Matches `lloyd_iter_chunked_dense` of scikit-learn with `_relocate_empty_clusters_dense` and `_average_centers`.
 *
 * @param known sums of the points under these labels; null where they are to be made
 * @returns the sums too, where they are still those of the labels
 */
export function movedCenters(
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
  // A cluster that could not be given a point is put where the largest one is.
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

/** In place. */
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
  // Fewer different points than clusters: there is nowhere to go.
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
