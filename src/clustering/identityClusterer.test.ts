import { describe, expect, test } from 'vitest';
import { IDENTITY_FRAME_SECONDS, IDENTITY_PLDA, identityTable, plantedSpeech, type PlantedSpeech } from '../../test/clustering/identities';
import { constrainedIdentities, type ConstrainedRows } from './constraints';
import { IdentityClusterer } from './identityClusterer';
import { INACTIVE } from './localSpeakers';
import { NEMOTRON_CLUSTERING } from './settings';

const WINDOWS_PER_SPAN = 4;
const FREE = { minSpeakers: 1, maxSpeakers: Infinity };
const exactly = (count: number) => ({ minSpeakers: count, maxSpeakers: count });

const clustererOf = (numIdentities: number, speech: readonly PlantedSpeech[], change = {}) =>
  new IdentityClusterer(identityTable(numIdentities, speech), IDENTITY_PLDA, { ...NEMOTRON_CLUSTERING, windowsPerSpan: WINDOWS_PER_SPAN, ...change }, IDENTITY_FRAME_SECONDS);

/** The speakers of each voice. */
function speakersOfVoices(numIdentities: number, speech: readonly PlantedSpeech[], hardClusters: Int32Array): number[][] {
  const numVoices = Math.max(...speech.map(({ voice }) => voice ?? -1)) + 1;
  return Array.from({ length: numVoices }, (_, voice) => {
    const own = speech.filter((each) => each.voice === voice).map(({ window, identity }) => hardClusters[window * numIdentities + identity]!);
    return [...new Set(own)];
  });
}

/** Each voice is one speaker, and no two voices are the same one. */
function expectRight(numIdentities: number, speech: readonly PlantedSpeech[], hardClusters: Int32Array): void {
  const found = speakersOfVoices(numIdentities, speech, hardClusters);
  expect(found.every((speakers) => speakers.length === 1)).toBe(true);
  expect(new Set(found.flat()).size).toBe(found.length);
}

describe('the identities', () => {
  const speech = plantedSpeech(16, 3, (_, identity) => identity);

  test.each([FREE, { minSpeakers: 2, maxSpeakers: 5 }, { minSpeakers: 3, maxSpeakers: Infinity }])('are the speakers within %j', (bounds) => {
    const { hardClusters, centroids, confidences, confidenceKind } = clustererOf(4, speech.map((each) => ({ ...each, identity: each.identity + 1 }))).cluster(bounds, null);
    expect([...hardClusters.subarray(0, 4)]).toEqual([INACTIVE, 0, 1, 2]);
    expect(centroids).toHaveLength(3);
    expect(confidenceKind).toBe('margin');
    expect(confidences.every((value, row) => (row % 4 === 0 ? Number.isNaN(value) : value > 0.5 && value <= 1))).toBe(true);
  });

  test('stand although the embeddings disagree, unless an exact number is requested', () => {
    // The first two identities exchange their voices.
    const swapped = plantedSpeech(16, 3, (window, identity) => (window >= 8 && identity < 2 ? 1 - identity : identity));
    const clusterer = clustererOf(3, swapped);
    expect([...clusterer.cluster(FREE, null).hardClusters]).toEqual(swapped.map(({ identity }) => identity));
    expectRight(3, swapped, clusterer.cluster(exactly(3), null).hardClusters);
  });

  test('are given with the likelihood of other numbers', () => {
    const oneVoice = plantedSpeech(16, 2, () => 0);
    expect(clustererOf(2, oneVoice).cluster(FREE, null).counts?.[0]).toMatchObject({ value: 1 });
  });
});

