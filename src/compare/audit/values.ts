/** How two tensors of weights relate, found out from their values. */
import { permutationsThatFit, stridesOf, transpose } from '../align';
import { pushTo } from './pushTo';
import { isScaled } from './scaled';
import type { Rounding } from './statistics';
import { isSameShape, roundingBetween, squeezed, type AuditTensor } from './tensors';

/** What a tensor of the checkpoint must undergo to be the one of the graph. */
export type Relation =
  /** Nothing, but for rounding to a smaller type. */
  | { readonly kind: 'same'; readonly isRounded: boolean }
  /** The same values in the same order under another shape, and not only with other axes of size 1. */
  | { readonly kind: 'reshaped' }
  /** Axis `k` of the graph's tensor is axis `order[k]` of the checkpoint's; axes of size 1 are left out on both sides. */
  | { readonly kind: 'permuted'; readonly order: readonly number[] }
  /** Block `k` of the graph's rows is block `order[k]` of the checkpoint's, along the first axis. */
  | { readonly kind: 'reordered'; readonly order: readonly number[] }
  /** `maxAbs` is NaN where only one side is not finite; `isScaled` where each row is a multiple of its counterpart. */
  | { readonly kind: 'differs'; readonly maxAbs: number; readonly isScaled: boolean }
  | { readonly kind: 'shape' }
  /** One side has no numbers, and the bytes are not the same. */
  | { readonly kind: 'unknown' };

/** Of more axes there are too many orders to try. */
const MAX_AXES = 5;

/** How `graph` comes from `checkpoint`. */
export function relate(graph: AuditTensor, checkpoint: AuditTensor): Relation {
  const sameShape = isSameShape(graph.shape, checkpoint.shape);
  const ours = graph.values();
  const theirs = checkpoint.values();
  if (!ours || !theirs) {
    return graph.sha256 === checkpoint.sha256 ? { kind: 'same', isRounded: false } : { kind: 'unknown' };
  }
  if (ours.length !== theirs.length) return { kind: 'shape' };
  const rounding = roundingBetween(graph, checkpoint);
  if (sameValues(ours, theirs, rounding)) {
    return sameShape ? { kind: 'same', isRounded: rounding.relative > 0 } : { kind: 'reshaped' };
  }
  const order = permutationOf(graph.shape, ours, checkpoint.shape, theirs, rounding);
  if (order) return { kind: 'permuted', order };
  if (!sameShape) return { kind: 'shape' };
  const rows = rowOrder(ours, theirs, graph.shape.find((size) => size !== 1) ?? 1);
  return rows
    ? { kind: 'reordered', order: inBlocks(rows) }
    : { kind: 'differs', maxAbs: greatestDifference(ours, theirs), isScaled: isScaled(graph, checkpoint) };
}

/** Whether `graph` holds the values of `checkpoint`, in whatever order was found. */
export const hasSameValues = ({ kind }: Relation): boolean =>
  kind === 'same' || kind === 'reshaped' || kind === 'permuted' || kind === 'reordered';

/** Whether two values each are the same or rounded; NaN is the same as NaN. */
export function sameValues(ours: Float32Array, theirs: Float32Array, { relative, absolute }: Rounding): boolean {
  if (ours.length !== theirs.length) return false;
  for (let index = 0; index < ours.length; index++) {
    const [a, b] = [ours[index]!, theirs[index]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    // As what must hold, so that a NaN on one side does not pass.
    if (!(Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b)) + absolute)) return false;
  }
  return true;
}

/** The order of the checkpoint's axes that makes them the graph's, without axes of size 1; null where there is none. */
function permutationOf(
  ourShape: readonly number[],
  ours: Float32Array,
  theirShape: readonly number[],
  theirs: Float32Array,
  rounding: Rounding,
): number[] | null {
  const theirAxes = theirShape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const from = squeezed(theirShape);
  if (from.length > MAX_AXES) return null;
  for (const order of permutationsThatFit(from, squeezed(ourShape))) {
    if (order.every((axis, position) => axis === position)) continue;
    if (!firstValuesFit(ours, theirs, from, order, rounding)) continue;
    if (sameValues(ours, transpose({ shape: from, data: theirs }, order).data, rounding)) {
      return order.map((axis) => theirAxes[axis]!);
    }
  }
  return null;
}

/** Whether the values along the last of our axes fit: tells most wrong orders without transposing everything. */
function firstValuesFit(
  ours: Float32Array,
  theirs: Float32Array,
  from: readonly number[],
  order: readonly number[],
  rounding: Rounding,
): boolean {
  const last = order.at(-1)!;
  const stride = stridesOf(from)[last]!;
  const row = Float32Array.from({ length: from[last]! }, (_, index) => theirs[index * stride]!);
  return sameValues(ours.subarray(0, row.length), row, rounding);
}

/** For each of our rows the place of the same bytes among theirs; null where they are not the same rows. */
function rowOrder(ours: Float32Array, theirs: Float32Array, numRows: number): number[] | null {
  const keys = rowKeys(theirs, numRows);
  const places = new Map<string, number[]>();
  // From the end, so that equal rows are taken in their order.
  for (let row = numRows - 1; row >= 0; row--) pushTo(places, keys[row]!, row);
  const order: number[] = [];
  for (const key of rowKeys(ours, numRows)) {
    const place = places.get(key)?.pop();
    if (place === undefined) return null;
    order.push(place);
  }
  return order;
}

/** Each row's bytes as text, which a map can be asked for: every byte is another character in Latin-1. */
function rowKeys(values: Float32Array, numRows: number): string[] {
  const decoder = new TextDecoder('latin1');
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const rowBytes = bytes.length / numRows;
  return Array.from({ length: numRows }, (_, row) => decoder.decode(bytes.subarray(row * rowBytes, (row + 1) * rowBytes)));
}

/** The same order by blocks of as many rows as stay together: of 512 rows in 4 blocks, 4 numbers. */
function inBlocks(order: readonly number[]): number[] {
  let size = order.findIndex((place, row) => row > 0 && place !== order[row - 1]! + 1);
  if (size === -1) size = order.length;
  while (size > 1 && !staysTogether(order, size)) size--;
  return Array.from({ length: order.length / size }, (_, block) => order[block * size]! / size);
}

const staysTogether = (order: readonly number[], size: number): boolean =>
  order.length % size === 0 &&
  order.every((place, row) => (row % size === 0 ? place % size === 0 : place === order[row - 1]! + 1));

/** Greatest absolute difference; NaN where only one of two values is NaN, or infinities differ. */
export function greatestDifference(ours: Float32Array, theirs: Float32Array): number {
  let greatest = 0;
  for (let index = 0; index < ours.length; index++) {
    const [a, b] = [ours[index]!, theirs[index]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    greatest = Math.max(greatest, Math.abs(a - b));
  }
  return greatest;
}
