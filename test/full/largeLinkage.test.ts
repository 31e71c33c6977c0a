/** Linkage without a matrix on thousands of points, which prunes whole groups, and on all captured embeddings. */
import { test } from 'vitest';
import { unitEmbeddings } from '../../src/clustering/vbxClusterer';
import { capturedEmbeddings } from '../clustering/captured';
import { seededRandom } from '../clustering/random';
import { expectSameMerges, type Points } from '../clustering/sameMerges';
import { conversation } from '../clustering/voices';
import { NO_SHARED } from '../shared';
import { itUnless } from '../skips';

test.each([
  { numVoices: 3, dimension: 192 },
  { numVoices: 20, dimension: 256 },
])('merges $numVoices voices of a long conversation like the matrix algorithm', ({ numVoices, dimension }) => {
  expectSameMerges(conversation(2500, dimension, numVoices, 1));
});

itUnless(NO_SHARED)('merges the captured embeddings like the matrix algorithm', () => {
  const captured = unitEmbeddings(capturedEmbeddings());
  expectSameMerges(captured);
  // Include repeats, which are ties at zero, and noise.
  const random = seededRandom(8);
  const repeated = (): Points => Array.from({ length: 700 }, () => captured[Math.floor(random() * captured.length)]!);
  expectSameMerges(repeated());
  expectSameMerges(repeated().map((point) => point.map((value) => value + 0.02 * (random() - 0.5))));
});
