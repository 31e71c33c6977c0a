import { sizeOf, valuesOf, type Tensor } from '../tensor';
import type { Decider } from './rule';

/** A tensor's decisions: `values[i]` is what decision `i` chose, as text so that large whole numbers are not rounded. */
export type Choices = readonly string[];

/** The flat index of the value that stands for alternative `choice` in row `row`. */
export type Place = (row: number, choice: number) => number;

/** Rows of a tensor along the axis of the alternatives. */
interface Rows {
  readonly numRows: number;
  readonly numChoices: number;
  readonly place: Place;
}

export function rowsOf(shape: readonly number[], axis: number): Rows {
  const numChoices = shape[axis]!;
  /** Distance between two alternatives of a row. */
  const stride = sizeOf(shape.slice(axis + 1));
  const place: Place = (row, choice) => Math.floor(row / stride) * stride * numChoices + (row % stride) + choice * stride;
  return { numRows: numChoices === 0 ? 0 : sizeOf(shape) / numChoices, numChoices, place };
}

/** Places of a ranking in each row. */
export const placesOf = ({ top }: Pick<Decider, 'top'>, numChoices: number): number => Math.min(top, numChoices);

/** All decisions of a tensor. Of a ranking: the places of one row after the other. */
export function choicesOf(tensor: Tensor, decider: Decider): Choices {
  const { kind, axis, threshold } = decider;
  const { data, shape } = tensor;
  if (kind === 'threshold') return Array.from(data, (value) => (Number.isNaN(value) ? 'NaN' : value > threshold ? '1' : '0'));
  if (axis === null) return Array.from(valuesOf(tensor), String);
  const { numRows, numChoices, place } = rowsOf(shape, axis);
  const rows = Array.from({ length: numRows }, (_, row) => row);
  if (kind === 'class') return rows.map((row) => String(greatest(data, row, numChoices, place)));
  const items = Array.from({ length: numChoices }, (_, item) => item);
  return rows.flatMap((row) => {
    const valueAt = (item: number): number => data[place(row, item)]!;
    const hasNaN = items.some((item) => Number.isNaN(valueAt(item)));
    // Equal values keep the order of their indices.
    const order = items.toSorted((a, b) => valueAt(b) - valueAt(a) || a - b).slice(0, placesOf(decider, numChoices));
    return order.map((item) => (hasNaN ? 'NaN' : String(item)));
  });
}

/** The first greatest value; NaN if a value is NaN. */
function greatest(data: Float32Array, row: number, numChoices: number, place: Place): number {
  let best = 0;
  for (let choice = 0; choice < numChoices; choice++) {
    const value = data[place(row, choice)]!;
    if (Number.isNaN(value)) return NaN;
    if (value > data[place(row, best)]!) best = choice;
  }
  return best;
}

/** Indices of the decisions that differ. */
export function differing(ours: Choices, theirs: Choices): number[] {
  return theirs.flatMap((choice, index) => (choice === ours[index] ? [] : [index]));
}
