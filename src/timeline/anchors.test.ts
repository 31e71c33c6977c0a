import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anchoredRows, type Anchors } from '../clustering/anchors';
import { INACTIVE, type SpeakerBounds, VoiceTable } from '../clustering/localSpeakers';
import { constrainedLinkage, matrixLinkage } from '../clustering/matrixLinkage';
import { seededNormal, seededRandom } from '../../test/clustering/random';
import { bundledPlda } from '../../test/clustering/plda';
import { bundledTwoCovariance } from '../../test/clustering/twoCovariance';
import type { AnyPlda } from '../clustering/plda';
import { CAMPPLUS_CLUSTERING, COMMUNITY_1_CLUSTERING } from '../clustering/settings';
import { frameMiddleSeconds } from '../segmentation/geometry';
import { Assembler, type Assembly, type AssemblyInput, type ClusteringChoice } from './assembler';
import { GEOMETRY, meeting, type Meeting } from '../../test/timeline/meeting';

const PLDA = bundledPlda();
const TWO_COVARIANCE = bundledTwoCovariance();
const ANY: SpeakerBounds = { minSpeakers: 1, maxSpeakers: Infinity };
const CHOICES: readonly ClusteringChoice[] = [
  { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2, ...ANY },
  { method: 'vbx', ...COMMUNITY_1_CLUSTERING, ...ANY },
  { method: 'evidence', ...CAMPPLUS_CLUSTERING, ...ANY },
];
/** The PLDA of a method; of the one that has none, any. */
const pldaOf = ({ method }: ClusteringChoice): AnyPlda => (method === 'evidence' ? TWO_COVARIANCE : PLDA);
const exactly = (count: number): SpeakerBounds => ({ minSpeakers: count, maxSpeakers: count });

const voicesOf = (options: ClusteringChoice, seed: number, numVoices = 3, noise = 0.6): Meeting =>
  meeting({ numWindows: 60, numVoices, dimension: pldaOf(options).embeddingMean.length, noise, seed });
const inputOf = (voices: Meeting, options: ClusteringChoice): AssemblyInput => ({ ...voices, options });

function tableOf({ activity, embeddings, embedded, numSpeakers, dimension }: Meeting): VoiceTable {
  const sizes = { numWindows: embedded.length, numFrames: GEOMETRY.framesPerWindow, numSpeakers, dimension };
  return new VoiceTable({ activity, embeddings, ...sizes });
}

/** Stretches in which one voice really talks. */
function stretchesOf({ voiceOfFrame }: Meeting, voice: number): { startSeconds: number; endSeconds: number }[] {
  const stretches: { startSeconds: number; endSeconds: number }[] = [];
  const secondsOf = (frame: number): number => frameMiddleSeconds(GEOMETRY.frames, frame);
  for (let frame = 0; frame < voiceOfFrame.length; ) {
    let end = frame + 1;
    while (end < voiceOfFrame.length && voiceOfFrame[end] === voiceOfFrame[frame]) end++;
    if (voiceOfFrame[frame] === voice) stretches.push({ startSeconds: secondsOf(frame), endSeconds: secondsOf(end) });
    frame = end;
  }
  return stretches;
}

/** Stretches at random: what a person says need not agree with what is heard. */
function randomAnchors(seed: number, numGroups: number): Anchors {
  const random = seededRandom(seed);
  return Array.from({ length: numGroups }, (_, group) => ({
    speaker: `P${group}`,
    stretches: Array.from({ length: 3 }, () => {
      const startSeconds = 60 * random();
      return { startSeconds, endSeconds: startSeconds + 1 + 7 * random() };
    }),
  }));
}

function expectKept({ hardClusters, anchorClusters }: Assembly, voices: Meeting, anchors: Anchors): void {
  const { groups, heard } = anchoredRows(anchors, tableOf(voices), GEOMETRY);
  expect(anchorClusters).toHaveLength(anchors.length);
  anchors.forEach((_, group) => {
    expect(anchorClusters![group]! >= 0).toBe(heard.includes(group));
  });
  const used = anchorClusters!.filter((cluster) => cluster >= 0);
  expect(new Set(used).size).toBe(used.length);
  const anchored = [...groups.keys()].filter((row) => groups[row]! >= 0);
  expect(anchored.length).toBeGreaterThan(0);
  for (const row of anchored) expect(hardClusters[row]).toBe(anchorClusters![groups[row]!]);
}

