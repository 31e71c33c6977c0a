import type { Weight } from '../../onnx/weights';
import { sha256Hex } from '../../util/hash';
import type { CheckpointTensor } from '../files/elements';
import type { OnStep } from '../stages';
import { sizeOf } from '../tensor';

/** Appends to the list of a key, and creates the list if necessary. */
export function pushTo<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Statistics of a tensor that do not depend on the order of its values. Sums are float64, over the finite values. */
export interface Statistics {
  readonly numValues: number;
  readonly zeroCount: number;
  /** Number of NaN and infinite values. */
  readonly nonFiniteCount: number;
  /** Null if no value is finite. */
  readonly mean: number | null;
  /** Population standard deviation. */
  readonly standardDeviation: number | null;
  readonly sum: number;
  readonly sumAbs: number;
  readonly sumSquares: number;
  /** Infinity if no value is finite. */
  readonly min: number;
  /** -Infinity if no value is finite. */
  readonly max: number;
}

/** Maximum relative and absolute rounding error of a number type, for values in its range. */
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

/** Sum of squared distances from the mean. A second pass avoids the cancellation of a difference of two sums. */
function squaresAround(values: Float32Array, mean: number): number {
  let squares = 0;
  for (const value of values) if (Number.isFinite(value)) squares += (value - mean) ** 2;
  return squares;
}

/** True if all values are the same finite number. */
export const isConstant = ({ min, max, nonFiniteCount }: Statistics): boolean => min === max && nonFiniteCount === 0;

/**
 * Float64 sums of the same values in different orders differ by at most n · 2^-53 of the sum of absolute values. 1e-9
 * corresponds to 8 million values that are all rounded the same way.
 */
const SUM_ERROR = 1e-9;

/**
 * True if two tensors may hold the same values in any order, each rounded by up to `rounding`. Candidates must still be
 * compared value by value.
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

/** A weight tensor of either file, with its hash and statistics. */
export interface AuditTensor {
  readonly name: string;
  /** Type name in the file. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
  /** Null if the values are not available as numbers. */
  readonly statistics: Statistics | null;
  /** How the file misplaces the tensor; null if it does not. */
  readonly problem: string | null;
  /** Why statistics are missing although nothing is misplaced; null if they exist. */
  readonly note: string | null;
  /** Float32 values, row-major, converted on each call; null if there are no statistics. */
  readonly values: () => Float32Array | null;
}

/** A tensor of either file before hashing. */
interface FoundTensor extends Omit<AuditTensor, 'sha256' | 'statistics'> {
  readonly bytes: () => Uint8Array;
}

/** Steps of this size keep the work cancellable and cost little. */
const BYTES_PER_STEP = 4 * 1024 * 1024;

/** By type name, which each format spells differently: `float16`, `F16`, `<f2`. */
const ROUNDINGS: readonly (readonly [RegExp, Rounding])[] = [
  // Half of the last of 11 bits; below 2^-14, half of 2^-24.
  [/^(float16|F16|[<>=]f2)$/, { relative: 2 ** -11, absolute: 2 ** -25 }],
  // Half of the last of 8 bits; the exponent is that of float32.
  [/^b(float|f)16$/i, { relative: 2 ** -8, absolute: 0 }],
];
const EXACT: Rounding = { relative: 0, absolute: 0 };

/**
 * Lists the weights of a graph: its floating-point tensors. Integers are shapes, axes and indices. Misplaced tensors are
 * listed whatever they contain.
 *
 * @param states names of initial states of recurrent nodes: zeros that no checkpoint has
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

/** Lists the weights of a checkpoint: its floating-point tensors. Integers are counters, such as those of batch norms. */
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

/** Hashes each tensor and computes its statistics. */
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

/** Maximum difference between values of two tensors if one was rounded to produce the other. */
export function roundingBetween(one: AuditTensor, other: AuditTensor): Rounding {
  const [left, right] = [roundingOf(one.dtype), roundingOf(other.dtype)];
  if (left === right) return EXACT;
  return left.relative > right.relative ? left : right;
}

/** True for a single value: most such graph tensors are an epsilon or a factor. */
export const isSingle = ({ shape }: AuditTensor): boolean => sizeOf(shape) === 1;

/** A shape without axes of size 1, which do not change the memory layout. */
export const squeezed = (shape: readonly number[]): number[] => shape.filter((size) => size !== 1);

/** True if two shapes are equal apart from axes of size 1. */
export const isSameShape = (one: readonly number[], other: readonly number[]): boolean =>
  squeezed(one).join() === squeezed(other).join();

/** Problem text in the list of weights for a sparse tensor. */
const SPARSE = 'sparse';

const isFloat = (type: string): boolean => /^b?float/.test(type);

const roundingOf = (dtype: string): Rounding => ROUNDINGS.find(([names]) => names.test(dtype))?.[1] ?? EXACT;
