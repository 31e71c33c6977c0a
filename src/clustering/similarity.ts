import type { SoftClusters } from './constrained';
import type { VoiceTable } from './voiceTable';

/** A similarity that is worse than all others by this much: pyannote's. */
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
 * Scores under which a silent local speaker takes no cluster from one who talks. A NaN anywhere makes the scores of the
 * silent NaN too, as numpy's `min` has it, which the assignment takes for the least score.
 */
export function withoutSilent(soft: SoftClusters, { isSilent }: VoiceTable): SoftClusters {
  const below = soft.scores.reduce((least, score) => Math.min(least, score), Infinity) - BELOW_ALL;
  const scores = soft.scores.map((score, i) => (isSilent[Math.floor(i / soft.numClusters)] ? below : score));
  return { ...soft, scores };
}
