import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constrainedRows, type LinkConstraints } from '../../src/clustering/constraints';
import { INACTIVE, type SpeakerBounds, VoiceTable } from '../../src/clustering/localSpeakers';
import { constrainedLinkage, matrixLinkage } from '../../src/clustering/matrixLinkage';
import { seededNormal, seededRandom } from '../clustering/random';
import { bundledPlda } from '../clustering/plda';
import { bundledTwoCovariance } from '../clustering/twoCovariance';
import type { AnyPlda } from '../../src/clustering/plda';
import { CAMPPLUS_CLUSTERING, COMMUNITY_1_CLUSTERING } from '../../src/clustering/settings';
import { frameMiddleSeconds } from '../../src/segmentation/geometry';
import { Assembler, type Assembly, type AssemblyInput, type ClusteringChoice } from '../../src/timeline/assembler';
import { GEOMETRY, meeting, type Meeting } from '../timeline/meeting';

const PLDA = bundledPlda();
const TWO_COVARIANCE = bundledTwoCovariance();
const ANY: SpeakerBounds = { minSpeakers: 1, maxSpeakers: Infinity };
const CHOICES: readonly ClusteringChoice[] = [
  { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2, ...ANY },
  { method: 'vbx', ...COMMUNITY_1_CLUSTERING, ...ANY },
  { method: 'evidence', ...CAMPPLUS_CLUSTERING, ...ANY },
];
/** The PLDA of a method; for the method without one, any PLDA. */
const pldaOf = ({ method }: ClusteringChoice): AnyPlda => (method === 'evidence' ? TWO_COVARIANCE : PLDA);
const exactly = (count: number): SpeakerBounds => ({ minSpeakers: count, maxSpeakers: count });

const voicesOf = (options: ClusteringChoice, seed: number, numVoices = 3, noise = 0.6): Meeting =>
  meeting({ numWindows: 60, numVoices, dimension: pldaOf(options).embeddingMean.length, noise, seed });
const inputOf = (voices: Meeting, options: ClusteringChoice): AssemblyInput => ({ ...voices, options });

function tableOf({ activity, embeddings, embedded, numSpeakers, dimension }: Meeting): VoiceTable {
  const sizes = { numWindows: embedded.length, numFrames: GEOMETRY.framesPerWindow, numSpeakers, dimension };
  return new VoiceTable({ activity, embeddings, ...sizes });
}

/** The true segments of one speaker. */
function segmentsOf({ voiceOfFrame }: Meeting, voice: number): { startSeconds: number; endSeconds: number }[] {
  const segments: { startSeconds: number; endSeconds: number }[] = [];
  const secondsOf = (frame: number): number => frameMiddleSeconds(GEOMETRY.frames, frame);
  for (let frame = 0; frame < voiceOfFrame.length; ) {
    let end = frame + 1;
    while (end < voiceOfFrame.length && voiceOfFrame[end] === voiceOfFrame[frame]) end++;
    if (voiceOfFrame[frame] === voice) segments.push({ startSeconds: secondsOf(frame), endSeconds: secondsOf(end) });
    frame = end;
  }
  return segments;
}

/** Random segments: constraints need not match the recording. */
function randomConstraints(seed: number, numGroups: number): LinkConstraints {
  const random = seededRandom(seed);
  return Array.from({ length: numGroups }, (_, group) => ({
    speaker: `P${group}`,
    segments: Array.from({ length: 3 }, () => {
      const startSeconds = 60 * random();
      return { startSeconds, endSeconds: startSeconds + 1 + 7 * random() };
    }),
  }));
}

