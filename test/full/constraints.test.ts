import { expect, test } from 'vitest';
import { ANY_COUNT, longAssembler } from '../timeline/longAssembler';

/** More embeddings than fit into a distance matrix. */
const NUM_WINDOWS = 4000;

/** Segments that would not stay in one cluster without constraints: more embeddings than are linked one by one. */
const CONSTRAINTS = ['A', 'B', 'C'].map((speaker, group) => ({
  speaker,
  segments: Array.from({ length: 200 }, (_, i) => {
    const startSeconds = 20 * i + 6 * group;
    return { startSeconds, endSeconds: startSeconds + 5 };
  }),
}));

test.each(['agglomerative', 'vbx'] as const)('constrained speakers of a long recording have separate clusters: %s', { timeout: 900_000 }, (method) => {
  const assembler = longAssembler(method, NUM_WINDOWS);
  expect(assembler.assemble(ANY_COUNT).centroids.length).toBeGreaterThanOrEqual(1);
  for (const count of [8, 5]) {
    const { constraintClusters, centroids } = assembler.assemble({ minSpeakers: count, maxSpeakers: count }, CONSTRAINTS);
    expect(new Set(constraintClusters).size).toBe(3);
    expect(constraintClusters).not.toContain(-1);
    expect(centroids.length).toBeLessThanOrEqual(count);
  }
});
