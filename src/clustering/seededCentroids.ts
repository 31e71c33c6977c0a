import { embeddedAnchors, type AnchoredRows } from './anchors';
import type { SpeakerBounds } from './cluster';
import { argmin, clusterMeans, cosineDistance } from './vectors';
import type { VoiceTable } from './voiceTable';

/** Rounds in which embeddings may change their cluster: later ones move few. */
const MOST_ROUNDS = 10;

export interface SeededInput {
  readonly table: VoiceTable;
  /** Rows that take part; those of anchors do too. */
  readonly trainRows: readonly number[];
  readonly anchored: AnchoredRows;
}

/**
 * Centroids that keep anchors apart: k-means by the cosine, seeded as in Basu et al., "Semi-supervised clustering by
 * seeding" (2002), its constrained form. Each anchored speaker begins at the mean of its own embeddings, which stay with
 * it; the other clusters begin where `start` has them, but for those that are an anchored speaker's nearest.
 *
 * @param start centroids of clusters without constraints
 * @param moreCentroids gives so many of these, where there are too few
 */
export function seededCentroids(
  { table, trainRows, anchored }: SeededInput,
  start: readonly Float64Array[],
  moreCentroids: (count: number) => readonly Float64Array[],
  { minSpeakers, maxSpeakers }: SpeakerBounds,
): { centroids: Float64Array[]; anchorClusters: number[] } {
  const { groups, heard, numGroups } = anchored;
  const seeds = embeddedAnchors(anchored, table);
  const rows = [...new Set([...trainRows, ...seeds])].sort((a, b) => a - b);
  const { dimension } = table.local;
  const clusterOfGroup = (row: number): number => heard.indexOf(groups[row]!);
  const means = clusterMeans(seeds.map((row) => table.rows[row]!), Int32Array.from(seeds, clusterOfGroup), heard.length, dimension);
  const least = Math.min(minSpeakers, rows.length);

  let free = freeCentroids(means, start);
  if (heard.length + free.length < least) free = freeCentroids(means, moreCentroids(least + heard.length));
  const wanted = Math.max(heard.length, least, Math.min(maxSpeakers, heard.length + free.length));
  const centroids = refined({ table, rows, fixed: clusterOfGroup }, nearestMerged(means, free, wanted));
  const anchorClusters = Array.from({ length: numGroups }, (_, group) => heard.indexOf(group));
  return { centroids, anchorClusters };
}

/** Centroids that are no anchored speaker's nearest. */
function freeCentroids(means: readonly Float64Array[], start: readonly Float64Array[]): Float64Array[] {
  if (start.length === 0) return [];
  const taken = new Set(means.map((mean) => argmin(start.map((centroid) => cosineDistance(mean, centroid)))));
  return start.filter((_, index) => !taken.has(index));
}

/** Takes out, one by one, the free centroid that is nearest to any other, until so many clusters are left. */
function nearestMerged(means: readonly Float64Array[], free: readonly Float64Array[], wanted: number): Float64Array[] {
  const left = [...means, ...free];
  while (left.length > wanted) {
    let nearest = means.length;
    let least = Infinity;
    for (let index = means.length; index < left.length; index++) {
      left.forEach((other, otherIndex) => {
        const distance = cosineDistance(left[index]!, other);
        if (otherIndex === index || !(distance < least)) return;
        least = distance;
        nearest = index;
      });
    }
    left.splice(nearest, 1);
  }
  return left;
}

interface Refining {
  readonly table: VoiceTable;
  readonly rows: readonly number[];
  /** Cluster of a row that stays where it is; below 0 for the others. */
  readonly fixed: (row: number) => number;
}

/** Moves rows to the nearest centroid, and centroids to the means of their rows, until nothing changes. */
function refined({ table, rows, fixed }: Refining, start: Float64Array[]): Float64Array[] {
  let centroids = start;
  const labels = new Int32Array(rows.length).fill(-1);
  const vectors = rows.map((row) => table.rows[row]!);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let numMoved = 0;
    table.compare(
      centroids,
      (index, distances) => {
        const own = fixed(rows[index]!);
        const label = own >= 0 ? own : argmin(distances);
        if (label === labels[index]) return;
        labels[index] = label;
        numMoved++;
      },
      rows,
    );
    if (numMoved === 0) break;
    const moved = clusterMeans(vectors, labels, centroids.length, table.local.dimension);
    // A cluster that has lost its last row stays where it was.
    const before = centroids;
    centroids = moved.map((centroid, cluster) => (centroid.some(Number.isNaN) ? before[cluster]! : centroid));
  }
  return centroids;
}
