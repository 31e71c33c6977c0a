import type { Merge } from './merge';

/**
 * Cuts a dendrogram into flat clusters: two points are together where no merge between them, nor any below,
 * is farther than `threshold`.
 *
 * Matches `scipy.cluster.hierarchy.fcluster(criterion='distance') - 1`, numbering included, so that speaker
 * numbers are pyannote's. Centroid linkage can have a merge nearer than the ones below it; the greatest
 * distance in a subtree counts.
 *
 * @param distanceOf distance of merge `row`; by default its own
 * @returns cluster index per point, from 0
 */
export function flatClusters(
  merges: readonly Merge[],
  threshold: number,
  distanceOf: (row: number) => number = (row) => merges[row]!.distance,
): Int32Array {
  const numPoints = merges.length + 1;
  const greatest = new Float64Array(merges.length);
  const greatestBelow = (cluster: number) => (cluster < numPoints ? -Infinity : greatest[cluster - numPoints]!);
  merges.forEach(({ left, right }, row) => {
    greatest[row] = Math.max(distanceOf(row), greatestBelow(left), greatestBelow(right));
  });

  const clusters = new Int32Array(numPoints);
  let numClusters = 0;
  const claim = (root: number): void => {
    const stack = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node < numPoints) {
        clusters[node] = numClusters;
      } else {
        const { left, right } = merges[node - numPoints]!;
        stack.push(right, left);
      }
    }
    numClusters++;
  };
  // scipy visits inner nodes first, left then right, and gives a lone point its number on the way back.
  const stack: { node: number; leavesOnly: boolean }[] = [{ node: 2 * numPoints - 2, leavesOnly: false }];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { node, leavesOnly } = entry;
    if (node < numPoints || greatestBelow(node) <= threshold) {
      claim(node);
      continue;
    }
    const { left, right } = merges[node - numPoints]!;
    if (leavesOnly) {
      if (left < numPoints) claim(left);
      if (right < numPoints) claim(right);
      continue;
    }
    stack.push({ node, leavesOnly: true });
    if (right >= numPoints) stack.push({ node: right, leavesOnly: false });
    if (left >= numPoints) stack.push({ node: left, leavesOnly: false });
  }
  return clusters;
}
