import { assignRows } from './assignment';
import { INACTIVE } from './cluster';

/** How alike every local speaker and every cluster are. */
export interface SoftClusters {
  /** Axes (window, local speaker, cluster): 2 − cosine distance, 0 to 2; NaN without an embedding. */
  readonly scores: Float64Array;
  readonly numSpeakers: number;
  readonly numClusters: number;
}

/**
 * Gives the local speakers of each window different clusters, so that their scores add up to the most.
 *
 * Matches `BaseClustering.constrained_argmax` of pyannote.audio 4.0.7: NaN counts as the least score there is. Where a
 * window has more local speakers than there are clusters, the worst ones have none.
 *
 * @returns axes (window, local speaker): cluster index or {@link INACTIVE}
 */
export function constrainedClusters({ scores, numSpeakers, numClusters }: SoftClusters): Int32Array {
  const least = scores.reduce((low, score) => (score < low ? score : low), Infinity);
  const known = scores.map((score) => (Number.isNaN(score) ? least : score));
  const numWindows = scores.length / (numSpeakers * numClusters);
  const hardClusters = new Int32Array(numWindows * numSpeakers);
  const perWindow = numSpeakers * numClusters;
  for (let window = 0; window < numWindows; window++) {
    const columns = assignRows(known.subarray(window * perWindow, (window + 1) * perWindow), numSpeakers, numClusters);
    hardClusters.set(columns.map((column) => (column < 0 ? INACTIVE : column)), window * numSpeakers);
  }
  return hardClusters;
}

/** Gives each local speaker the cluster of the best score; the first one in a tie, the first NaN before all. */
export function bestClusters({ scores, numClusters }: SoftClusters): Int32Array {
  return Int32Array.from({ length: scores.length / numClusters }, (_, row) => {
    let best = 0;
    for (let cluster = 0; cluster < numClusters; cluster++) {
      const score = scores[row * numClusters + cluster]!;
      // numpy's argmax stops at a NaN.
      if (Number.isNaN(score)) return cluster;
      if (score > scores[row * numClusters + best]!) best = cluster;
    }
    return best;
  });
}
