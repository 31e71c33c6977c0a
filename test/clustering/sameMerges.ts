import { expect } from 'vitest';
import { matrixLinkage } from '../../src/clustering/matrixLinkage';
import { prunedLinkage } from '../../src/clustering/centroidLinkage';

export type Points = readonly Float32Array[];

/** Rounding error of a distance, relative to the maximum length of a point. */
const ROUNDING = 1e-12;

/** Expects both linkages to merge the same clusters in the same order, with distances equal up to rounding. */
export function expectSameMerges(points: Points): void {
  const expected = matrixLinkage(points);
  const found = prunedLinkage(points);
  expect(found.map(({ left, right, size }) => [left, right, size])).toEqual(
    expected.map(({ left, right, size }) => [left, right, size]),
  );
  const greatest = expected.reduce((most, { distance }, row) => Math.max(most, Math.abs(distance - found[row]!.distance)), 0);
  const length = Math.max(...points.map((point) => Math.hypot(...point)));
  expect(greatest).toBeLessThan(ROUNDING * length);
}
