import { describe, expect, test } from 'vitest';
import type { SpeakerBounds } from '../../src/clustering/cluster';
import { bundledPlda } from '../clustering/plda';
import { COMMUNITY_1_CLUSTERING } from '../../src/clustering/vbxClustering';
import type { ClusteringChoice } from '../../src/diarization/assemble';
import { Assembler } from '../../src/diarization/assembler';
import { meeting } from '../diarization/meeting';

/** Three hours at one window a second. */
const NUM_WINDOWS = 10_800;
const MAX_STEP_SECONDS = 1;
const ANY: SpeakerBounds = { minSpeakers: 1, maxSpeakers: Infinity };
const CHOICES: readonly (ClusteringChoice & { readonly dimension: number })[] = [
  { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2, dimension: 192, ...ANY },
  { method: 'vbx', ...COMMUNITY_1_CLUSTERING, dimension: 256, ...ANY },
];

/** Processor time too, because others may be at work on the machine; it counts every thread of the process. */
function timed<Result>(work: () => Result): { result: Result; wall: number; processor: number } {
  const before = process.cpuUsage();
  const start = performance.now();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, wall: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
}

describe.each(CHOICES)('steps of the speaker count over three hours: $method', ({ dimension, ...options }) => {
  test('take a second at most', { timeout: 900_000 }, () => {
    const voices = meeting({ numWindows: NUM_WINDOWS, numVoices: 8, dimension, noise: 0.4, seed: 3 });
    const prepared = timed(() => {
      const assembler = new Assembler({ ...voices, options }, bundledPlda());
      assembler.warm();
      return assembler;
    });
    const assembler = prepared.result;
    console.log(`${options.method}: prepared in ${prepared.processor.toFixed(1)} s of processor, ${prepared.wall.toFixed(1)} s`);
    const anticipated = timed(() => {
      while (assembler.anticipate());
    });
    console.log(`  other numbers anticipated in ${anticipated.processor.toFixed(1)} s of processor, ${anticipated.wall.toFixed(1)} s`);
    // The first one of all is compiled on the way.
    assembler.assemble(ANY);
    for (let count = 1; count <= 10; count++) {
      const step = timed(() => assembler.assemble({ minSpeakers: count, maxSpeakers: count }));
      console.log(`  ${count} speakers: processor ${step.processor.toFixed(2)} s, wall ${step.wall.toFixed(2)} s, ${step.result.turns.length} turns`);
      expect(step.processor).toBeLessThan(MAX_STEP_SECONDS);
    }

    // Stretches that the clusters do not keep by themselves: more embeddings than are linked one by one.
    const anchors = ['A', 'B', 'C'].map((speaker, group) => ({
      speaker,
      stretches: Array.from({ length: 200 }, (_, i) => {
        const startSeconds = 50 * i + 12 * group;
        return { startSeconds, endSeconds: startSeconds + 5 };
      }),
    }));
    for (const count of [8, 7, 5]) {
      const step = timed(() => assembler.assemble({ minSpeakers: count, maxSpeakers: count }, anchors));
      const { anchorClusters, centroids } = step.result;
      console.log(`  ${count} with anchors: processor ${step.processor.toFixed(2)} s, wall ${step.wall.toFixed(2)} s, ${centroids.length} clusters`);
      expect(new Set(anchorClusters).size).toBe(3);
      expect(anchorClusters).not.toContain(-1);
      expect(centroids.length).toBeLessThanOrEqual(count);
    }
  });
});
