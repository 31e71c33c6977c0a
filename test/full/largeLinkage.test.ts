/** Linkage without a matrix on thousands of points, where whole groups are pruned, and on every captured embedding. */
import { test } from 'vitest';
import { unitEmbeddings } from '../../src/clustering/startLabels';
import { capturedEmbeddings } from '../clustering/captured';
import { expectSameMerges } from '../clustering/sameMerges';
import { conversation } from '../clustering/voices';
import { hasShared, SHARED_MISSING } from '../shared';

test.each([
  { numVoices: 3, dimension: 192 },
  { numVoices: 20, dimension: 256 },
])('merges $numVoices voices of a long conversation as with a matrix', ({ numVoices, dimension }) => {
  expectSameMerges(conversation(2500, dimension, numVoices, 1));
});

if (!hasShared) console.log(`skipped: linkage of captured embeddings: ${SHARED_MISSING}`);
test.skipIf(!hasShared)('merges the captured embeddings as with a matrix', () => {
  expectSameMerges(unitEmbeddings(capturedEmbeddings()));
});