describe('a requested number', () => {
  test('merges the two identities of a divided speaker', () => {
    const divided = plantedSpeech(16, 4, (window, identity) => {
      if (identity === 3) return window < 8 ? undefined : 0;
      return identity === 0 && window >= 8 ? undefined : identity;
    });
    for (const bounds of [exactly(3), { minSpeakers: 1, maxSpeakers: 3 }]) expectRight(4, divided, clustererOf(4, divided).cluster(bounds, null).hardClusters);
  });

  test('divides an identity that has two speakers, one after the other', () => {
    const joined = plantedSpeech(16, 2, (window, identity) => (identity === 1 && window >= 8 ? 2 : identity));
    for (const bounds of [exactly(3), { minSpeakers: 3, maxSpeakers: Infinity }]) expectRight(2, joined, clustererOf(2, joined).cluster(bounds, null).hardClusters);
  });

  test('can exceed the number of identities of the model', () => {
    // Eleven speakers; three of them return under the numbers of others.
    const many = plantedSpeech(48, 8, (window, identity) => (window >= 24 && identity < 3 ? 8 + identity : identity));
    const { hardClusters, centroids } = clustererOf(8, many).cluster(exactly(11), null);
    expect(centroids).toHaveLength(11);
    expectRight(8, many, hardClusters);
  });

  test('repairs a merged and a divided speaker at once, although the number of identities is right', () => {
    const wrong = plantedSpeech(24, 4, (window, identity) => {
      // Voice 3 has identity 1 in the middle, and voice 2 has identity 3 at the end.
      if (identity === 1) return window >= 8 && window < 16 ? 3 : 1;
      if (identity === 2) return window >= 16 ? undefined : 2;
      if (identity === 3) return window >= 16 ? 2 : window < 8 ? 3 : undefined;
      return 0;
    });
    expectRight(4, wrong, clustererOf(4, wrong).cluster(exactly(4), null).hardClusters);
  });

  test.each([1, 2])('of %i is reached', (count) => {
    const speech = plantedSpeech(12, 4, (_, identity) => identity);
    expect(new Set(clustererOf(4, speech).cluster(exactly(count), null).hardClusters).size).toBe(count);
  });

  test('above the number of units divides spans into windows, and stops at their number', () => {
    const one = plantedSpeech(3, 1, (window) => window);
    const clusterer = clustererOf(1, one);
    expectRight(1, one, clusterer.cluster(exactly(3), null).hardClusters);
    expect(clusterer.cluster(exactly(9), null).centroids).toHaveLength(3);
  });
});

describe('constraints of the model', () => {
  test('an identity is one speaker within a span', () => {
    const changing = plantedSpeech(8, 2, (window, identity) => (identity === 1 && window % 2 === 1 ? 2 : identity));
    const { hardClusters } = clustererOf(2, changing).cluster(exactly(3), null);
    for (const span of [0, 1]) {
      const own = Array.from({ length: WINDOWS_PER_SPAN }, (_, window) => hardClusters[(span * WINDOWS_PER_SPAN + window) * 2 + 1]);
      expect(new Set(own).size).toBe(1);
    }
  });

  /** Identities 0 and 1 have one voice, and overlap in one window. */
  const alike = (overlapFrames: number): PlantedSpeech[] =>
    plantedSpeech(8, 3, (_, identity) => (identity === 2 ? 1 : 0)).map((each) => (each.window === 7 && each.identity === 1 ? { ...each, frames: [6 - overlapFrames, 13] } : each));

  test('identities that overlap in a span are different speakers, unless the number requires it', () => {
    const frames = Math.ceil(NEMOTRON_CLUSTERING.overlapSeconds / IDENTITY_FRAME_SECONDS);
    const speakers = (overlapFrames: number, count: number): number[] => [...clustererOf(3, alike(overlapFrames)).cluster(exactly(count), null).hardClusters.subarray(0, 3)];
    const [a, b, c] = speakers(frames, 2);
    expect(a).not.toBe(b);
    expect([a, b]).toContain(c);
    const [d, e, f] = speakers(frames - 1, 2);
    expect(d).toBe(e);
    expect(f).not.toBe(d);
    expect(new Set(speakers(frames, 1)).size).toBe(1);
  });
});

describe('speech without an embedding', () => {
  test('has the speaker of its identity in the nearest span', () => {
    const changing = plantedSpeech(16, 2, (window, identity) => {
      if (identity === 1 && window >= 4 && window < 8) return null;
      return identity === 1 && window >= 8 ? 2 : identity;
    });
    const { hardClusters } = clustererOf(2, changing).cluster(exactly(3), null);
    // Both neighbors are at the same distance; the earlier one counts.
    expect(hardClusters[4 * 2 + 1]).toBe(hardClusters[1]);
    expect(hardClusters[8 * 2 + 1]).not.toBe(hardClusters[1]);
  });

  test('is a speaker of its own only if the bounds have room for it', () => {
    const silent = [...plantedSpeech(8, 2, (_, identity) => identity), { window: 5, identity: 2, voice: null, frames: [18, 20] as const }];
    const clusterer = clustererOf(3, silent.map((each) => ({ ...each, frames: each.frames ?? ([each.identity * 8, each.identity * 8 + 8] as const) })));
    const own = clusterer.cluster(FREE, null);
    expect(own.hardClusters[5 * 3 + 2]).toBe(2);
    expect(own.confidences[5 * 3 + 2]).toBeNaN();
    expect(own.centroids[2]![0]).toBeNaN();
    expect(clusterer.cluster(exactly(3), null).hardClusters[5 * 3 + 2]).toBe(2);
    expect([0, 1]).toContain(clusterer.cluster(exactly(2), null).hardClusters[5 * 3 + 2]);
  });

  test('without any embedding, the identities stand, or all are one speaker', () => {
    const none = plantedSpeech(4, 2, () => null);
    expect([...clustererOf(2, none).cluster(FREE, null).hardClusters.subarray(0, 2)]).toEqual([0, 1]);
    expect(new Set(clustererOf(2, none).cluster(exactly(1), null).hardClusters).size).toBe(1);
  });
});

