import { describe, expect, test } from 'vitest';
import { agglomerativeClustering } from '../../src/clustering/agglomerativeClusterer';
import { flatClusters } from '../../src/clustering/dendrogram';
import { matrixLinkage } from '../../src/clustering/matrixLinkage';
import { prunedLinkage } from '../../src/clustering/centroidLinkage';
import { unitEmbeddings } from '../../src/clustering/vbxClusterer';
import { seededNormal, seededRandom } from '../clustering/random';
import { expectSameMerges, type Points } from '../clustering/sameMerges';
import { conversation } from '../clustering/voices';

/** Unit vectors without any structure, so that no pair can be pruned. */
function noise(numPoints: number, dimension: number, seed: number): Points {
  const normal = seededNormal(seed);
  return unitEmbeddings(Array.from({ length: numPoints }, () => Float32Array.from({ length: dimension }, normal)));
}

/** Groups of points around centers, with gaps about as wide as the groups. */
function groups(numPoints: number, dimension: number, numGroups: number, seed: number): Points {
  const normal = seededNormal(seed);
  const centers = noise(numGroups, dimension, seed + 1);
  return unitEmbeddings(
    Array.from({ length: numPoints }, (_, i) =>
      centers[i % numGroups]!.map((value) => value + (0.5 / Math.sqrt(dimension)) * normal()),
    ),
  );
}

/** Every point several times, in random order. */
function withRepeats(points: Points, numPoints: number, seed: number): Points {
  const random = seededRandom(seed);
  return Array.from({ length: numPoints }, () => points[Math.floor(random() * points.length)]!);
}

describe('linkage without a matrix', () => {
  test.each([1, 2, 3, 5, 9, 64, 65, 200, 600])('merges %i points like matrix linkage', (numPoints) => {
    expectSameMerges(noise(numPoints, 192, numPoints));
    expectSameMerges(groups(numPoints, 40, 5, numPoints));
  });

  test('finds the nearest of points in a plane, where whole cells are skipped', () => {
    const random = seededRandom(12);
    expectSameMerges(Array.from({ length: 1000 }, () => Float32Array.from([random(), random()])));
  });

  test.each([1, 2, 7, 17, 33, 256])('merges points of %i dimensions like matrix linkage', (dimension) => {
    const normal = seededNormal(dimension);
    expectSameMerges(Array.from({ length: 300 }, () => Float32Array.from({ length: dimension }, normal)));
  });

  test.each([
    { numVoices: 3, dimension: 192 },
    { numVoices: 20, dimension: 256 },
  ])('merges a conversation of $numVoices speakers like matrix linkage', ({ numVoices, dimension }) => {
    expectSameMerges(conversation(600, dimension, numVoices, 1));
  });

  test.each([3, 40, 700])('merges repeats of %i points like matrix linkage: ties at exactly zero', (numDifferent) => {
    expectSameMerges(withRepeats(conversation(numDifferent, 64, 4, 2), 1000, 3));
  });

  test('merges points at any scale, and points that all coincide', () => {
    const points = groups(300, 24, 4, 5);
    expectSameMerges(points.map((point) => point.map((value) => 1e-4 * value)));
    expectSameMerges(points.map((point) => point.map((value) => 10 + value)));
    expectSameMerges(Array.from({ length: 100 }, () => points[0]!));
  });

  test.each([0.2, 0.5, 0.7, 1.1])('returns the same cluster numbers at threshold %f', (threshold) => {
    const points = conversation(800, 192, 6, 4);
    expect(flatClusters(prunedLinkage(points), threshold)).toEqual(flatClusters(matrixLinkage(points), threshold));
  });

  test.each([
    { minClusters: 1, maxClusters: Infinity },
    { minClusters: 2, maxClusters: 2 },
    { minClusters: 9, maxClusters: 12 },
    { minClusters: 30, maxClusters: 30 },
  ])('returns the same speakers for $minClusters to $maxClusters speakers', (bounds) => {
    const points = conversation(800, 192, 5, 6);
    const options = { threshold: 0.7, minClusterSize: 12, ...bounds };
    const expected = agglomerativeClustering(points, options, matrixLinkage);
    expect(agglomerativeClustering(points, options, prunedLinkage)).toEqual(expected);
    if (bounds.minClusters > 1) expect(new Set(expected).size).toBeGreaterThanOrEqual(bounds.minClusters);
  });
});
