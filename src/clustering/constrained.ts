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

/**
 * {@link constrainedClusters} among the local speakers that take part; the others have no cluster.
 *
 * If the best clusters of a window's local speakers differ, they are the assignment. Most windows are like that, so few need the
 * search of {@link assignRows}.
 *
 * @param takesPart whether a row of the axes (window, local speaker) takes part
 * @returns axes (window, local speaker): cluster index or {@link INACTIVE}
 */
export function constrainedAmong({ scores, numSpeakers, numClusters }: SoftClusters, takesPart: (row: number) => boolean): Int32Array {
  const hardClusters = new Int32Array(scores.length / numClusters).fill(INACTIVE);
  const rows: number[] = [];
  const best: number[] = [];
  for (let first = 0; first < hardClusters.length; first += numSpeakers) {
    rows.length = 0;
    best.length = 0;
    let areDistinct = true;
    for (let row = first; row < first + numSpeakers; row++) {
      if (!takesPart(row)) continue;
      const cluster = bestCluster(scores, row * numClusters, numClusters);
      areDistinct &&= !best.includes(cluster);
      rows.push(row);
      best.push(cluster);
    }
    if (!areDistinct) {
      const columns = assignRows(rowsOf(scores, rows, numClusters), rows.length, numClusters);
      columns.forEach((column, i) => (best[i] = column < 0 ? INACTIVE : column));
    }
    rows.forEach((row, i) => (hardClusters[row] = best[i]!));
  }
  return hardClusters;
}

/** Index of the greatest score, the first one in a tie. NaN is below all. */
function bestCluster(scores: Float64Array, start: number, numClusters: number): number {
  let best = 0;
  let most = -Infinity;
  for (let cluster = 0; cluster < numClusters; cluster++) {
    const score = scores[start + cluster]!;
    if (score <= most || Number.isNaN(score)) continue;
    most = score;
    best = cluster;
  }
  return best;
}

/** Scores of some rows. NaN becomes a score below all, which are 0 to 2. */
function rowsOf(scores: Float64Array, rows: readonly number[], numClusters: number): Float64Array {
  const picked = new Float64Array(rows.length * numClusters);
  rows.forEach((row, i) => {
    picked.set(scores.subarray(row * numClusters, (row + 1) * numClusters), i * numClusters);
  });
  return picked.map((score) => (Number.isNaN(score) ? -1 : score));
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
