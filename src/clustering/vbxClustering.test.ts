import { describe, expect, test } from 'vitest';
import { assignRows } from '../util/assignment';
import { INACTIVE, type LocalSpeakers } from './localSpeakers';
import { constrainedClusters } from './softClusters';
import { rowOf } from './linearAlgebra';
import { COMMUNITY_1_CLUSTERING, type VbxClusteringOptions } from './settings';
import { kMeans } from './kmeans';
import { MersenneTwister } from './mersenneTwister';
import { projectEmbeddings } from './plda';
import { seededRandom } from '../../test/clustering/random';
import { localSpeakersOf, SMALL_PLDA, VBX_FIXTURE } from '../../test/clustering/voices';
import { clusterByVbx } from './vbxClusterer';

const anyNumber: VbxClusteringOptions = { ...COMMUNITY_1_CLUSTERING, minSpeakers: 1, maxSpeakers: Infinity };

describe('assignment', () => {
  test.each(VBX_FIXTURE.assignments.map(({ scores, columns }, index) => ({ index, scores, columns })))(
    "matches SciPy's columns, including ties: $index",
    ({ scores, columns }) => {
      const numColumns = scores[0]!.length;
      expect([...assignRows(Float64Array.from(scores.flat()), scores.length, numColumns)]).toEqual(columns);
    },
  );

  test('never assigns two local speakers of a window to one cluster', () => {
    const random = seededRandom(11);
    const numSpeakers = 3;
    for (const numClusters of [1, 2, 3, 7]) {
      const scores = Float64Array.from({ length: 50 * numSpeakers * numClusters }, () =>
        random() < 0.1 ? NaN : Math.floor(4 * random()),
      );
      const clusters = constrainedClusters({ scores, numSpeakers, numClusters });
      for (let window = 0; window < 50; window++) {
        const ofWindow = [...clusters.subarray(window * numSpeakers, (window + 1) * numSpeakers)];
        const taken = ofWindow.filter((cluster) => cluster !== INACTIVE);
        expect(new Set(taken).size).toBe(taken.length);
        expect(taken).toHaveLength(Math.min(numSpeakers, numClusters));
      }
    }
  });
});

describe('k-means', () => {
  test('draws the same random numbers as NumPy', () => {
    const random = new MersenneTwister(42);
    // numpy.random.RandomState(42).random_sample(3)
    expect([random.next(), random.next(), random.next()]).toEqual([
      0.3745401188473625, 0.9507143064099162, 0.7319939418114051,
    ]);
  });

  test.each(VBX_FIXTURE.kMeans.map((entry, index) => ({ ...entry, index })))(
    "matches scikit-learn's labels: $numClusters clusters, set $index",
    ({ points, numClusters, labels }) => {
      const found = kMeans(points.map((point) => Float32Array.from(point)), numClusters);
      expect([...found]).toEqual(labels);
    },
  );

  test('splits coinciding points into as many clusters as there are distinct points', () => {
    const points = [0, 0, 0, 1, 1, 1].map((x) => Float32Array.from([x, 1 - x]));
    const labels = kMeans(points, 4);
    expect(new Set(labels).size).toBe(2);
    expect(labels[0]).not.toBe(labels[3]);
  });
});

