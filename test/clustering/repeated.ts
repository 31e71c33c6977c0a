import { seededRandom } from './random';

/** Half the width of the noise added to each value, whose spread is about 0.15. Repeats must not be identical. */
const NOISE = 0.02;

/** Repeats embeddings, each time with different noise. */
export function repeated(embeddings: readonly Float32Array[], count: number): Float32Array[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, (_, i) => embeddings[i % embeddings.length]!.map((value) => value + NOISE * (2 * random() - 1)));
}
