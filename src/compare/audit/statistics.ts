/** What a tensor's values are like, whatever order they are in. Sums are float64, over the finite values. */
export interface Statistics {
  readonly numValues: number;
  readonly zeroCount: number;
  /** NaN and infinities. */
  readonly nonFiniteCount: number;
  /** Null where no value is finite. */
  readonly mean: number | null;
  /** Of the values as a whole population. */
  readonly standardDeviation: number | null;
  readonly sum: number;
  readonly sumAbs: number;
  readonly sumSquares: number;
  /** Infinity where no value is finite. */
  readonly min: number;
  /** -Infinity where no value is finite. */
  readonly max: number;
}

/** The largest relative and absolute error by which a number type rounds a value that it can hold. */
export interface Rounding {
  readonly relative: number;
  readonly absolute: number;
}

export function statisticsOf(values: Float32Array): Statistics {
  let zeroCount = 0;
  let nonFiniteCount = 0;
  let sum = 0;
  let sumAbs = 0;
  let sumSquares = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) {
      nonFiniteCount++;
      continue;
    }
    if (value === 0) zeroCount++;
    sum += value;
    sumAbs += Math.abs(value);
    sumSquares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const numFinite = values.length - nonFiniteCount;
  const mean = numFinite === 0 ? null : sum / numFinite;
  return {
    numValues: values.length,
    zeroCount,
    nonFiniteCount,
    mean,
    standardDeviation: mean === null ? null : Math.sqrt(squaresAround(values, mean) / numFinite),
    sum,
    sumAbs,
    sumSquares,
    min,
    max,
  };
}

/** Sum of the squared distances from the mean: in a second pass, because the difference of two sums would cancel. */
function squaresAround(values: Float32Array, mean: number): number {
  let squares = 0;
  for (const value of values) if (Number.isFinite(value)) squares += (value - mean) ** 2;
  return squares;
}

/** Whether all values are one finite number. */
export const isConstant = ({ min, max, nonFiniteCount }: Statistics): boolean => min === max && nonFiniteCount === 0;

/**
 * float64 sums of the same values in another order differ by up to their number times 2^-53 of the sum of their sizes:
 * 1e-9 would be 8 million values all rounded the same way.
 */
const SUM_ERROR = 1e-9;

/**
 * Whether two tensors can hold the same values, each rounded by up to `rounding`, in whatever order. What is not told
 * apart by it must still be compared value by value.
 */
export function canBeSame(one: Statistics, other: Statistics, { relative, absolute }: Rounding): boolean {
  const near = (a: number, b: number): boolean =>
    a === b || Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b)) + absolute;
  const { numValues, sumAbs, sumSquares } = one;
  return (
    numValues === other.numValues &&
    one.nonFiniteCount === other.nonFiniteCount &&
    near(one.min, other.min) &&
    near(one.max, other.max) &&
    Math.abs(one.sum - other.sum) <= (relative + SUM_ERROR) * Math.max(sumAbs, other.sumAbs) + absolute * numValues &&
    Math.abs(sumSquares - other.sumSquares) <=
      (2 * relative + SUM_ERROR) * Math.max(sumSquares, other.sumSquares) + 2 * absolute * Math.max(sumAbs, other.sumAbs)
  );
}
