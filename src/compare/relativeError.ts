/** Arrays of numeric values. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array;

/** Errors relative to the spread of the golden values. */
interface RelativeErrors {
  /**
   * Maximum root mean square of the error in one group of values, relative to the spread of the group; 0 without an error.
   */
  readonly relative: number;
  /**
   * Maximum error of one value, relative to the spread of its group or to its distance from the mean, whichever is greater.
   */
  readonly maxRelative: number;
}

/**
 * Minimum spread, as a share of the root mean square. With the default `rtol` of 1e-4, it allows an error of 1e-6 of the
 * magnitude. That is 16 roundings of float32 (2^-24 each): the sum of a large offset and a small signal has such errors.
 */
export const FLOAT32_SHARE = 0.01;
/** Minimum spread for constant values: errors of 2e-5, twice what rounding reaches in the bundled models. */
const CONSTANT_SHARE = 0.2;
/** Values count as constant if their standard deviation is at most 16 roundings of float32. */
const CONSTANT = 16 * 2 ** -24;

/** Share of the values that are judged without the outliers. */
const BULK = 0.99;
/**
 * Minimum spread of the bulk, as a share of the standard deviation of all values. A float32 transform of a pure tone has
 * errors of 2e-6 of the root mean square in all values, most of which should be zero.
 */
const BULK_SHARE = 0.1;

/** Minimum magnitude of a fill value, such as the -1e4, -1e9 or -3.4e38 of a mask. */
const MIN_FILL = 5e3;
/** Minimum ratio of a fill value to the greatest other value. */
const FILL_GAP = 1e3;
/** Maximum number of different fill values: a sum of masks has several. */
const MAX_FILLS = 4;
/** Values within this share of each other count as one fill value: a mask may be added to other values. */
const FILL_WIDTH = 0.01;

/** Spread of zeros beside fill values: a mask is added to scores, which are of this order. */
const ZEROS_SPREAD = 1;

/** Maximum number of values to sort. For larger tensors, one of every two, three … values is used. */
const MAX_SORTED = 1 << 16;

/** Values that are judged by their own spread. */
interface Group {
  readonly mean: number;
  readonly spread: number;
}

interface Groups {
  /** Minimum magnitude of a fill value. */
  readonly fillFrom: number;
  readonly median: number;
  /** Maximum distance of a value of the bulk from the median. */
  readonly reach: number;
  /** All values except the fill values. */
  readonly all: Group;
  readonly bulk: Group;
}

/**
 * Computes errors relative to the spread of the golden values, which is their standard deviation. Neither an offset nor a
 * few large values can hide the errors of the rest, because these groups are judged separately:
 *
 * - all values except the fill values of a mask,
 * - of these, the 99 % closest to the median, whose spread counts as at least a tenth of that of the first group,
 * - fill values, each relative to itself. If all other values are zero, as in a mask before it is added, their errors are
 *   judged by {@link ZEROS_SPREAD}.
 *
 * The spread of N values counts as at least `offsetShare` or 1 / N of their root mean square, whichever is greater:
 * rounding depends on the magnitude, and the spread of few values is not their scale.
 *
 * @param difference absolute difference at an index; NaN or infinite only if the two are not equal
 */
export function relativeErrors(
  actual: Numbers,
  golden: Numbers,
  difference: (index: number) => number,
  offsetShare = FLOAT32_SHARE,
): RelativeErrors {
  const { fillFrom, median, reach, all, bulk } = groupsOf(golden, offsetShare);
  const counts = { all: 0, bulk: 0, fill: 0 };
  const squares = { all: 0, bulk: 0, fill: 0 };
  let maxRelative = 0;
  for (let i = 0; i < golden.length; i++) {
    const value = golden[i]!;
    if (!Number.isFinite(value) && Object.is(actual[i], value)) continue;
    const error = difference(i);
    if (Math.abs(value) >= fillFrom && Number.isFinite(value)) {
      const own = error / Math.abs(value);
      counts.fill++;
      squares.fill += own * own;
      if (error !== 0) maxRelative = Math.max(maxRelative, own);
      continue;
    }
    const isBulk = Math.abs(value - median) <= reach;
    counts.all++;
    squares.all += error * error;
    if (isBulk) {
      counts.bulk++;
      squares.bulk += error * error;
    }
    const { mean, spread } = isBulk ? bulk : all;
    if (error !== 0) maxRelative = Math.max(maxRelative, error / Math.max(spread, Math.abs(value - mean)));
  }
  const relativeOf = (square: number, count: number, spread: number): number => (square === 0 ? 0 : Math.sqrt(square / count) / spread);
  const relative = Math.max(
    relativeOf(squares.all, counts.all, all.spread),
    relativeOf(squares.bulk, counts.bulk, bulk.spread),
    relativeOf(squares.fill, counts.fill, 1),
  );
  return { relative, maxRelative };
}

