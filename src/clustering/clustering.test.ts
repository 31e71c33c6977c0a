import { describe, expect, test } from 'vitest';
import { clusterLocalSpeakers } from './agglomerativeClusterer';
import { INACTIVE } from './localSpeakers';
import fixture from './fixtures/clustering.json';
import { flatClusters } from './dendrogram';
import { centroidLinkage } from './centroidLinkage';

describe('centroid linkage', () => {
  fixture.linkage.forEach(({ points, merges, flat }, index) => {
    const computed = centroidLinkage(points.map((point) => Float64Array.from(point)));

    test(`matches scipy's dendrogram ${index}`, () => {
      expect(computed).toHaveLength(merges.length);
      computed.forEach((merge, row) => {
        const [left, right, distance, size] = merges[row]!;
        expect([merge.left, merge.right, merge.size]).toEqual([left, right, size]);
        // SciPy sums distances in another order, so the last bits differ.
        expect(merge.distance).toBeCloseTo(distance!, 10);
      });
    });

    test.each(flat)(`cuts dendrogram ${index} as scipy does at $threshold`, ({ threshold, clusters }) => {
      expect([...flatClusters(computed, threshold)]).toEqual(clusters);
    });
  });
});

describe('clustering of local speakers', () => {
  test.each(fixture.clustering.map((entry, index) => ({ index, entry })))(
    "matches pyannote's clusters and centroids: recording $index",
    ({ entry }) => {
      const { hardClusters, centroids } = clusterLocalSpeakers(
        {
          ...entry,
          embeddings: Float32Array.from(entry.embeddings, (value) => value ?? NaN),
          activity: Uint8Array.from(entry.activity),
        },
        {
          threshold: fixture.threshold,
          minClusterSize: fixture.minClusterSize,
          minActiveRatio: 0.2,
          minSpeakers: entry.minSpeakers,
          maxSpeakers: entry.maxSpeakers ?? Infinity,
        },
      );
      expect([...hardClusters]).toEqual(entry.hardClusters);
      expect(centroids).toHaveLength(entry.centroids.length);
      // The reference averages in float32.
      centroids.forEach((centroid, k) => {
        centroid.forEach((value, d) => {
          expect(value).toBeCloseTo(entry.centroids[k]![d]!, 5);
        });
      });
    },
  );

  test('returns one cluster for a recording without usable embeddings, and no cluster for silent speakers', () => {
    const { hardClusters, centroids } = clusterLocalSpeakers(
      {
        activity: Uint8Array.from([1, 0, 1, 0]),
        embeddings: new Float32Array(4).fill(NaN),
        numWindows: 1,
        numFrames: 2,
        numSpeakers: 2,
        dimension: 2,
      },
      { threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2, minSpeakers: 1, maxSpeakers: Infinity },
    );
    expect([...hardClusters]).toEqual([0, INACTIVE]);
    expect(centroids).toHaveLength(1);
    expect(centroids[0]!.every(Number.isNaN)).toBe(true);
  });
});