describe.each(CHOICES)('anchors: $method', (options) => {
  test.each([1, 2, 3, 4, 5, 6])('are kept whatever they say: set %i', (seed) => {
    const voices = voicesOf(options, seed, 1 + (seed % 4), seed % 2 ? 0.5 : 1.2);
    const assembler = new Assembler(inputOf(voices, options), pldaOf(options));
    let numChecked = 0;
    for (const numGroups of [1, 2, 4]) {
      const anchors = randomAnchors(10 * seed + numGroups, numGroups);
      const { heard } = anchoredRows(anchors, tableOf(voices), GEOMETRY);
      if (heard.length === 0) continue;
      for (const bounds of [ANY, exactly(heard.length), exactly(heard.length + 2), { minSpeakers: 2, maxSpeakers: 6 }]) {
        const assembly = assembler.assemble(bounds, anchors);
        expectKept(assembly, voices, anchors);
        // More than have anchors cannot be reached by the agglomerative method, which drops clusters that are small.
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
    expect(numChecked, 'a set of which nobody is heard checks nothing').toBeGreaterThanOrEqual(4);
  });

  test('none of them, or none that is heard, change nothing', () => {
    const assembler = new Assembler(inputOf(voicesOf(options, 1), options), pldaOf(options));
    const free = assembler.assemble(ANY);
    expect(free.anchorClusters).toBeUndefined();
    const unheard = [{ speaker: 'A', stretches: [{ startSeconds: 1e4, endSeconds: 2e4 }] }];
    for (const anchors of [[], [{ speaker: 'A', stretches: [] }], unheard]) {
      expect(assembler.assemble(ANY, anchors).turns).toEqual(free.turns);
    }
    // Neither does it matter to the next call that there were some.
    assembler.assemble(ANY, randomAnchors(3, 3));
    expect(assembler.assemble(ANY).turns).toEqual(free.turns);
  });

  test('two voices that were taken for one are told apart by a stretch of each', () => {
    const voices = voicesOf(options, 8, 2, 0.5);
    const assembler = new Assembler(inputOf(voices, options), pldaOf(options));
    expect(new Set(assembler.assemble(exactly(1)).turns.map(({ speakerIndex }) => speakerIndex)).size).toBe(1);
    const stretches = [0, 1].map((voice) => stretchesOf(voices, voice));
    const anchors = stretches.map((all, voice) => ({ speaker: `V${voice}`, stretches: all.slice(0, 2) }));
    const { turns, anchorClusters } = assembler.assemble(exactly(2), anchors);
    // Most of the time that no anchor speaks of is given to the right one, too.
    stretches.forEach((all, voice) => {
      const secondsOf = (cluster: number): number =>
        turns
          .filter(({ speakerIndex }) => speakerIndex === cluster)
          .flatMap((turn) => all.slice(2).map((own) => Math.min(turn.endSeconds, own.endSeconds) - Math.max(turn.startSeconds, own.startSeconds)))
          .reduce((sum, seconds) => sum + Math.max(0, seconds), 0);
      expect(secondsOf(anchorClusters![voice]!)).toBeGreaterThan(4 * secondsOf(anchorClusters![1 - voice]!));
    });
  });

  test('one voice stays together where anchors say so, and is split where they say so', () => {
    const voices = voicesOf(options, 9, 1, 0.3);
    const assembler = new Assembler(inputOf(voices, options), pldaOf(options));
    const own = stretchesOf(voices, 0);
    const split = [own.slice(0, 3), own.slice(5, 8)].map((stretches, index) => ({ speaker: `S${index}`, stretches }));
    expectKept(assembler.assemble(ANY, split), voices, split);
    const together = [{ speaker: 'S', stretches: own }];
    const { anchorClusters, turns } = assembler.assemble(exactly(3), together);
    expect(turns.length).toBeGreaterThan(0);
    expectKept(assembler.assemble(exactly(3), together), voices, together);
    expect(anchorClusters![0]).toBeGreaterThanOrEqual(0);
  });

  test('of more speakers than there may be are refused', () => {
    const voices = voicesOf(options, 8, 3, 0.5);
    const anchors = [0, 1, 2].map((voice) => ({ speaker: `V${voice}`, stretches: stretchesOf(voices, voice) }));
    const assembler = new Assembler(inputOf(voices, options), pldaOf(options));
    expect(() => assembler.assemble(exactly(2), anchors)).toThrow(
      expect.objectContaining({ code: 'options', problem: 'The anchors tell 3 speakers apart, and there may be 2' }),
    );
  });
});

test('where nobody is told apart, the linkage is the one without constraints', () => {
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

describe('whose a local speaker is', () => {
  const voices = voicesOf(CHOICES[0]!, 8, 3, 0.5);
  const table = tableOf(voices);

  test('is said of those who talk in the stretches, at most one of a window', () => {
    const anchors = [0, 1, 2].map((voice) => ({ speaker: `V${voice}`, stretches: stretchesOf(voices, voice) }));
    const { groups, heard } = anchoredRows(anchors, table, GEOMETRY);
    expect(heard).toEqual([0, 1, 2]);
    for (let window = 0; window < voices.embedded.length; window++) {
      const ofWindow = [...groups.subarray(3 * window, 3 * window + 3)].filter((group) => group >= 0);
      expect(new Set(ofWindow).size).toBe(ofWindow.length);
    }
    expect(groups.filter((group) => group >= 0).length).toBeGreaterThan(voices.embedded.length / 2);
  });

  test('is not said where two speakers claim the same stretch', () => {
    const stretches = stretchesOf(voices, 0);
    const claims = ['A', 'B'].map((speaker) => ({ speaker, stretches }));
    expect(anchoredRows(claims, table, GEOMETRY).heard).toEqual([]);
  });

  test('overlapping stretches of one speaker count once', () => {
    const stretches = stretchesOf(voices, 0);
    const once = anchoredRows([{ speaker: 'A', stretches }], table, GEOMETRY);
    const twice = anchoredRows([{ speaker: 'A', stretches: [...stretches, ...stretches] }], table, GEOMETRY);
    expect(twice.groups).toEqual(once.groups);
  });
});
