import { VoxlaneError } from '../util/errors';
import { relativeErrors, type Numbers } from './relativeError';

/** Maximum differences between two tensors that count as equal. */
export interface Tolerance {
  /**
   * Maximum absolute difference of two values, in their unit; `Infinity` for no bound. If `rtol` is judged too, errors that
   * float32 rounding explains pass this bound: those of at most 2e-5, relative to the values.
   */
  readonly maxAbs: number;
  /** If true, `maxAbs` has no exception for rounding, as for a bound that the user entered. */
  readonly isMaxAbsStrict?: boolean;
  /**
   * Maximum root mean square of the error, relative to the spread of the golden tensor. A single value may differ by 30
   * times as much, relative to the spread or to its distance from the mean, whichever is greater. Not judged if absent.
   */
  readonly rtol?: number;
  /** Absolute error that passes `rtol` at any scale. Default 0. */
  readonly atol?: number;
  /** Minimum cosine similarity of the two tensors, each taken as one vector. */
  readonly cosine: number;
  /** Minimum share of rows with the same greatest class; only for tensors with classes. */
  readonly argmaxAgreement?: number;
}

/** How two tensors of the same size differ. */
export interface Comparison {
  /** Maximum absolute difference; NaN or infinite if a value is not finite and the two are not equal. */
  readonly maxAbs: number;
  /** Root mean square of the error, relative to the spread of the golden tensor; 0 without a difference. */
  readonly relative: number;
  /**
   * Maximum error relative to the spread or to the value's distance from the mean, whichever is greater; 0 without a
   * difference.
   */
  readonly maxRelative: number;
  /** Mean absolute difference; NaN like `maxAbs`. */
  readonly meanAbs: number;
  /** In [-1, 1]; 1 if both tensors are all zero, 0 if only one is, NaN if non-finite values differ. */
  readonly cosine: number;
  /** Number of NaN values in `actual`. */
  readonly nanCount: number;
  /** Number of infinite values in `actual`. */
  readonly infCount: number;
  /** Number of zeros in `actual`. All values are zero if a backend ran nothing. */
  readonly zeroCount: number;
  /** Share of rows, in [0, 1], whose greatest class is the same; absent without a class axis. */
  readonly argmaxAgreement?: number;
}

/** Meaning of the axes. A golden tensor can be passed directly. */
interface CompareOptions {
  /** Size of each axis of both tensors. */
  readonly shape: readonly number[];
  /** Name of each axis; `argmaxAgreement` is computed along the axis `class`. */
  readonly axes: readonly string[];
  /** Minimum spread of the golden values, as a share of their root mean square. The default suits rounding to float32. */
  readonly offsetShare?: number;
}

/** Name of the axis whose values are alternatives. */
const CLASS_AXIS = 'class';

/**
 * Maximum relative error of float32 rounding in a deep graph: twice the 1.0e-5 that the bundled models, up to 50 layers
 * deep, reach against PyTorch.
 */
const ROUNDING = 2e-5;
/**
 * Maximum ratio of the error of one value to the root mean square of all errors. Rounding in the bundled models reaches 26,
 * in a tensor of a million values.
 */
const PEAK = 30;

/** Sums over two tensors of the same size, in float64. All measures are computed from them. */
interface Sums {
  /** Maximum absolute difference; NaN if one is NaN. */
  readonly maxAbs: number;
  /** Root mean square of the finite golden values; 0 if there are none. */
  readonly goldenRms: number;
  /** Flat index of the first non-finite difference, else of the greatest difference. */
  readonly worst: number;
  readonly sumAbs: number;
  /** Sum of squared differences. */
  readonly differenceSquare: number;
  /** Sum of products. */
  readonly dot: number;
  readonly actualSquare: number;
  readonly goldenSquare: number;
  /** Count in `actual`, like the two that follow. */
  readonly nanCount: number;
  readonly infCount: number;
  readonly zeroCount: number;
}

const plainDifference =
  (actual: Numbers, golden: Numbers) =>
  (index: number): number =>
    Math.abs(actual[index]! - golden[index]!);

/**
 * Sums over two tensors of the same size. NaN equals NaN, and an infinity equals one of the same sign. `difference` returns
 * the absolute difference at an index.
 */
export function sumUp(actual: Numbers, golden: Numbers, difference = plainDifference(actual, golden)): Sums {
  const goldenRms = rmsOf(golden);
  let maxAbs = 0;
  let worst = 0;
  let sumAbs = 0;
  let differenceSquare = 0;
  let dot = 0;
  let actualSquare = 0;
  let goldenSquare = 0;
  let nanCount = 0;
  let infCount = 0;
  let zeroCount = 0;
  for (let i = 0; i < golden.length; i++) {
    const ours = actual[i]!;
    const theirs = golden[i]!;
    if (Number.isNaN(ours)) nanCount++;
    else if (!Number.isFinite(ours)) infCount++;
    else if (ours === 0) zeroCount++;
    // Equal non-finite values have no difference and do not count in the cosine.
    if (!Number.isFinite(ours) && Object.is(ours, theirs)) continue;
    const error = difference(i);
    // Once the maximum is not finite, keep the index: the first non-finite value shows where the fault begins.
    if (!(error <= maxAbs) && Number.isFinite(maxAbs)) worst = i;
    // `Math.max` propagates NaN; a comparison by `>` would not.
    maxAbs = Math.max(maxAbs, error);
    sumAbs += error;
    differenceSquare += error * error;
    dot += ours * theirs;
    actualSquare += ours * ours;
    goldenSquare += theirs * theirs;
  }
  return {
    maxAbs,
    goldenRms,
    worst,
    sumAbs,
    differenceSquare,
    dot,
    actualSquare,
    goldenSquare,
    nanCount,
    infCount,
    zeroCount,
  };
}

