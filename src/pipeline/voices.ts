import { VoxlaneError } from '../util/errors';
import type { Speaker } from './types';

/**
 * Cosine similarity of two speakers' voices, such as of two recordings.
 *
 * @returns -1 to 1; NaN where one of them has no embedding
 * @throws VoxlaneError `options` for voices of two embedding models: their numbers have nothing in common
 */
export function voiceSimilarity(one: Speaker, other: Speaker): number {
  if (one.embeddingModel !== other.embeddingModel) {
    throw new VoxlaneError({
      code: 'options',
      problem: `${one.label} is of the embedding model ${one.embeddingModel}, ${other.label} of ${other.embeddingModel}`,
      expected: 'two speakers of one embedding model',
      remedy: 'Diarize both recordings with the same preset',
    });
  }
  const dot = one.centroid.reduce((sum, value, index) => sum + value * other.centroid[index]!, 0);
  return dot / (Math.hypot(...one.centroid) * Math.hypot(...other.centroid));
}
