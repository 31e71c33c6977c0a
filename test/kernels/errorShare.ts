/** Measures of the difference between two tensors. */
import type { FloatTensor } from '../../src/ort/graph';

/**
 * The greatest difference as a share of the expected spread, its greatest minus its least value. A large number for another
 * shape or NaN: not infinity, because JSON between a browser and a test has no such value.
 */
export function shareOf(actual: FloatTensor, expected: FloatTensor): number {
  if (actual.shape.join() !== expected.shape.join()) return Number.MAX_VALUE;
  let [worst, least, greatest] = [0, Infinity, -Infinity];
  for (const [i, value] of expected.data.entries()) {
    const difference = Math.abs(value - actual.data[i]!);
    // NaN is not larger than any number, but must not pass.
    worst = Number.isFinite(difference) ? Math.max(worst, difference) : Number.MAX_VALUE;
    [least, greatest] = [Math.min(least, value), Math.max(greatest, value)];
  }
  return Math.min(worst / (greatest - least), Number.MAX_VALUE);
}

/** Number of rows whose first maximum is at another place. The last axis is a row. */
export function differentRows(actual: FloatTensor, expected: FloatTensor): number {
  const size = expected.shape.at(-1)!;
  const places = ({ data }: FloatTensor): number[] =>
    Array.from({ length: data.length / size }, (_, row) => {
      const own = data.subarray(row * size, (row + 1) * size);
      return own.indexOf(Math.max(...own));
    });
  const found = places(actual);
  return places(expected).filter((place, row) => place !== found[row]).length;
}