function expectKept({ hardClusters, constraintClusters }: Assembly, voices: Meeting, constraints: LinkConstraints): void {
  const { groups, heard } = constrainedRows(constraints, tableOf(voices), GEOMETRY);
  expect(constraintClusters).toHaveLength(constraints.length);
  constraints.forEach((_, group) => {
    expect(constraintClusters![group]! >= 0).toBe(heard.includes(group));
  });
  const used = constraintClusters!.filter((cluster) => cluster >= 0);
  expect(new Set(used).size).toBe(used.length);
  const constrained = [...groups.keys()].filter((row) => groups[row]! >= 0);
  expect(constrained.length).toBeGreaterThan(0);
  for (const row of constrained) expect(hardClusters[row]).toBe(constraintClusters![groups[row]!]);
}

describe.each(CHOICES)('constraints: $method', (options) => {
  test.each([1, 2, 3, 4, 5, 6])('are satisfied even if they contradict the recording: set %i', (seed) => {
    const voices = voicesOf(options, seed, 1 + (seed % 4), seed % 2 ? 0.5 : 1.2);
    const assembler = new Assembler(inputOf(voices, options), pldaOf(options));
    let numChecked = 0;
    for (const numGroups of [1, 2, 4]) {
      const constraints = randomConstraints(10 * seed + numGroups, numGroups);
      const { heard } = constrainedRows(constraints, tableOf(voices), GEOMETRY);
      if (heard.length === 0) continue;
      for (const bounds of [ANY, exactly(heard.length), exactly(heard.length + 2), { minSpeakers: 2, maxSpeakers: 6 }]) {
        const assembly = assembler.assemble(bounds, constraints);
        expectKept(assembly, voices, constraints);
        // The agglomerative method drops small clusters, so it cannot reach more speakers than there are constraints.
        const least = options.method !== 'agglomerative' ? Math.max(heard.length, bounds.minSpeakers) : heard.length;
        expect(assembly.centroids.length).toBeGreaterThanOrEqual(least);
        expect(assembly.centroids.length).toBeLessThanOrEqual(bounds.maxSpeakers);
        expect(new Set(assembly.hardClusters.filter((cluster) => cluster >= 0)).size).toBe(assembly.centroids.length);
        assembly.hardClusters.forEach((cluster) => {
          expect(cluster === INACTIVE || (cluster >= 0 && cluster < assembly.centroids.length)).toBe(true);
        });
        numChecked++;
      }
    }
    expect(numChecked, 'sets without a matching local speaker check nothing').toBeGreaterThanOrEqual(4);
  });

  test('change nothing if there are none or none matches', () => {
    const assembler = new Assembler(inputOf(voicesOf(options, 1), options), pldaOf(options));
    const free = assembler.assemble(ANY);
    expect(free.constraintClusters).toBeUndefined();
    const unheard = [{ speaker: 'A', segments: [{ startSeconds: 1e4, endSeconds: 2e4 }] }];
    for (const constraints of [[], [{ speaker: 'A', segments: [] }], unheard]) {
      expect(assembler.assemble(ANY, constraints).turns).toEqual(free.turns);
    }
    // Earlier constraints must not affect later calls.
    assembler.assemble(ANY, randomConstraints(3, 3));
    expect(assembler.assemble(ANY).turns).toEqual(free.turns);
  });

  test('separate two speakers that were merged, with segments of each', () => {
    const voices = voicesOf(options, 8, 2, 0.5);
    const assembler = new Assembler(inputOf(voices, options), pldaOf(options));
    expect(new Set(assembler.assemble(exactly(1)).turns.map(({ speakerIndex }) => speakerIndex)).size).toBe(1);
    const segments = [0, 1].map((voice) => segmentsOf(voices, voice));
    const constraints = segments.map((all, voice) => ({ speaker: `V${voice}`, segments: all.slice(0, 2) }));
    const { turns, constraintClusters } = assembler.assemble(exactly(2), constraints);
    // Most of the unconstrained time is assigned correctly, too.
    segments.forEach((all, voice) => {
      const secondsOf = (cluster: number): number =>
        turns
          .filter(({ speakerIndex }) => speakerIndex === cluster)
          .flatMap((turn) => all.slice(2).map((own) => Math.min(turn.endSeconds, own.endSeconds) - Math.max(turn.startSeconds, own.startSeconds)))
          .reduce((sum, seconds) => sum + Math.max(0, seconds), 0);
      expect(secondsOf(constraintClusters![voice]!)).toBeGreaterThan(4 * secondsOf(constraintClusters![1 - voice]!));
    });
  });

  test('keep one speaker together with a must-link, and split the speaker with a cannot-link', () => {
    const voices = voicesOf(options, 9, 1, 0.3);
    const assembler = new Assembler(inputOf(voices, options), pldaOf(options));
    const own = segmentsOf(voices, 0);
    const split = [own.slice(0, 3), own.slice(5, 8)].map((segments, index) => ({ speaker: `S${index}`, segments }));
    expectKept(assembler.assemble(ANY, split), voices, split);
    const together = [{ speaker: 'S', segments: own }];
    const { constraintClusters, turns } = assembler.assemble(exactly(3), together);
    expect(turns.length).toBeGreaterThan(0);
    expectKept(assembler.assemble(exactly(3), together), voices, together);
    expect(constraintClusters![0]).toBeGreaterThanOrEqual(0);
  });

  test('are rejected if they have more speakers than the maximum', () => {
    const voices = voicesOf(options, 8, 3, 0.5);
    const constraints = [0, 1, 2].map((voice) => ({ speaker: `V${voice}`, segments: segmentsOf(voices, voice) }));
    const assembler = new Assembler(inputOf(voices, options), pldaOf(options));
    expect(() => assembler.assemble(exactly(2), constraints)).toThrow(
      expect.objectContaining({ code: 'options', problem: 'The constraints distinguish 3 speakers, but the maximum number of speakers is 2' }),
    );
  });
});

