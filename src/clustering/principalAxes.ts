import { multiplyTransposed, rowOf, transposed, zeros, type Dense } from './dense';

/** Rows that the axes are learned from: enough for directions that are only to be good ones. */
const MAX_SAMPLES = 2048;
/** Of the orthogonal iteration: a few more change the order of the axes no more than the sample does. */
const NUM_ITERATIONS = 8;
/** Part of the variance that every direction has beyond its own, so that none is lost where rows lie in a plane. */
const RIDGE = 1e-9;

/**
 * Rows in another orthonormal basis, whose first axes are those along which the rows differ most: distances are the same
 * but for rounding, and the first few values tell most of a distance.
 *
 * @param rows axes (row, dimension), at least one
 * @returns axes (row, principal axis)
 */
export function alongPrincipalAxes(rows: Dense): Dense {
  const covariance = sampleCovariance(rows);
  const { numColumns } = rows;
  let trace = 0;
  for (let k = 0; k < numColumns; k++) trace += covariance.data[k * numColumns + k]!;
  // Without any variance every basis is as good.
  const ridge = trace > 0 ? RIDGE * trace : 1;
  const axes = zeros(numColumns, numColumns);
  for (let k = 0; k < numColumns; k++) {
    covariance.data[k * numColumns + k]! += ridge;
    axes.data[k * numColumns + k] = 1;
  }
  let basis = axes;
  for (let iteration = 0; iteration < NUM_ITERATIONS; iteration++) {
    basis = multiplyTransposed(basis, covariance);
    // Twice: the first time leaves what cancelled.
    orthonormalise(basis);
    orthonormalise(basis);
  }
  return multiplyTransposed(rows, basis);
}

/** Covariance of rows at equal intervals, times their number; axes (dimension, dimension). */
function sampleCovariance(rows: Dense): Dense {
  const interval = Math.ceil(rows.numRows / MAX_SAMPLES);
  const sample = zeros(Math.ceil(rows.numRows / interval), rows.numColumns);
  const mean = new Float64Array(rows.numColumns);
  for (let i = 0; i < sample.numRows; i++) {
    const row = rowOf(rows, i * interval);
    rowOf(sample, i).set(row);
    for (let k = 0; k < mean.length; k++) mean[k]! += row[k]! / sample.numRows;
  }
  for (let i = 0; i < sample.numRows; i++) {
    const row = rowOf(sample, i);
    for (let k = 0; k < mean.length; k++) row[k]! -= mean[k]!;
  }
  const columns = transposed(sample);
  return multiplyTransposed(columns, columns);
}

/** Makes each row orthogonal to those before it, and of length 1; in place (modified Gram-Schmidt). */
function orthonormalise(rows: Dense): void {
  for (let i = 0; i < rows.numRows; i++) {
    const row = rowOf(rows, i);
    for (let j = 0; j < i; j++) {
      const before = rowOf(rows, j);
      let dot = 0;
      for (let k = 0; k < row.length; k++) dot += row[k]! * before[k]!;
      for (let k = 0; k < row.length; k++) row[k]! -= dot * before[k]!;
    }
    let square = 0;
    for (const value of row) square += value * value;
    const norm = Math.sqrt(square);
    for (let k = 0; k < row.length; k++) row[k] = row[k]! / norm;
  }
}
