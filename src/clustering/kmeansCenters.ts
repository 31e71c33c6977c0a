/** Axes (point, dimension). */
export type Points = readonly Float32Array[];

/** Square of the euclidean distance. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2;
  return sum;
}

/** Square of the distance from `point` to a centre, without the point's own square, which is the same for all centres. */
export function centerDistance(point: Float32Array, center: Float64Array, centerSquare: number): number {
  let dot = 0;
  for (let k = 0; k < center.length; k++) dot += point[k]! * center[k]!;
  return centerSquare - 2 * dot;
}

/**
 * The mean of each cluster; one that lost its last point is moved to the point that is farthest from its own centre.
 *
 * Matches `lloyd_iter_chunked_dense` of scikit-learn with `_relocate_empty_clusters_dense` and `_average_centers`.
 */
export function movedCenters(points: Points, labels: Int32Array, centers: readonly Float64Array[]): Float64Array[] {
  const sums = centers.map((center) => new Float64Array(center.length));
  const sizes = new Int32Array(centers.length);
  points.forEach((point, i) => {
    const sum = sums[labels[i]!]!;
    for (let k = 0; k < sum.length; k++) sum[k]! += point[k]!;
    sizes[labels[i]!]!++;
  });
  relocateEmpty(points, labels, centers, sums, sizes);
  const largest = sizes.indexOf(Math.max(...sizes));
  // A cluster that could not be given a point is put where the largest one is.
  return sums.map((_, cluster) => {
    const source = sizes[cluster]! > 0 ? cluster : largest;
    return sums[source]!.map((value) => value / sizes[source]!);
  });
}

function relocateEmpty(
  points: Points,
  labels: Int32Array,
  centers: readonly Float64Array[],
  sums: readonly Float64Array[],
  sizes: Int32Array,
): void {
  const empty = [...sizes.keys()].filter((cluster) => sizes[cluster] === 0);
  if (empty.length === 0) return;
  const distances = points.map((point, i) => squaredDistance(point, centers[labels[i]!]!));
  const farthest = [...distances.keys()].sort((a, b) => distances[b]! - distances[a]!);
  // Fewer different points than clusters: there is nowhere to go.
  if (distances[farthest[0]!] === 0) return;
  empty.forEach((cluster, rank) => {
    const index = farthest[rank]!;
    const point = points[index]!;
    const from = labels[index]!;
    point.forEach((value, k) => {
      sums[from]![k]! -= value;
      sums[cluster]![k] = value;
    });
    sizes[cluster] = 1;
    sizes[from]!--;
  });
}
