/** Linkage without a matrix on thousands of points, where whole groups are pruned, and on every captured embedding. */
import { expect, test } from 'vitest';
import { matrixLinkage } from '../../src/clustering/matrixLinkage';
import { prunedLinkage } from '../../src/clustering/prunedLinkage';
import { unitEmbeddings } from '../../src/clustering/startLabels';
import { capturedEmbeddings } from '../clustering/captured';
import { conversation } from '../clustering/voices';
import { hasShared, SHARED_MISSING } from '../shared';

function expectSameMerges(points: readonly Float32Array[]): void {
  const merges = (rows: ReturnType<typeof matrixLinkage>): unknown[] => rows.map(({ left, right, size }) => [left, right, size]);
  expect(merges(prunedLinkage(points))).toEqual(merges(matrixLinkage(points)));
}

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
