import { assignRows } from '../util/assignment';
import { rowOf } from './linearAlgebra';
import { INACTIVE, type VoiceTable } from './localSpeakers';
import { type Plda, projectEmbeddings } from './plda';
import { responsibilitiesOf, type SpeakerModel } from './vbx';

/** Similarity of every local speaker to every cluster. */
export interface SoftClusters {
  /** Axes (window, local speaker, cluster): 2 − cosine distance, 0 to 2; NaN without an embedding. */
  readonly scores: Float64Array;
  readonly numSpeakers: number;
  readonly numClusters: number;
}

/**
 * Assigns the local speakers of each window to different clusters and maximizes the sum of their scores.
 *
 * Matches `BaseClustering.constrained_argmax` of pyannote.audio 4.0.7: NaN counts as the minimum score. If a
 * window has more local speakers than there are clusters, those with the worst scores have none.
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
 * {@link constrainedClusters} restricted to the local speakers that take part; the others have no cluster.
 *
 * If the best clusters of the local speakers of a window differ, they are the assignment. This is true for most windows, so only a
 * few need the search of {@link assignRows}.
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

/** Index of the greatest score, the first one in a tie. NaN ranks below all scores. */
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

/** Scores of the given rows. NaN becomes -1, which is below all scores (0 to 2). */
function rowsOf(scores: Float64Array, rows: readonly number[], numClusters: number): Float64Array {
  const picked = new Float64Array(rows.length * numClusters);
  rows.forEach((row, i) => {
    picked.set(scores.subarray(row * numClusters, (row + 1) * numClusters), i * numClusters);
  });
  return picked.map((score) => (Number.isNaN(score) ? -1 : score));
}

/** Assigns each local speaker to the cluster with the best score; the first one in a tie, and the first NaN before all. */
export function bestClusters({ scores, numClusters }: SoftClusters): Int32Array {
  return Int32Array.from({ length: scores.length / numClusters }, (_, row) => {
    let best = 0;
    for (let cluster = 0; cluster < numClusters; cluster++) {
      const score = scores[row * numClusters + cluster]!;
      // As in NumPy's argmax.
      if (Number.isNaN(score)) return cluster;
      if (score > scores[row * numClusters + best]!) best = cluster;
    }
    return best;
  });
}

/** Offset below the minimum similarity for silent local speakers, as in pyannote. */
const BELOW_ALL = 1;

/** 2 − cosine distance of every local speaker and every centroid; NaN without an embedding. */
export function similarities(table: VoiceTable, centroids: readonly Float64Array[]): SoftClusters {
  const { rows, local } = table;
  const numClusters = centroids.length;
  const scores = new Float64Array(rows.length * numClusters);
  table.compare(centroids, (row, distances) => {
    for (let cluster = 0; cluster < numClusters; cluster++) scores[row * numClusters + cluster] = 2 - distances[cluster]!;
  });
  return { scores, numSpeakers: local.numSpeakers, numClusters };
}

/**
 * Scores with those of silent local speakers lowered, so that they take no cluster from an active one. A NaN anywhere makes the
 * scores of silent local speakers NaN too, like NumPy's `min`; the assignment treats NaN as the minimum score.
 */
export function withoutSilent(soft: SoftClusters, { isSilent }: VoiceTable): SoftClusters {
  const below = soft.scores.reduce((least, score) => Math.min(least, score), Infinity) - BELOW_ALL;
  const scores = soft.scores.map((score, i) => (isSilent[Math.floor(i / soft.numClusters)] ? below : score));
  return { ...soft, scores };
}

/** Input for posterior confidences. */
interface PosteriorJudge {
  readonly plda: Plda;
  readonly model: SpeakerModel;
  /** Speaker of the model for each cluster. */
  readonly kept: readonly number[];
}

/**
 * Confidence of each local speaker's cluster: the posterior from `judge`, or the margin if `judge` is null.
 *
 * @param hardClusters cluster of each row, negative for none
 * @returns 0 to 1 for each row; NaN without cluster or embedding
 */
export function confidences(
  table: VoiceTable,
  hardClusters: Int32Array,
  soft: SoftClusters,
  judge: PosteriorJudge | null,
): Float64Array {
  const { rows } = table;
  const judged = [...rows.keys()].filter((row) => hardClusters[row]! >= 0 && table.hasEmbedding(row));
  const result = new Float64Array(rows.length).fill(NaN);
  if (judged.length === 0) return result;
  if (judge === null) {
    const { scores, numClusters } = soft;
    for (const row of judged) {
      result[row] = margin(scores.subarray(row * numClusters, (row + 1) * numClusters), hardClusters[row]!);
    }
    return result;
  }
  const { plda, model, kept } = judge;
  const { latent } = projectEmbeddings(plda, judged.map((row) => rows[row]!));
  const posteriors = responsibilitiesOf(model, latent);
  judged.forEach((row, index) => (result[row] = rowOf(posteriors, index)[kept[hardClusters[row]!]!]!));
  return result;
}

/**
 * Margin over the best other cluster; 0 if another one is more similar, 1 if there is no other.
 *
 * @param scores axes (cluster)
 */
export function margin(scores: Float64Array, own: number): number {
  if (scores.length === 1) return 1;
  const other = scores.reduce((best, score, cluster) => (cluster === own ? best : Math.max(best, score)), -Infinity);
  return Math.max(0, Math.min(1, scores[own]! - other));
}