test('constrained linkage without groups matches linkage without constraints', () => {
  const size = fc.integer({ min: 1, max: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 30 }), size, fc.integer({ min: 2, max: 8 }), (seed, numPoints, dimension) => {
      const normal = seededNormal(seed);
      const centroids = Array.from({ length: numPoints }, () => Float64Array.from({ length: dimension }, normal));
      const expected = matrixLinkage(centroids);
      const found = constrainedLinkage({
        centroids,
        sizes: new Int32Array(numPoints).fill(1),
        groups: new Int32Array(numPoints).fill(-1),
      });
      expect(found).toHaveLength(numPoints - 1);
      expect(found).toEqual(expected);
    }),
  );
});

describe('constrained rows', () => {
  const voices = voicesOf(CHOICES[0]!, 8, 3, 0.5);
  const table = tableOf(voices);

  test('match the local speakers that talk in the segments, at most one per window', () => {
    const constraints = [0, 1, 2].map((voice) => ({ speaker: `V${voice}`, segments: segmentsOf(voices, voice) }));
    const { groups, heard } = constrainedRows(constraints, table, GEOMETRY);
    expect(heard).toEqual([0, 1, 2]);
    for (let window = 0; window < voices.embedded.length; window++) {
      const ofWindow = [...groups.subarray(3 * window, 3 * window + 3)].filter((group) => group >= 0);
      expect(new Set(ofWindow).size).toBe(ofWindow.length);
    }
    expect(groups.filter((group) => group >= 0).length).toBeGreaterThan(voices.embedded.length / 2);
  });

  test('do not match if two speakers claim the same segment', () => {
    const segments = segmentsOf(voices, 0);
    const claims = ['A', 'B'].map((speaker) => ({ speaker, segments }));
    expect(constrainedRows(claims, table, GEOMETRY).heard).toEqual([]);
  });

  test('count overlapping segments of one speaker once', () => {
    const segments = segmentsOf(voices, 0);
    const once = constrainedRows([{ speaker: 'A', segments }], table, GEOMETRY);
    const twice = constrainedRows([{ speaker: 'A', segments: [...segments, ...segments] }], table, GEOMETRY);
    expect(twice.groups).toEqual(once.groups);
  });
});
