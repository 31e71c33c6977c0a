import { roundHalfEven } from '../util/round';
import { flatClusters } from './flat';
import { centroidLinkage } from './linkage';
import type { Merge } from './merge';
import { argmin, clusterMeans, cosineDistance, normalised } from './vectors';

/** Settings of {@link agglomerativeClustering}. */
export interface AgglomerativeOptions {
  /** Greatest centroid distance, of unit vectors, at which two clusters are merged: 0 to 2. */
  readonly threshold: number;
  /** Clusters with fewer embeddings are given to the nearest large one. */
  readonly minClusterSize: number;
  /** Bounds on the number of clusters; equal for an exact number. */
  readonly minClusters: number;
  readonly maxClusters: number;
}

/**
 * Clusters embeddings by centroid linkage, then folds clusters that are too small into the others.
 *
 * Matches `AgglomerativeClustering.cluster` of pyannote.audio 4.0.7 with `metric='cosine'` and
 * `method='centroid'`.
 *
 * @param embeddings axes (embedding, dimension), free of NaN, at least one
 * @param linkage of the unit vectors; all of them give the same merges
 * @returns cluster index per embedding, from 0 without gaps
 */
export function agglomerativeClustering(
  embeddings: readonly Float32Array[],
  { minClusters, maxClusters, ...settings }: AgglomerativeOptions,
  linkage: (points: readonly Float64Array[]) => readonly Merge[] = centroidLinkage,
): Int32Array {
  return new Agglomeration(embeddings, settings, linkage).clusters(minClusters, maxClusters);
}

/** What {@link agglomerativeClustering} knows before the number of clusters: the merges, and where each leads. */
export class Agglomeration {
  readonly merges: readonly Merge[];
  /** The embeddings at unit length; axes (embedding, dimension). */
  readonly unit: readonly Float64Array[];
  /** Embeddings that make a cluster large. */
  readonly minSize: number;
  private readonly threshold: number;
  private walk: Walk | null = null;

  constructor(
    embeddings: readonly Float32Array[],
    { threshold, minClusterSize }: Pick<AgglomerativeOptions, 'threshold' | 'minClusterSize'>,
    linkage: (points: readonly Float64Array[]) => readonly Merge[] = centroidLinkage,
  ) {
    this.threshold = threshold;
    // With few embeddings, twelve of one speaker would be too much to ask.
    this.minSize = Math.min(minClusterSize, Math.max(1, roundHalfEven(0.1 * embeddings.length)));
    this.unit = embeddings.map(normalised);
    this.merges = embeddings.length > 1 ? linkage(this.unit) : [];
  }

  /** @returns cluster index per embedding, from 0 without gaps */
  clusters(minClusters: number, maxClusters: number): Int32Array {
    const { unit, merges, threshold, minSize } = this;
    if (unit.length === 1) return new Int32Array(1);
    let clusters = flatClusters(merges, threshold);
    let large = largeClusters(clusters, minSize);
    const target = targetCount(large.length, minClusters, maxClusters);
    if (target !== null) {
      this.walk ??= { largeCounts: largeCountsAfter(merges, minSize), rows: rowsByNearness(merges, threshold) };
      const row = rowForCount(merges, this.walk, minSize, target);
      clusters = flatClusters(merges, row, (index) => index);
      large = largeClusters(clusters, minSize);
    }
    if (large.length === 0) return clusters.fill(0);
    return foldSmallClusters(unit, clusters, large);
  }
}

/** How many large clusters to look for; null where what the threshold gives is as asked for. */
export function targetCount(found: number, minClusters: number, maxClusters: number): number | null {
  let target = minClusters === maxClusters ? minClusters : null;
  if (found < minClusters) target = minClusters;
  else if (found > maxClusters) target = maxClusters;
  return target === found ? null : target;
}

/** Clusters with at least `minSize` members, in order of their index. */
function largeClusters(clusters: Int32Array, minSize: number): number[] {
  const counts = new Map<number, number>();
  for (const cluster of clusters) counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  return [...counts.keys()].filter((cluster) => counts.get(cluster)! >= minSize).sort((a, b) => a - b);
}

/** What the walk along the merges wants to know. */
export interface Walk {
  /** Large clusters after each merge. */
  readonly largeCounts: Int32Array;
  /** Merges, the nearest to the threshold first. */
  readonly rows: readonly number[];
}

export function rowsByNearness(merges: readonly Merge[], threshold: number): number[] {
  return merges
    .map((merge, row) => ({ row, offset: Math.abs(merge.distance - threshold) }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ row }) => row);
}

/**
 * Walks the merges away from the threshold, nearest first, for a cut with `target` large clusters; settles for
 * the nearest count. Cuts by merge index, so that centroid inversions do not hide a cut.
 *
 * @returns the last merge to apply; beyond all of them where that is one cluster
 */
export function rowForCount(merges: readonly Merge[], { largeCounts, rows }: Walk, minSize: number, target: number, last = 1): number {
  let bestRow = merges.length;
  let bestCount = last;
  for (const row of rows) {
    // A merge into a small cluster cannot have changed the number of large ones.
    if (merges[row]!.size < minSize) continue;
    const count = largeCounts[row]!;
    if (Math.abs(count - target) < Math.abs(bestCount - target)) {
      bestRow = row;
      bestCount = count;
    }
    if (count === target) return row;
  }
  return bestRow;
}

/** How many clusters are large after each merge: a cut by merge index has applied those up to it. */
function largeCountsAfter(merges: readonly Merge[], minSize: number): Int32Array {
  const numPoints = merges.length + 1;
  const isLarge = (cluster: number) => (cluster < numPoints ? 1 : merges[cluster - numPoints]!.size) >= minSize;
  let count = minSize <= 1 ? numPoints : 0;
  return Int32Array.from(merges, ({ left, right, size }) => {
    count += Number(size >= minSize) - Number(isLarge(left)) - Number(isLarge(right));
    return count;
  });
}

/** Gives every small cluster to the large one with the most similar centroid, then renumbers from 0. */
export function foldSmallClusters(unit: readonly Float64Array[], clusters: Int32Array, large: readonly number[]): Int32Array {
  const numClusters = clusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
  const means = clusterMeans(unit, clusters, numClusters, unit[0]!.length);
  const renumbered = new Map(large.map((cluster, index) => [cluster, index]));
  means.forEach((centroid, cluster) => {
    if (renumbered.has(cluster)) return;
    renumbered.set(cluster, argmin(large.map((candidate) => cosineDistance(means[candidate]!, centroid))));
  });
  return clusters.map((cluster) => renumbered.get(cluster)!);
}
