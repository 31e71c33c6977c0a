/** Mean of vectors, float64. Empty input gives NaN in every place, as numpy does. */
export function mean(vectors: readonly ArrayLike<number>[], dimension: number): Float64Array {
  const result = new Float64Array(dimension);
  for (const vector of vectors) {
    for (let k = 0; k < dimension; k++) result[k] = result[k]! + vector[k]!;
  }
  return result.map((value) => value / vectors.length);
}

/**
 * Mean of the vectors of each cluster, in one pass; sums run in the order of the vectors, as {@link mean}'s.
 *
 * @param clusters cluster of each vector, below `numClusters`
 * @returns axes (cluster, dimension); NaN for a cluster without vectors
 */
export function clusterMeans(
  vectors: readonly ArrayLike<number>[],
  clusters: Int32Array,
  numClusters: number,
  dimension: number,
): Float64Array[] {
  const sums = Array.from({ length: numClusters }, () => new Float64Array(dimension));
  const sizes = new Int32Array(numClusters);
  vectors.forEach((vector, i) => {
    const sum = sums[clusters[i]!]!;
    for (let k = 0; k < dimension; k++) sum[k] = sum[k]! + vector[k]!;
    sizes[clusters[i]!]!++;
  });
  sums.forEach((sum, cluster) => {
    for (let k = 0; k < dimension; k++) sum[k] = sum[k]! / sizes[cluster]!;
  });
  return sums;
}

/** 1 − cosine similarity, in [0, 2]; NaN where either vector holds NaN or is zero, as scipy's `cdist`. */
export function cosineDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let squareA = 0;
  let squareB = 0;
  for (let k = 0; k < a.length; k++) {
    dot += a[k]! * b[k]!;
    squareA += a[k]! * a[k]!;
    squareB += b[k]! * b[k]!;
  }
  return 1 - dot / Math.sqrt(squareA * squareB);
}

/** The vector at unit length. */
export function normalised(vector: ArrayLike<number>): Float64Array {
  const result = Float64Array.from(vector);
  let square = 0;
  for (const value of result) square += value * value;
  const norm = Math.sqrt(square);
  return result.map((value) => value / norm);
}

/** Index of the least value; the first one wins a tie, and the first NaN wins over all, as numpy's argmin. */
export function argmin(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) return i;
    if (values[i]! < values[best]!) best = i;
  }
  return best;
}
