/**
 * One merge of a dendrogram: the clusters `left` < `right` become cluster `numPoints + row`.
 * Clusters below `numPoints` are the points themselves. Equivalent to a row of `scipy.cluster.hierarchy.linkage`.
 */
export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly distance: number;
  /** Points in the new cluster. */
  readonly size: number;
}

/**
 * Cuts a dendrogram into flat clusters: two points share a cluster if the merge that joins them, and every merge below it,
 * has a distance of at most `threshold`.
 *
 * Matches `scipy.cluster.hierarchy.fcluster(criterion='distance') - 1`, including the numbering, so that speaker
 * numbers equal pyannote's. In centroid linkage, a merge can be nearer than the ones below it; the maximum
 * distance in a subtree counts.
 *
 * @param distanceOf distance of merge `row`; default: the distance in `merges`
 * @returns cluster index per point, from 0
 */
export function flatClusters(
  merges: readonly Merge[],
  threshold: number,
  distanceOf: (row: number) => number = (row) => merges[row]!.distance,
): Int32Array {
  const numPoints = merges.length + 1;
  const greatest = new Float64Array(merges.length);
  const greatestBelow = (cluster: number) => (cluster < numPoints ? -Infinity : greatest[cluster - numPoints]!);
  merges.forEach(({ left, right }, row) => {
    greatest[row] = Math.max(distanceOf(row), greatestBelow(left), greatestBelow(right));
  });

  const clusters = new Int32Array(numPoints);
  let numClusters = 0;
  const claim = (root: number): void => {
    const stack = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node < numPoints) {
        clusters[node] = numClusters;
      } else {
        const { left, right } = merges[node - numPoints]!;
        stack.push(right, left);
      }
    }
    numClusters++;
  };
  // As in SciPy: visits inner nodes first, left then right, and numbers single points on the way back.
  const stack: { node: number; leavesOnly: boolean }[] = [{ node: 2 * numPoints - 2, leavesOnly: false }];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { node, leavesOnly } = entry;
    if (node < numPoints || greatestBelow(node) <= threshold) {
      claim(node);
      continue;
    }
    const { left, right } = merges[node - numPoints]!;
    if (leavesOnly) {
      if (left < numPoints) claim(left);
      if (right < numPoints) claim(right);
      continue;
    }
    stack.push({ node, leavesOnly: true });
    if (right >= numPoints) stack.push({ node: right, leavesOnly: false });
    if (left >= numPoints) stack.push({ node: left, leavesOnly: false });
  }
  return clusters;
}

/** The merges of a linkage as arrays, which can be transferred and stored; axes (merge). */
export interface Dendrogram {
  /** First merged cluster. Of `n` points, the points are clusters 0 to n - 1, and merge `i` creates cluster n + i. */
  readonly left: Int32Array<ArrayBuffer>;
  /** Second merged cluster, in the same numbering; greater than `left`. */
  readonly right: Int32Array<ArrayBuffer>;
  /** Distance at which the two are merged, at least 0. */
  readonly distances: Float64Array<ArrayBuffer>;
}

/** The merges as typed arrays, axes (merge), which cross to other threads without a copy of each object. */
export function packMerges(merges: readonly Merge[]): Dendrogram {
  return {
    left: Int32Array.from(merges, ({ left }) => left),
    right: Int32Array.from(merges, ({ right }) => right),
    distances: Float64Array.from(merges, ({ distance }) => distance),
  };
}

/** The merges of `numPoints` points; null if the arrays are not a valid linkage of that many points. */
export function unpackMerges({ left, right, distances }: Dendrogram, numPoints: number): Merge[] | null {
  const numMerges = numPoints - 1;
  if (left.length !== numMerges || right.length !== numMerges || distances.length !== numMerges) return null;
  const merges: Merge[] = [];
  const isMerged = new Uint8Array(numPoints + numMerges);
  const sizeOf = (cluster: number): number => (cluster < numPoints ? 1 : merges[cluster - numPoints]!.size);
  for (let row = 0; row < numMerges; row++) {
    const [l, r, distance] = [left[row]!, right[row]!, distances[row]!];
    const isSound = l >= 0 && l < r && r < numPoints + row && !isMerged[l] && !isMerged[r] && distance >= 0;
    if (!isSound) return null;
    isMerged[l] = 1;
    isMerged[r] = 1;
    merges.push({ left: l, right: r, distance, size: sizeOf(l) + sizeOf(r) });
  }
  return merges;
}
