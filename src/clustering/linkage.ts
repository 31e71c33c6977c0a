import { matrixLinkage } from './matrixLinkage';
import type { Merge } from './merge';
import { prunedLinkage } from './prunedLinkage';

/**
 * Points whose distances are kept as a matrix: 256 MB in float64, beside which a browser with both models has room. With
 * that many, the other way is faster on voices, and slower on noise.
 */
export const MAX_MATRIX_POINTS = 8000;

/**
 * Agglomerative clustering with centroid linkage (UPGMC) on euclidean distances.
 *
 * Matches `scipy.cluster.hierarchy.linkage(points, method='centroid')`, merge by merge.
 *
 * @param points axes (point, dimension), free of NaN
 * @returns `numPoints - 1` merges; distances need not rise from one to the next (centroid inversions)
 */
export function centroidLinkage(points: readonly ArrayLike<number>[]): Merge[] {
  return points.length <= MAX_MATRIX_POINTS ? matrixLinkage(points) : prunedLinkage(points);
}