/** Spread of most golden values: without outliers and fill values. */
export const spreadOf = (golden: Numbers): number => groupsOf(golden, FLOAT32_SHARE).bulk.spread;

function groupsOf(golden: Numbers, offsetShare: number): Groups {
  const sample = sampleOf(golden);
  const fillFrom = findFill(sample);
  const rest = fillFrom === Infinity ? sample : sample.filter((value) => Math.abs(value) < fillFrom);
  const median = rest[Math.max(0, Math.ceil(rest.length / 2) - 1)] ?? 0;
  const reach = reachOf(rest, median);
  const sums = { all: new Sums(median), bulk: new Sums(median) };
  for (const value of golden) {
    if (!(Math.abs(value) < fillFrom) || !Number.isFinite(value)) continue;
    sums.all.add(value);
    if (Math.abs(value - median) <= reach) sums.bulk.add(value);
  }
  const isOfZeros = fillFrom !== Infinity && sums.all.rms === 0;
  const all = { mean: sums.all.mean, spread: isOfZeros ? ZEROS_SPREAD : Math.max(sums.all.deviation, sums.all.floor(offsetShare)) };
  const bulk = { mean: sums.bulk.mean, spread: isOfZeros ? ZEROS_SPREAD : Math.max(sums.bulk.deviation, BULK_SHARE * sums.all.deviation, sums.bulk.floor(offsetShare)) };
  return { fillFrom, median, reach, all, bulk };
}

/** Sums of a group of values, relative to a nearby number to reduce rounding. */
class Sums {
  private count = 0;
  private sum = 0;
  private square = 0;
  private ownSquare = 0;

  constructor(private readonly near: number) {}

  add(value: number): void {
    const distance = value - this.near;
    this.count++;
    this.sum += distance;
    this.square += distance * distance;
    this.ownSquare += value * value;
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.near + this.sum / this.count;
  }

  /** Standard deviation; 0 without values. */
  get deviation(): number {
    if (this.count === 0) return 0;
    return Math.sqrt(Math.max(0, this.square / this.count - (this.sum / this.count) ** 2));
  }

  /** Root mean square; 0 without values. */
  get rms(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.ownSquare / this.count);
  }

  /** Minimum spread because of rounding. */
  floor(offsetShare: number): number {
    if (this.count === 0) return 0;
    const { rms } = this;
    const isConstant = this.deviation <= CONSTANT * rms;
    return rms * Math.max(offsetShare, 1 / this.count, isConstant ? CONSTANT_SHARE : 0);
  }
}

/** Finite values, sorted. */
function sampleOf(golden: Numbers): Float64Array {
  const step = Math.ceil(golden.length / MAX_SORTED);
  const sample = new Float64Array(golden.length === 0 ? 0 : Math.ceil(golden.length / step));
  let count = 0;
  for (let start = 0; start < golden.length; start += step) {
    // At irregular positions, because rows of the tensor repeat.
    const value = golden[Math.min(golden.length - 1, start + ((Math.imul(start, 0x9e3779b1) >>> 16) % step))]!;
    if (Number.isFinite(value)) sample[count++] = value;
  }
  return sample.subarray(0, count).sort();
}

/**
 * Minimum magnitude of the fill values among sorted values; infinite if there are none. Beside zeros, only negative values
 * are fill values: positive ones may be a spectrum, whose zeros have rounding errors.
 */
function findFill(sample: Float64Array): number {
  if (!(Math.max(-sample[0]!, sample.at(-1)!) >= MIN_FILL)) return Infinity;
  const magnitudes = sample.map(Math.abs).sort();
  const first = magnitudes.findIndex((value, index) => {
    const before = magnitudes[index - 1];
    if (before === undefined || value < MIN_FILL) return false;
    return before === 0 ? sample.at(-1) === 0 : value >= FILL_GAP * before;
  });
  if (first === -1) return Infinity;
  let numFills = 0;
  let start = 0;
  for (const value of magnitudes.subarray(first)) {
    if (value <= start * (1 + FILL_WIDTH)) continue;
    numFills++;
    start = value;
  }
  return numFills <= MAX_FILLS ? magnitudes[first]! * (1 - FILL_WIDTH) : Infinity;
}

/** The smallest distance from the median that the bulk of the sorted values does not exceed; 0 without values. */
function reachOf(sorted: Float64Array, median: number): number {
  const distances = (place: number): number => Math.abs((sorted[place] ?? median) - median);
  let first = 0;
  let last = sorted.length - 1;
  // The values farthest from the median are at the two ends.
  for (let left = sorted.length - Math.ceil(BULK * sorted.length); left > 0; left--) {
    if (distances(first) > distances(last)) first++;
    else last--;
  }
  return Math.max(distances(first), distances(last));
}
