/** A row-major matrix of float64 numbers. */
export interface Dense {
  readonly data: Float64Array;
  readonly numRows: number;
  readonly numColumns: number;
}

/** Rows on each side of a tile, chosen so that the running sums of a tile stay in registers. */
export const TILE = 4;

/** A matrix of zeros. */
export const zeros = (numRows: number, numColumns: number): Dense => {
  return { data: new Float64Array(numRows * numColumns), numRows, numColumns };
};

/** A copy of rows of equal length. */
export function denseOf(rows: readonly ArrayLike<number>[]): Dense {
  const result = zeros(rows.length, rows[0]?.length ?? 0);
  rows.forEach((row, i) => {
    result.data.set(row, i * result.numColumns);
  });
  return result;
}

/** A view of one row. */
export const rowOf = ({ data, numColumns }: Dense, row: number): Float64Array =>
  data.subarray(row * numColumns, (row + 1) * numColumns);

/**
 * Transposes a matrix.
 *
 * @param result matrix of shape (numColumns, numRows) for the result; default: a new one
 */
export function transposed({ data, numRows, numColumns }: Dense, result = zeros(numColumns, numRows)): Dense {
  for (let row = 0; row < numRows; row++) {
    for (let column = 0; column < numColumns; column++) {
      result.data[column * numRows + row] = data[row * numColumns + column]!;
    }
  }
  return result;
}

/** Subtracts a vector from every row, in place. */
export function subtractFromRows(rows: Dense, mean: Float64Array): void {
  for (let row = 0; row < rows.numRows; row++) {
    const values = rowOf(rows, row);
    for (let k = 0; k < values.length; k++) values[k]! -= mean[k]!;
  }
}

/** Scales every row to the given length, in place. */
export function scaleRowsTo(rows: Dense, length: number): void {
  for (let row = 0; row < rows.numRows; row++) {
    const values = rowOf(rows, row);
    let square = 0;
    for (const value of values) square += value * value;
    const norm = Math.sqrt(square);
    for (let k = 0; k < values.length; k++) values[k] = length * (values[k]! / norm);
  }
}

/**
 * Dot products of all rows of `a` with all rows of `b`: a · bᵀ.
 *
 * Implemented here because ml-matrix is ten times slower on 20,000 rows, and VBx does forty such multiplications.
 *
 * @param a axes (row, k)
 * @param b axes (column, k)
 * @param result matrix for the result, of shape (rows of a, rows of b); default: a new one
 * @returns axes (row, column)
 */
export function multiplyTransposed(a: Dense, b: Dense, result = zeros(a.numRows, b.numRows)): Dense {
  const products = new Float64Array(TILE * TILE);
  for (let firstRow = 0; firstRow < a.numRows; firstRow += TILE) {
    const endRow = Math.min(firstRow + TILE, a.numRows);
    for (let firstColumn = 0; firstColumn < b.numRows; firstColumn += TILE) {
      multiplyTile(a, firstRow, b, firstColumn, products);
      const endColumn = Math.min(firstColumn + TILE, b.numRows);
      for (let row = firstRow; row < endRow; row++) {
        for (let column = firstColumn; column < endColumn; column++) {
          const product = products[(row - firstRow) * TILE + column - firstColumn]!;
          result.data[row * b.numRows + column] = product;
        }
      }
    }
  }
  return result;
}

/**
 * Dot products of four rows of `a` with four rows of `b`, written to `products`, row-major. Each number is loaded once for
 * four products. Every sum is in column order, wherever its rows are in the tile. Rows past the end repeat
 * the last one.
 */
export function multiplyTile(a: Dense, firstRow: number, b: Dense, firstColumn: number, products: Float64Array): void {
  const length = a.numColumns;
  const left = a.data;
  const right = b.data;
  const lastLeft = (a.numRows - 1) * length;
  const lastRight = (b.numRows - 1) * length;
  const l0 = firstRow * length;
  const l1 = Math.min(l0 + length, lastLeft);
  const l2 = Math.min(l1 + length, lastLeft);
  const l3 = Math.min(l2 + length, lastLeft);
  const r0 = firstColumn * length;
  const r1 = Math.min(r0 + length, lastRight);
  const r2 = Math.min(r1 + length, lastRight);
  const r3 = Math.min(r2 + length, lastRight);
  // Sixteen variables instead of an array: otherwise the compiler keeps the sums in memory.
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  let [s20, s21, s22, s23] = [0, 0, 0, 0];
  let [s30, s31, s32, s33] = [0, 0, 0, 0];
  for (let k = 0; k < length; k++) {
    const a0 = left[l0 + k]!;
    const a1 = left[l1 + k]!;
    const a2 = left[l2 + k]!;
    const a3 = left[l3 + k]!;
    const b0 = right[r0 + k]!;
    const b1 = right[r1 + k]!;
    const b2 = right[r2 + k]!;
    const b3 = right[r3 + k]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
  }
  products[0] = s00;
  products[1] = s01;
  products[2] = s02;
  products[3] = s03;
  products[4] = s10;
  products[5] = s11;
  products[6] = s12;
  products[7] = s13;
  products[8] = s20;
  products[9] = s21;
  products[10] = s22;
  products[11] = s23;
  products[12] = s30;
  products[13] = s31;
  products[14] = s32;
  products[15] = s33;
}

/** Mean of vectors, in float64. Returns NaN in every dimension for empty input, like NumPy. */
export function mean(vectors: readonly ArrayLike<number>[], dimension: number): Float64Array {
  const result = new Float64Array(dimension);
  for (const vector of vectors) {
    for (let k = 0; k < dimension; k++) result[k] = result[k]! + vector[k]!;
  }
  return result.map((value) => value / vectors.length);
}

/**
 * Mean of the vectors of each cluster, in one pass; sums are in the order of the vectors, as in {@link mean}.
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

/** 1 − cosine similarity, in [0, 2]; NaN if either vector contains NaN or is zero, like SciPy's `cdist`. */
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

/** The vector, scaled to unit length. */
export function normalized(vector: ArrayLike<number>): Float64Array {
  const result = Float64Array.from(vector);
  let square = 0;
  for (const value of result) square += value * value;
  const norm = Math.sqrt(square);
  return result.map((value) => value / norm);
}

/** Index of the minimum; the first one wins a tie, and the first NaN wins over all values, like NumPy's argmin. */
export function argmin(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) return i;
    if (values[i]! < values[best]!) best = i;
  }
  return best;
}
