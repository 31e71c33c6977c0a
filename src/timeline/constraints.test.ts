import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constrainedRows } from '../clustering/constraints';
import { constrainedLinkage, matrixLinkage } from '../clustering/matrixLinkage';
import { seededNormal } from '../../test/clustering/random';
import { ANY, checkSet, CHOICES, exactly, expectKept, inputOf, pldaOf, randomConstraints, segmentsOf, tableOf, voicesOf } from '../../test/timeline/constrained';
import { GEOMETRY } from '../../test/timeline/meeting';
import { Assembler } from './assembler';

describe.each(CHOICES)('constraints: $method', (options) => {
  test.each([1, 2])('are satisfied even if they contradict the recording: set %i', (seed) => {
    checkSet(options, seed);
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
