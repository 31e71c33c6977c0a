import { agglomerativeClustering } from './agglomerative';
import { argmin, clusterMeans, cosineDistance, mean } from './vectors';

/** A local speaker's cluster is this where the speaker is silent in its window. */
export const INACTIVE = -2;

/** Every (window, local speaker) of a recording, row-major. */
export interface LocalSpeakers {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array;
  readonly numWindows: number;
  readonly numFrames: number;
  readonly numSpeakers: number;
  readonly dimension: number;
}

export interface ClusteringOptions {
  readonly threshold: number;
  readonly minClusterSize: number;
  /** An embedding takes part in clustering where its speaker talks alone for this share of the window. */
  readonly minActiveRatio: number;
  readonly minSpeakers: number;
  /** `Infinity` for no upper bound. */
  readonly maxSpeakers: number;
}

export interface Clusters {
  /** Axes (window, local speaker): cluster index, or {@link INACTIVE}. */
  readonly hardClusters: Int32Array;
  /** Axes (cluster, dimension): mean of the embeddings that took part; NaN where none did. */
  readonly centroids: readonly Float64Array[];
}

/**
 * Says which local speakers of different windows are the same person.
 *
 * Matches `AgglomerativeClustering.__call__` of pyannote.audio 4.0.7 with unconstrained assignment: the
 * embeddings with enough clean speech are clustered, then *every* embedding is given to the nearest centroid.
 * An embedding that is NaN goes to cluster 0 there, as numpy's argmax has it, and so here.
 */
export function clusterLocalSpeakers(local: LocalSpeakers, options: ClusteringOptions): Clusters {
  const { embeddings, numWindows, numSpeakers, dimension } = local;
  const rows = Array.from({ length: numWindows * numSpeakers }, (_, row) =>
    embeddings.subarray(row * dimension, (row + 1) * dimension),
  );
  const train = trainableRows(local, options.minActiveRatio).map((row) => rows[row]!);
  const clamp = (bound: number) => Math.max(1, Math.min(train.length, bound));
  const minClusters = clamp(options.minSpeakers);
  const maxClusters = clamp(options.maxSpeakers);

  const hardClusters = new Int32Array(rows.length);
  let centroids: Float64Array[];
  if (maxClusters < 2) {
    centroids = [mean(train, dimension)];
  } else {
    const trainClusters = agglomerativeClustering(train, { ...options, minClusters, maxClusters });
    const numClusters = trainClusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
    centroids = clusterMeans(train, trainClusters, numClusters, dimension);
    rows.forEach((row, index) => {
      hardClusters[index] = argmin(centroids.map((centroid) => cosineDistance(row, centroid)));
    });
  }
  markInactive(local, hardClusters);
  return { hardClusters, centroids };
}

/** Rows, as window × speaker, that are free of NaN and whose speaker talks alone long enough. */
export function trainableRows({ activity, embeddings, ...sizes }: LocalSpeakers, minActiveRatio: number): number[] {
  const { numWindows, numFrames, numSpeakers, dimension } = sizes;
  const rows: number[] = [];
  const aloneFrames = new Int32Array(numSpeakers);
  for (let window = 0; window < numWindows; window++) {
    aloneFrames.fill(0);
    for (let frame = 0; frame < numFrames; frame++) {
      const start = (window * numFrames + frame) * numSpeakers;
      let alone = -1;
      let count = 0;
      for (let speaker = 0; speaker < numSpeakers; speaker++) {
        if (!activity[start + speaker]) continue;
        alone = speaker;
        count++;
      }
      if (count === 1) aloneFrames[alone] = aloneFrames[alone]! + 1;
    }
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      const row = window * numSpeakers + speaker;
      const valid = embeddings.subarray(row * dimension, (row + 1) * dimension).every((x) => !Number.isNaN(x));
      if (valid && aloneFrames[speaker]! >= minActiveRatio * numFrames) rows.push(row);
    }
  }
  return rows;
}

/** Takes local speakers that are silent in their window out of every cluster, in place. */
export function markInactive(
  { activity, numWindows, numFrames, numSpeakers }: LocalSpeakers,
  hardClusters: Int32Array,
): void {
  for (let window = 0; window < numWindows; window++) {
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      let active = false;
      for (let frame = 0; frame < numFrames && !active; frame++) {
        active = activity[(window * numFrames + frame) * numSpeakers + speaker] === 1;
      }
      if (!active) hardClusters[window * numSpeakers + speaker] = INACTIVE;
    }
  }
}
