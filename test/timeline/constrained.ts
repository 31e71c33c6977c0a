/** Constraints of generated meetings, for tests of all clustering methods. */
import { expect } from 'vitest';
import { constrainedRows, type LinkConstraints } from '../../src/clustering/constraints';
import { INACTIVE, type SpeakerBounds, VoiceTable } from '../../src/clustering/localSpeakers';
import type { AnyPlda } from '../../src/clustering/plda';
import { CAMPPLUS_CLUSTERING, COMMUNITY_1_CLUSTERING } from '../../src/clustering/settings';
import { frameMiddleSeconds } from '../../src/segmentation/geometry';
import { Assembler, type Assembly, type AssemblyInput, type ClusteringChoice } from '../../src/timeline/assembler';
import { bundledPlda } from '../clustering/plda';
import { seededRandom } from '../clustering/random';
import { bundledTwoCovariance } from '../clustering/twoCovariance';
import { GEOMETRY, meeting, type Meeting } from './meeting';

const PLDA = bundledPlda();
const TWO_COVARIANCE = bundledTwoCovariance();
export const ANY: SpeakerBounds = { minSpeakers: 1, maxSpeakers: Infinity };
export const CHOICES: readonly ClusteringChoice[] = [
  { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2, ...ANY },
  { method: 'vbx', ...COMMUNITY_1_CLUSTERING, ...ANY },
  { method: 'evidence', ...CAMPPLUS_CLUSTERING, ...ANY },
];
/** The PLDA of a method; for the method without one, any PLDA. */
export const pldaOf = ({ method }: ClusteringChoice): AnyPlda => (method === 'evidence' ? TWO_COVARIANCE : PLDA);
/** Bounds for exactly `count` speakers. */
export const exactly = (count: number): SpeakerBounds => ({ minSpeakers: count, maxSpeakers: count });

export const voicesOf = (options: ClusteringChoice, seed: number, numVoices = 3, noise = 0.6): Meeting =>
  meeting({ numWindows: 60, numVoices, dimension: pldaOf(options).embeddingMean.length, noise, seed });
export const inputOf = (voices: Meeting, options: ClusteringChoice): AssemblyInput => ({ ...voices, options });

export function tableOf({ activity, embeddings, embedded, numSpeakers, dimension }: Meeting): VoiceTable {
  const sizes = { numWindows: embedded.length, numFrames: GEOMETRY.framesPerWindow, numSpeakers, dimension };
  return new VoiceTable({ activity, embeddings, ...sizes });
}

/** The true segments of one speaker. */
export function segmentsOf({ voiceOfFrame }: Meeting, voice: number): { startSeconds: number; endSeconds: number }[] {
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
export function randomConstraints(seed: number, numGroups: number): LinkConstraints {
  const random = seededRandom(seed);
  return Array.from({ length: numGroups }, (_, group) => ({
    speaker: `P${group}`,
    segments: Array.from({ length: 3 }, () => {
      const startSeconds = 60 * random();
      return { startSeconds, endSeconds: startSeconds + 1 + 7 * random() };
    }),
  }));
}

/** Checks that constrained local speakers are in the cluster of their constraint, and no two constraints share one. */
export function expectKept({ hardClusters, constraintClusters }: Assembly, voices: Meeting, constraints: LinkConstraints): void {
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

/** Checks a set of random constraints, which contradict the recording, with several numbers of speakers. */
export function checkSet(options: ClusteringChoice, seed: number): void {
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
}
