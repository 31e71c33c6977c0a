import { seededRandom } from './random';

/** Half the width of what is added to each value, whose own spread is about 0.15: repeats must not be the same. */
const NOISE = 0.02;

/** Embeddings again and again, each time with other noise. */
export function repeated(embeddings: readonly Float32Array[], count: number): Float32Array[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, (_, i) => embeddings[i % embeddings.length]!.map((value) => value + NOISE * (2 * random() - 1)));
}