/**
 * Measures how far `actual` is from `golden`, in float64. Both are row-major and have the same axes.
 *
 * @throws VoxlaneError `model-output` if the two have different sizes or no values: an empty comparison would prove nothing
 */
export function compareTensors(actual: Float32Array, golden: Float32Array, options?: CompareOptions): Comparison {
  if (actual.length !== golden.length || golden.length === 0) throw wrongSize(actual.length, golden.length);
  return comparisonOf(sumUp(actual, golden), actual, golden, options);
}

/** Computes the measures from the sums over two tensors; `options` as for {@link compareTensors}. */
export function comparisonOf(
  sums: Sums,
  actual: Numbers,
  golden: Numbers,
  options?: CompareOptions,
  difference = plainDifference(actual, golden),
): Comparison {
  const { maxAbs, nanCount, infCount, zeroCount } = sums;
  return {
    maxAbs,
    ...relativeErrors(actual, golden, difference, options?.offsetShare),
    meanAbs: sums.sumAbs / golden.length,
    cosine: cosineOf(sums),
    nanCount,
    infCount,
    zeroCount,
    ...(options?.axes.includes(CLASS_AXIS) && { argmaxAgreement: argmaxAgreement(actual, golden, options) }),
  };
}

/**
 * Returns `pass` if every measure is within `tolerance`. A NaN or infinite value that the other side does not have always
 * fails.
 */
export function judge(comparison: Comparison, tolerance: Tolerance): 'pass' | 'fail' {
  const { maxAbs, relative, maxRelative, cosine, argmaxAgreement } = comparison;
  const { rtol, atol = 0 } = tolerance;
  const isWithin = (bound: number): boolean => relative <= bound && maxRelative <= PEAK * bound;
  // Golden values that are all zero have no spread and no angle: only the absolute error remains.
  const isOfZeros = !Number.isFinite(relative) && maxAbs <= atol;
  // Each condition is stated positively, so NaN fails.
  const sound =
    Number.isFinite(maxAbs) &&
    (maxAbs <= tolerance.maxAbs || (rtol !== undefined && !tolerance.isMaxAbsStrict && isWithin(ROUNDING))) &&
    (rtol === undefined || isWithin(rtol) || maxAbs <= atol) &&
    (isOfZeros || cosine >= tolerance.cosine) &&
    // A required share that was not measured fails.
    (tolerance.argmaxAgreement === undefined || (argmaxAgreement ?? NaN) >= tolerance.argmaxAgreement);
  return sound ? 'pass' : 'fail';
}

/** Root mean square of the finite values, in float64; 0 if there are none. */
function rmsOf(data: Numbers): number {
  let square = 0;
  let count = 0;
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    square += value * value;
    count++;
  }
  return count === 0 ? 0 : Math.sqrt(square / count);
}

/** Cosine similarity as defined in {@link Comparison}. */
function cosineOf({ dot, actualSquare, goldenSquare }: Sums): number {
  if (actualSquare === 0 && goldenSquare === 0) return 1;
  // There is no angle to a zero vector. The product with it is 0, or NaN if the other is not finite.
  if (actualSquare === 0 || goldenSquare === 0) return dot;
  // One root of the product: exact for equal tensors, and squares of float32 cannot overflow float64. Otherwise rounding
  // may exceed 1 by an ulp.
  return Math.max(-1, Math.min(1, dot / Math.sqrt(actualSquare * goldenSquare)));
}

function argmaxAgreement(actual: Numbers, golden: Numbers, { shape, axes }: CompareOptions): number {
  const axis = axes.indexOf(CLASS_AXIS);
  const numClasses = shape[axis] ?? 0;
  /** Distance between two classes of one row. */
  const stride = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const numRows = golden.length / numClasses;
  let equal = 0;
  for (let row = 0; row < numRows; row++) {
    const start = Math.floor(row / stride) * stride * numClasses + (row % stride);
    if (argmax(actual, start, stride, numClasses) === argmax(golden, start, stride, numClasses)) equal++;
  }
  return equal / numRows;
}

/** Index of the first maximum. For a row with NaN, a negative number that encodes the index of the first NaN. */
function argmax(data: Numbers, start: number, stride: number, numClasses: number): number {
  let best = 0;
  for (let index = 0; index < numClasses; index++) {
    const value = data[start + index * stride]!;
    if (Number.isNaN(value)) return -1 - index;
    if (value > data[start + best * stride]!) best = index;
  }
  return best;
}

function wrongSize(actual: number, golden: number): VoxlaneError {
  return new VoxlaneError({
    code: 'model-output',
    problem: `A tensor of ${actual} values cannot be compared with a golden one of ${golden}`,
    expected: 'the same number of values on both sides, and at least one',
    remedy: 'Run the stage on the input of the golden bundle, and compare it with the stage of the same name',
  });
}
