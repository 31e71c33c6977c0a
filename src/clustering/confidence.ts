import type { SoftClusters } from './constrained';
import { rowOf } from './dense';
import { projectEmbeddings, type Plda } from './plda';
import { responsibilitiesOf, type SpeakerModel } from './vbx';
import type { VoiceTable } from './voiceTable';

/**
 * What a confidence is: VBx's posterior probability of the cluster, or by how much the cosine similarity to the cluster
 * exceeds the one to the next best. The two are not to be compared.
 */
export type ConfidenceKind = 'posterior' | 'margin';

/** What judges embeddings by posterior. */
export interface PosteriorJudge {
  readonly plda: Plda;
  readonly model: SpeakerModel;
  /** The model's speaker of each cluster. */
  readonly kept: readonly number[];
}

/**
 * How sure each local speaker's cluster is: by `judge`, or by the margin where there is none.
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
 * Lead over the best other cluster; 0 where another one is more similar, 1 where there is no other.
 *
 * @param scores axes (cluster)
 */
export function margin(scores: Float64Array, own: number): number {
  if (scores.length === 1) return 1;
  const other = scores.reduce((best, score, cluster) => (cluster === own ? best : Math.max(best, score)), -Infinity);
  return Math.max(0, Math.min(1, scores[own]! - other));
}