describe('corrections', () => {
  const numIdentities = 3;
  const speech = plantedSpeech(16, numIdentities, (_, identity) => identity);
  /** @param groupOf constraint of a row, or -1 */
  const constrain = (numGroups: number, groupOf: (window: number, identity: number) => number): ConstrainedRows => ({
    groups: Int32Array.from({ length: 16 * numIdentities }, (_, row) => groupOf(Math.floor(row / numIdentities), row % numIdentities)),
    heard: [...new Array(numGroups).keys()],
    numGroups,
  });

  test('that the identities satisfy change nothing', () => {
    const clusterer = clustererOf(numIdentities, speech);
    const { hardClusters, constraintClusters } = clusterer.cluster(FREE, constrain(2, (window, identity) => (window < 2 && identity < 2 ? 1 - identity : -1)));
    expect([...hardClusters]).toEqual(speech.map(({ identity }) => identity));
    expect(constraintClusters).toEqual([1, 0]);
  });

  test('join two identities, and leave the others', () => {
    const { hardClusters, centroids, constraintClusters } = clustererOf(numIdentities, speech).cluster(FREE, constrain(1, (_, identity) => (identity < 2 ? 0 : -1)));
    expect(centroids).toHaveLength(2);
    expect(hardClusters[0]).toBe(hardClusters[1]);
    expect(hardClusters[2]).not.toBe(hardClusters[0]);
    expect(constraintClusters).toEqual([hardClusters[0]]);
  });

  test('divide an identity, also within a span', () => {
    const { hardClusters, centroids } = clustererOf(numIdentities, speech).cluster(FREE, constrain(2, (window, identity) => (identity === 0 ? window % 2 : -1)));
    expect(centroids).toHaveLength(4);
    expect(hardClusters[0]).not.toBe(hardClusters[numIdentities]);
    expect(hardClusters[0]).toBe(hardClusters[2 * numIdentities]);
  });

  test('are found by the frames in which an identity talks alone', () => {
    const secondsOf = (frame: number): number => frame * IDENTITY_FRAME_SECONDS;
    const frames = { durationSeconds: 0, stepSeconds: IDENTITY_FRAME_SECONDS };
    const geometry = { windows: { durationSeconds: secondsOf(20), stepSeconds: secondsOf(20) }, frames, framesPerWindow: 20 };
    const table = identityTable(3, [
      { window: 0, identity: 0, voice: 0, frames: [0, 8] },
      // Interjects while the first talks.
      { window: 0, identity: 1, voice: 1, frames: [4, 6] },
      { window: 0, identity: 2, voice: 2, frames: [10, 20] },
      { window: 1, identity: 1, voice: 1, frames: [0, 10] },
    ]);
    const groupsOf = (...segments: [number, number][][]): number[] => {
      const constraints = segments.map((own, index) => ({ speaker: String(index), segments: own.map(([from, to]) => ({ startSeconds: secondsOf(from), endSeconds: secondsOf(to) })) }));
      return [...constrainedIdentities(constraints, table, geometry).groups];
    };
    // Two identities of one window are the same speaker.
    expect(groupsOf([[0, 8], [10, 20]])).toEqual([0, -1, 0, -1, -1, -1]);
    expect(groupsOf([[0, 8]], [[20, 30]])).toEqual([0, -1, -1, -1, 1, -1]);
    // Too little of it is inside, or too much belongs to another speaker.
    expect(groupsOf([[16, 20]])).toEqual([-1, -1, -1, -1, -1, -1]);
    expect(groupsOf([[10, 20]], [[16, 20]])).toEqual([-1, -1, -1, -1, -1, -1]);
  });

  test('apply with a requested number, and cannot exceed it', () => {
    const constrained = constrain(2, (window, identity) => (identity === 0 ? window % 2 : -1));
    const { hardClusters } = clustererOf(numIdentities, speech).cluster(exactly(2), constrained);
    expect(new Set(hardClusters).size).toBe(2);
    expect(hardClusters[0]).not.toBe(hardClusters[numIdentities]);
    expect(() => clustererOf(numIdentities, speech).cluster(exactly(1), constrained)).toThrow(expect.objectContaining({ code: 'options' }));
  });
});

