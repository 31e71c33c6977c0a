import { flatClusters } from './flat';
import { centroidLinkage } from './linkage';
import type { Merge } from './merge';

/**
 * Embeddings at unit length, in float32, as numpy divides a float32 array by `np.linalg.norm`.
 *
 * @param embeddings axes (embedding, dimension), free of NaN
 */
export function unitEmbeddings(embeddings: readonly Float32Array[]): Float32Array[] {
  return embeddings.map((embedding) => {
    let square = 0;
    for (const value of embedding) square += value * value;
    const norm = Math.fround(Math.sqrt(square));
    return embedding.map((value) => value / norm);
  });
}

/**
 * The clusters that VBx starts from: centroid linkage of unit embeddings, cut at `threshold`.
 *
 * Matches the AHC of `VBxClustering.__call__` of pyannote.audio 4.0.7, numbering included.
 *
 * @param unit axes (embedding, dimension), at unit length, at least two
 * @param threshold greatest centroid distance at which two clusters are merged: 0 to 2
 * @returns label per embedding, from 0 without gaps
 */
export function startLabels(unit: readonly Float32Array[], threshold: number): Int32Array {
  return cutStart(centroidLinkage(unit), threshold);
}

/** {@link startLabels} of a linkage that is there already. */
export const cutStart = (merges: readonly Merge[], threshold: number): Int32Array => flatClusters(merges, threshold);
