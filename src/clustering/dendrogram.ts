import type { Merge } from './merge';

/** The merges of a linkage, one after the other, as arrays that messages and stores take whole; axes (merge). */
export interface Dendrogram {
  /** One of the clusters that are merged: of `n` points, the points are 0 to n - 1, and the merge `i` makes cluster n + i. */
  readonly left: Int32Array<ArrayBuffer>;
  /** The other one, numbered alike; greater than `left`. */
  readonly right: Int32Array<ArrayBuffer>;
  /** Distance at which the two are merged, 0 or more. */
  readonly distances: Float64Array<ArrayBuffer>;
}

export function packMerges(merges: readonly Merge[]): Dendrogram {
  return {
    left: Int32Array.from(merges, ({ left }) => left),
    right: Int32Array.from(merges, ({ right }) => right),
    distances: Float64Array.from(merges, ({ distance }) => distance),
  };
}

/** The merges of `numPoints` points; null where these arrays are no linkage of so many. */
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
