import { allowedAbs } from '../stageTolerance';
import { sizeOf, type Tensor } from '../tensor';
import type { CauseContext } from './context';

/** How far two tensors are apart. */
export interface Distance {
  /** Euclidean norm of the difference; NaN where a value is not finite. */
  readonly norm: number;
  /** Greatest absolute difference; NaN alike. */
  readonly maxAbs: number;
}

/**
 * Fewest values that a fit of one number (a factor, an offset) proves anything on. Of two values one number explains
 * half by chance; of eight that are wrong at random, it leaves a tenth of the error less than once in ten million times.
 */
export const MIN_VALUES = 8;

/** Share of the error that an explanation may leave: rounding of 1e-4 beside an error of 1e-2 leaves half of it. */
const MAX_LEFT = 0.02;

/** The same where what is left passes the stage. Chance does not take nine tenths of an error away. */
const MAX_LEFT_WITHIN_TOLERANCE = 0.1;

/**
 * Share of what the golden values span that may be left, unless it is within the tolerance. Two tensors that have
 * nothing in common but lie far apart are brought near by one number, yet not to agree.
 */
const MAX_LEFT_OF_SPREAD = 0.1;

/**
 * The rule by which a transformation of ours counts as the cause: what it leaves is at most 2 % of the error's norm and
 * 10 % of what the golden values span; or at most 10 % of the error's norm, and no value is further from the golden one
 * than the tolerance. A share of the error rather than the tolerance alone, because of an error just above the
 * tolerance nearly anything would leave less.
 */
export function explains(
  left: Distance,
  error: Distance,
  { golden, tolerance }: Pick<CauseContext, 'golden' | 'tolerance'>,
): boolean {
  if (!(error.norm > 0)) return false;
  const share = left.norm / error.norm;
  // Rejects most explanations early: the bounds below need passes over the golden values.
  if (share > Math.max(MAX_LEFT, MAX_LEFT_WITHIN_TOLERANCE)) return false;
  if (left.maxAbs <= allowedAbs(tolerance, golden.data)) return share <= MAX_LEFT_WITHIN_TOLERANCE;
  return share <= MAX_LEFT && left.norm <= MAX_LEFT_OF_SPREAD * spread(golden.data).norm;
}

/** Distance between `golden` and `transform` of each value of `actual`, which is as long. */
export function distance(
  actual: Float32Array,
  golden: Float32Array,
  transform: (value: number, index: number) => number = (value) => value,
): Distance {
  let square = 0;
  let maxAbs = 0;
  for (let i = 0; i < golden.length; i++) {
    const transformed = transform(actual[i]!, i);
    // Equal infinities and NaN have no difference.
    const difference = Object.is(golden[i], transformed) ? 0 : Math.abs(golden[i]! - transformed);
    square += difference * difference;
    maxAbs = Math.max(maxAbs, difference);
  }
  return { norm: Math.sqrt(square), maxAbs };
}

/** Distance between a tensor and its own mean: what an explanation has to beat where the shapes do not fit. */
export function spread(data: Float32Array): Distance {
  const mean = meanOf(data);
  return distance(data, data, () => mean);
}

/** Pearson's correlation of two tensors of one size; NaN where one is constant or not finite. */
export function correlation(left: Float32Array, right: Float32Array): number {
  const leftMean = meanOf(left);
  const rightMean = meanOf(right);
  let product = 0;
  for (let i = 0; i < left.length; i++) product += (left[i]! - leftMean) * (right[i]! - rightMean);
  return product / (spread(left).norm * spread(right).norm);
}

/** Mean in float64; NaN of nothing. */
export function meanOf(data: Float32Array): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum / data.length;
}

/** A tensor as blocks along one axis: the value at `position` is at `(block * size + position) * stride + rest`. */
export interface Along {
  /** Product of the sizes of the axes before. */
  readonly blocks: number;
  readonly size: number;
  /** Product of the sizes of the axes after. */
  readonly stride: number;
}

/** The tensor along the first of its axes that has one of these names; null without one. */
export function along(
  { shape }: Tensor,
  axes: readonly string[],
  names: readonly string[],
): (Along & { readonly axis: number }) | null {
  const axis = axes.length === shape.length ? axes.findIndex((name) => names.includes(name)) : -1;
  if (axis < 0) return null;
  return { axis, blocks: sizeOf(shape.slice(0, axis)), size: shape[axis]!, stride: sizeOf(shape.slice(axis + 1)) };
}

/** `(batch, frame, channel)` */
export const axesText = (axes: readonly string[]): string => `(${axes.join(', ')})`;

/** Five digits, for what was fitted: `1.0500`. */
export const fittedText = (value: number): string => value.toPrecision(5);

/** As many digits as an error deserves: `0.0312`. */
export const errorText = (value: number): string => Number(value.toPrecision(3)).toString();

/** `, which leaves a max abs error of 1.2e-5 of 0.049` */
export const leavesText = (left: Distance, error: Distance): string =>
  `, which leaves a max abs error of ${errorText(left.maxAbs)} of ${errorText(error.maxAbs)}`;

/** `1 frame`, `3 frames` */
export const countText = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