describe('VBx clustering', () => {
  describe.each(VBX_FIXTURE.recordings.map((entry, index) => ({ index, entry })))('recording $index', ({ entry }) => {
    const local = localSpeakersOf(entry);
    const options = { ...anyNumber, minSpeakers: entry.minSpeakers, maxSpeakers: entry.maxSpeakers ?? Infinity };
    const result = clusterByVbx(local, SMALL_PLDA, options);

    test("matches pyannote's clusters", () => {
      expect(result.centroids).toHaveLength(entry.numClusters);
      expect([...result.assigned]).toEqual(entry.assigned);
    });

    test("matches pyannote's scores and centroids", () => {
      const expectClose = (found: ArrayLike<number>, expected: readonly (number | null)[]) => {
        expect(found).toHaveLength(expected.length);
        expected.forEach((value, i) => {
          if (value === null) expect(found[i]).toBeNaN();
          // pyannote averages k-means centroids in float32.
          else expect(found[i]).toBeCloseTo(value, 5);
        });
      };
      expectClose(result.soft.scores, entry.scores);
      expectClose(result.centroids.flatMap((centroid) => [...centroid]), entry.centroids);
    });

    test('excludes silent local speakers, and returns a confidence from 0 to 1 for the others', () => {
      const { numWindows, numFrames, numSpeakers, dimension } = local;
      for (let row = 0; row < numWindows * numSpeakers; row++) {
        const window = Math.floor(row / numSpeakers);
        const frames = Array.from({ length: numFrames }, (_, frame) => (window * numFrames + frame) * numSpeakers);
        const isHeard = frames.some((start) => local.activity[start + (row % numSpeakers)] === 1);
        expect(result.hardClusters[row]).toBe(isHeard ? result.assigned[row] : INACTIVE);
        const hasEmbedding = !local.embeddings.subarray(row * dimension, (row + 1) * dimension).some(Number.isNaN);
        const confidence = result.confidences[row]!;
        if (result.hardClusters[row] === INACTIVE || !hasEmbedding) expect(confidence).toBeNaN();
        else expect(confidence >= 0 && confidence <= 1).toBe(true);
      }
    });
  });

  const recording = localSpeakersOf(VBX_FIXTURE.recordings[2]!);

  test.each([
    { bounds: { minSpeakers: 2, maxSpeakers: 2 }, expected: 2 },
    { bounds: { minSpeakers: 6, maxSpeakers: 9 }, expected: 6 },
    { bounds: { minSpeakers: 1, maxSpeakers: 3 }, expected: 3 },
    { bounds: { minSpeakers: 1, maxSpeakers: Infinity }, expected: 4 },
    { bounds: { minSpeakers: 1, maxSpeakers: 1 }, expected: 1 },
  ])('respects $bounds', ({ bounds, expected }) => {
    expect(clusterByVbx(recording, SMALL_PLDA, { ...anyNumber, ...bounds }).centroids).toHaveLength(expected);
  });

  test('returns one speaker per embedding if more speakers than embeddings are requested', () => {
    const { steps } = clusterByVbx(recording, SMALL_PLDA, anyNumber);
    const many = clusterByVbx(recording, SMALL_PLDA, { ...anyNumber, minSpeakers: 1000 });
    expect(many.centroids).toHaveLength(steps!.trainRows.length);
  });

  test('uses the responsibility of an embedding that took part as its posterior', () => {
    const { steps, confidences, hardClusters, confidenceKind } = clusterByVbx(recording, SMALL_PLDA, anyNumber);
    expect(confidenceKind).toBe('posterior');
    const kept = [...steps!.vbx.priors.keys()].filter((speaker) => steps!.vbx.priors[speaker]! > 1e-7);
    steps!.trainRows.forEach((row, index) => {
      if (hardClusters[row]! < 0) return;
      const responsibility = rowOf(steps!.vbx.responsibilities, index)[kept[hardClusters[row]!]!]!;
      // The same sums in the same order, except for compiler optimizations.
      expect(Math.abs(confidences[row]! - responsibility)).toBeLessThan(1e-9);
    });
  });

  test('swaps the clusters of local speakers that are swapped in every window', () => {
    const swapped = clusterByVbx(withSwappedSpeakers(recording), SMALL_PLDA, anyNumber);
    const straight = clusterByVbx(recording, SMALL_PLDA, anyNumber);
    const { numSpeakers } = recording;
    // Clusters are numbered in the order of the embeddings, which was changed: only the partition must be the same.
    const names = new Map<number, number>();
    straight.hardClusters.forEach((cluster, row) => {
      const other = swapped.hardClusters[row - (row % numSpeakers) + ((row + 1) % numSpeakers)]!;
      if (!names.has(cluster)) names.set(cluster, other);
      // A local speaker without an embedding takes a remaining cluster, which depends on the numbering.
      const start = row * recording.dimension;
      if (!Number.isNaN(recording.embeddings[start]!)) expect(other).toBe(names.get(cluster));
    });
    expect(new Set(names.values()).size).toBe(names.size);
  });

  test('rejects embeddings of another model', () => {
    expect(() => projectEmbeddings(SMALL_PLDA, [new Float32Array(192)])).toThrow(
      expect.objectContaining({ code: 'options', problem: 'The embeddings have 192 dimensions' }),
    );
  });
});

/** Local speaker s of every window becomes s + 1. */
function withSwappedSpeakers(local: LocalSpeakers): LocalSpeakers {
  const { numWindows, numFrames, numSpeakers, dimension } = local;
  const activity = new Uint8Array(local.activity.length);
  const embeddings = new Float32Array(local.embeddings.length);
  for (let window = 0; window < numWindows; window++) {
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      const from = window * numSpeakers + speaker;
      const to = window * numSpeakers + ((speaker + 1) % numSpeakers);
      embeddings.set(local.embeddings.subarray(from * dimension, (from + 1) * dimension), to * dimension);
    }
    for (let frame = 0; frame < numFrames; frame++) {
      const row = (window * numFrames + frame) * numSpeakers;
      for (let speaker = 0; speaker < numSpeakers; speaker++) {
        activity[row + ((speaker + 1) % numSpeakers)] = local.activity[row + speaker]!;
      }
    }
  }
  return { ...local, activity, embeddings };
}
