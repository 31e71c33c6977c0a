import type { Weight } from '../../onnx/weights';
import { sha256Hex } from '../../util/hash';
import type { CheckpointTensor } from '../files/elements';
import type { OnStep } from '../stages';
import { sizeOf } from '../tensor';

/** Adds to the list that a map has for a key, made where there is none. */
export function pushTo<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

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

/** A tensor of weights of either file, hashed and measured. */
export interface AuditTensor {
  readonly name: string;
  /** As the file calls it. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
  /** Null where the values cannot be had as numbers. */
  readonly statistics: Statistics | null;
  /** How the file misplaces it; null where it does not. */
  readonly problem: string | null;
  /** Why there are no statistics though nothing is misplaced; null where there are. */
  readonly note: string | null;
  /** As float32, row-major, converted anew at each call; null where there are no statistics. */
  readonly values: () => Float32Array | null;
}

/** A tensor of either file before anything was computed. */
interface FoundTensor extends Omit<AuditTensor, 'sha256' | 'statistics'> {
  readonly bytes: () => Uint8Array;
}

/** A step per so much keeps the work cancellable, and costs little where each step is waited for. */
const BYTES_PER_STEP = 4 * 1024 * 1024;

/** By the name of the type, which each format writes in its own way: `float16`, `F16`, `<f2`. */
const ROUNDINGS: readonly (readonly [RegExp, Rounding])[] = [
  // Half of the last of 11 bits; below 2^-14 half of 2^-24.
  [/^(float16|F16|[<>=]f2)$/, { relative: 2 ** -11, absolute: 2 ** -25 }],
  // Half of the last of 8 bits; its exponent is float32's.
  [/^b(float|f)16$/i, { relative: 2 ** -8, absolute: 0 }],
];
const EXACT: Rounding = { relative: 0, absolute: 0 };

/**
 * The weights of a graph: what holds floating point numbers. Shapes, axes and indices are integers, and no weights.
 * What is misplaced in the file is listed whatever it holds.
 *
 * @param states names of initial states of recurrent nodes, zeros that belong to no checkpoint
 */
export function graphTensors(weights: readonly Weight[], states: ReadonlySet<string>): FoundTensor[] {
  return weights
    .filter(({ name, dtype, problem }) => (problem !== null && problem !== SPARSE) || (isFloat(dtype) && !states.has(name)))
    .map(({ name, dtype, shape, problem, bytes, values }) => ({
      name,
      dtype,
      shape,
      problem: problem === SPARSE ? null : problem,
      note: problem === SPARSE ? 'is sparse, so its values are not compared' : `has values of ${dtype}, which are not read`,
      bytes,
      values,
    }));
}

/** The weights of a checkpoint, as those of a graph; counters such as a batch norm's are integers, and no weights. */
export function checkpointTensors(tensors: readonly CheckpointTensor[]): FoundTensor[] {
  return tensors
    .filter(({ type, problem }) => problem !== null || type === null || isFloat(type))
    .map((tensor) => ({
      name: tensor.name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      problem: tensor.problem,
      note: `has values of ${tensor.dtype}, which are not read`,
      bytes: () => tensor.bytes,
      values: () => tensor.values(),
    }));
}

/** Hashes and measures each tensor. */
export async function measureTensors(found: readonly FoundTensor[], step: string, onStep: OnStep): Promise<AuditTensor[]> {
  const tensors: AuditTensor[] = [];
  let numBytes = BYTES_PER_STEP;
  for (const [index, { bytes, ...tensor }] of found.entries()) {
    if (numBytes >= BYTES_PER_STEP) {
      await onStep(step, index, found.length);
      numBytes = 0;
    }
    const lying = bytes();
    numBytes += lying.length;
    const values = tensor.values();
    tensors.push({
      ...tensor,
      sha256: await sha256Hex(lying),
      statistics: values && statisticsOf(values),
      note: values || tensor.problem !== null ? null : tensor.note,
    });
  }
  return tensors;
}

/** By how much a value of one tensor may differ from the other's where one was rounded to make the other. */
export function roundingBetween(one: AuditTensor, other: AuditTensor): Rounding {
  const [left, right] = [roundingOf(one.dtype), roundingOf(other.dtype)];
  if (left === right) return EXACT;
  return left.relative > right.relative ? left : right;
}

/** Whether it has a single value: most such tensors of a graph are an epsilon or a factor, and no weights. */
export const isSingle = ({ shape }: AuditTensor): boolean => sizeOf(shape) === 1;

/** A shape without axes of size 1, which change nothing in memory. */
export const squeezed = (shape: readonly number[]): number[] => shape.filter((size) => size !== 1);

/** Whether two shapes are one but for axes of size 1. */
export const isSameShape = (one: readonly number[], other: readonly number[]): boolean =>
  squeezed(one).join() === squeezed(other).join();

/** What the list of a graph's weights says of one that only has its values that are not zero. */
const SPARSE = 'sparse';

const isFloat = (type: string): boolean => /^b?float/.test(type);

const roundingOf = (dtype: string): Rounding => ROUNDINGS.find(([names]) => names.test(dtype))?.[1] ?? EXACT;
