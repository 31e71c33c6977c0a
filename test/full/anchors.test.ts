import { expect, test } from 'vitest';
import { ANY_COUNT, threeHourAssembler } from '../diarization/threeHours';

/** Stretches that the clusters do not keep by themselves: more embeddings than are linked one by one. */
const ANCHORS = ['A', 'B', 'C'].map((speaker, group) => ({
  speaker,
  stretches: Array.from({ length: 200 }, (_, i) => {
    const startSeconds = 50 * i + 12 * group;
    return { startSeconds, endSeconds: startSeconds + 5 };
  }),
}));

test.each(['agglomerative', 'vbx'] as const)('anchors over three hours have clusters of their own: %s', { timeout: 900_000 }, (method) => {
  const assembler = threeHourAssembler(method);
  assembler.assemble(ANY_COUNT);
  for (const count of [8, 7, 5]) {
    const { anchorClusters, centroids } = assembler.assemble({ minSpeakers: count, maxSpeakers: count }, ANCHORS);
    expect(new Set(anchorClusters).size).toBe(3);
    expect(anchorClusters).not.toContain(-1);
    expect(centroids.length).toBeLessThanOrEqual(count);
  }
});
