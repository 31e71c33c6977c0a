/** Small sets. test/full/prunedLinkage.test.ts has large ones. */
import { expect, test } from 'vitest';
import { seededNormal, seededRandom } from '../../test/clustering/random';
import { expectSameMerges } from '../../test/clustering/sameMerges';
import { conversation } from '../../test/clustering/voices';
import { alongPrincipalAxes, prunedLinkage } from './centroidLinkage';
import { denseOf, rowOf } from './linearAlgebra';

const normalPoints = (numPoints: number, dimension: number, seed: number): Float32Array[] => {
  const normal = seededNormal(seed);
  return Array.from({ length: numPoints }, () => Float32Array.from({ length: dimension }, normal));
};

test.each([2, 3, 65, 150])('merges %i points without structure like matrix linkage', (numPoints) => {
  expectSameMerges(normalPoints(numPoints, 12, numPoints));
});

test('merges a conversation and points in a plane like matrix linkage', () => {
  expectSameMerges(conversation(160, 24, 4, 1));
  const random = seededRandom(12);
  expectSameMerges(Array.from({ length: 200 }, () => Float32Array.from([random(), random()])));
});

test('merges repeats of the same points first, at distance 0', () => {
  const points = normalPoints(30, 8, 3);
  const merges = prunedLinkage([...points, ...points]);
  expect(merges).toHaveLength(59);
  expect(merges.slice(0, 30).map(({ distance }) => distance)).toEqual(Array(30).fill(0));
  expect(merges[30]!.distance).toBeGreaterThan(0);
  expect(prunedLinkage(points.slice(0, 1))).toEqual([]);
});

test('principal axes keep distances, and the first has the greatest variance', () => {
  const normal = seededNormal(4);
  const rows = denseOf(Array.from({ length: 80 }, () => Float64Array.from([normal(), 9 * normal(), 3 * normal()])));
  const turned = alongPrincipalAxes(rows);
  const distance = (of: typeof rows, a: number, b: number): number => Math.hypot(...rowOf(of, a).map((value, axis) => value - rowOf(of, b)[axis]!));
  // Float64: rounding only.
  for (let row = 1; row < 80; row++) expect(distance(turned, row - 1, row)).toBeCloseTo(distance(rows, row - 1, row), 9);
  const variances = [0, 1, 2].map((axis) => Array.from({ length: 80 }, (_, row) => rowOf(turned, row)[axis]! ** 2).reduce((sum, square) => sum + square, 0));
  expect(variances).toEqual(variances.toSorted((a, b) => b - a));
  expect(variances[0]).toBeGreaterThan(4 * variances[1]!);
});
