import { type ExactValues, isBigArray, numbersOf } from '../util/numberTypes';
import { comparisonOf, judge, sumUp, type Tolerance } from './compare';
import type { Numbers } from './relativeError';
import type { ErrorQuantiles, Measures, Verdict, WorstValue } from './report';
import { type Tensor, valuesOf } from './tensor';

/** Maximum number of errors to sort. For larger tensors, only every second, third … error is used. */
const MAX_SORTED = 1 << 20;

/**
 * Quantiles of the absolute differences of two non-empty tensors of the same size. Equal non-finite values have the
 * difference 0. All other differences must be finite.
 */
export function errorQuantiles(actual: Float32Array | Float64Array | Int32Array | Uint32Array, golden: typeof actual): ErrorQuantiles {
  const step = Math.ceil(golden.length / MAX_SORTED);
  const errors = new Float64Array(Math.ceil(golden.length / step));
  for (let index = 0; index < errors.length; index++) {
    const ours = actual[index * step]!;
    const theirs = golden[index * step]!;
    errors[index] = Object.is(ours, theirs) ? 0 : Math.abs(ours - theirs);
  }
  errors.sort();
  /** The smallest value that `share` of the errors do not exceed. */
  const at = (share: number): number => errors[Math.max(0, Math.ceil(share * errors.length) - 1)]!;
  return { median: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** Time axes, the preferred one first. */
const TIME_AXES: readonly string[] = ['frame', 'sample'];

/**
 * Computes all measures of `actual` against `golden`, in float64; both are row-major.
 *
 * If the shapes differ, only the counts are computed, because the values do not correspond. Equal non-finite values have no
 * difference. With other non-finite values, measures that would not be finite are null, and `worst` is the first such
 * value. `worst` is also null if nothing differs.
 *
 * @param axes name of each axis of `actual`
 * @param secondsOf center of a frame (or sample, for stages with samples) in seconds from the start of the input
 * @param offsetShare minimum spread of the golden values, as returned by {@link offsetShareOf} for their type
 */
export function measure(
  actual: Tensor,
  golden: Tensor,
  axes: readonly string[],
  secondsOf: ((frame: number) => number) | null = null,
  offsetShare?: number,
): Measures {
  if (!hasShape(actual, golden.shape)) return countsOnly(actual.data);
  if (golden.data.length === 0) return NOTHING_DIFFERS;
  const ours = valuesOf(actual);
  const theirs = valuesOf(golden);
  const { left, right, factor } = withinSquares(numbersOf(ours), numbersOf(theirs));
  const difference = factor === 1 && (isBigArray(ours) || isBigArray(theirs)) ? wholeDifference(ours, theirs) : undefined;
  const { shape } = actual;
  const options = { shape, axes, ...(offsetShare !== undefined && { offsetShare }) };
  const sums = sumUp(left, right, difference);
  const { meanAbs, relative, maxRelative, cosine, argmaxAgreement } = comparisonOf(sums, left, right, options, difference);
  const quantiles = Number.isFinite(sums.maxAbs) ? errorQuantiles(left, right) : null;
  return {
    maxAbs: finite(sums.maxAbs * factor),
    maxRelative: finite(maxRelative),
    goldenRms: finite(sums.goldenRms * factor),
    quantiles: quantiles && { median: quantiles.median * factor, p90: quantiles.p90 * factor, p99: quantiles.p99 * factor },
    meanAbs: finite(meanAbs * factor),
    relative: finite(relative),
    cosine: finite(cosine),
    // Infinite if there is no difference.
    snrDb: finite(10 * Math.log10(sums.goldenSquare / sums.differenceSquare)),
    argmaxAgreement: argmaxAgreement ?? null,
    nanCount: sums.nanCount,
    infCount: sums.infCount,
    zeroCount: sums.zeroCount,
    worst: sums.maxAbs === 0 ? null : worstValue(actual, golden, sums.worst, axes, secondsOf),
  };
}

/** Maximum magnitude at which the product of two sums of squares is finite in float64. */
const MAX_SQUARED = 2 ** 240;

/** Divides both arrays by `factor`, a power of two. It is 1 unless such a product would be infinite. */
function withinSquares(left: Numbers, right: Numbers): { left: Numbers; right: Numbers; factor: number } {
  let greatest = 0;
  for (const values of [left, right]) {
    if (!(values instanceof Float64Array)) continue;
    for (const value of values) if (Number.isFinite(value)) greatest = Math.max(greatest, Math.abs(value));
  }
  if (greatest <= MAX_SQUARED) return { left, right, factor: 1 };
  const factor = 2 ** Math.floor(Math.log2(greatest));
  return { left: Float64Array.from(left, (value) => value / factor), right: Float64Array.from(right, (value) => value / factor), factor };
}

/** Absolute difference of integers that float64 would round. Other values are compared as numbers. */
const wholeDifference =
  (actual: Float32Array | ExactValues, golden: Float32Array | ExactValues) =>
  (index: number): number => {
    const [ours, theirs] = [actual[index]!, golden[index]!];
    if ([ours, theirs].some((value) => typeof value === 'number' && !Number.isInteger(value))) return Math.abs(Number(ours) - Number(theirs));
    return Math.abs(Number(BigInt(ours) - BigInt(theirs)));
  };

/** Returns `pass` if every measure is within `tolerance`; a measure that is missing fails. */
export function judgeMeasures(measures: Measures, tolerance: Tolerance): Verdict {
  const { maxAbs, relative, maxRelative, meanAbs, cosine, argmaxAgreement, nanCount, infCount, zeroCount } = measures;
  const taken = {
    maxAbs: maxAbs ?? NaN,
    relative: relative ?? NaN,
    maxRelative: maxRelative ?? NaN,
    meanAbs: meanAbs ?? NaN,
    cosine: cosine ?? NaN,
    nanCount,
    infCount,
    zeroCount,
  };
  return judge({ ...taken, ...(argmaxAgreement !== null && { argmaxAgreement }) }, tolerance);
}

/** True if a tensor has this shape. */
export function hasShape(tensor: Tensor, shape: readonly number[]): boolean {
  return tensor.shape.length === shape.length && tensor.shape.every((size, axis) => size === shape[axis]);
}

/** Converts a flat index of a row-major tensor to an index along each axis. */
export function indexOf(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length).fill(0);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}

/** Measures of two tensors of an empty shape. */
const NOTHING_DIFFERS: Measures = {
  maxAbs: 0,
  maxRelative: 0,
  goldenRms: 0,
  quantiles: { median: 0, p90: 0, p99: 0 },
  meanAbs: 0,
  relative: 0,
  cosine: 1,
  snrDb: null,
  argmaxAgreement: null,
  nanCount: 0,
  infCount: 0,
  zeroCount: 0,
  worst: null,
};

function countsOnly(data: Float32Array): Measures {
  const { nanCount, infCount, zeroCount } = sumUp(data, data);
  return {
    maxAbs: null,
    maxRelative: null,
    goldenRms: null,
    quantiles: null,
    meanAbs: null,
    relative: null,
    cosine: null,
    snrDb: null,
    argmaxAgreement: null,
    nanCount,
    infCount,
    zeroCount,
    worst: null,
  };
}

function worstValue(
  actual: Tensor,
  golden: Tensor,
  flat: number,
  axes: readonly string[],
  secondsOf: ((frame: number) => number) | null,
): WorstValue {
  const index = indexOf(flat, actual.shape);
  const time = index[axes.indexOf(TIME_AXES.find((name) => axes.includes(name)) ?? '')];
  return {
    index,
    actual: Number(valuesOf(actual)[flat]),
    golden: Number(valuesOf(golden)[flat]),
    seconds: time === undefined || !secondsOf ? null : secondsOf(time),
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
