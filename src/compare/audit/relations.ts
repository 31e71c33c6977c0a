/** Weights that another layer's factors were multiplied into, as exporters fold a batch norm into a convolution. */
import { permutationsThatFit, stridesOf, transpose } from '../align';
import type { AuditEntry } from '../report';
import { sizeOf } from '../tensor';
import { type AuditTensor, isConstant, isSameShape, pushTo, type Rounding, roundingBetween, squeezed } from './tensors';

/**
 * Share of a row's greatest value that a multiple of it may be off by: the factor is rounded once and each product
 * again, by 2^-24 of itself, and frameworks divide by a square root that is off by as much.
 */
const MULTIPLE_ERROR = 1e-5;
/** Of fewer values, many a row is a multiple of another. */
const MIN_ROW_VALUES = 3;

/** The rows of a tensor: the values of one index of its first axis. */
interface Rows {
  readonly index: number;
  readonly tensor: AuditTensor;
  readonly first: Float32Array;
}

/**
 * For each of the weights of a graph at `ours` the first weight of the checkpoint at `theirs` of which each of its rows
 * is a multiple.
 */
export function findScaled(
  graph: readonly AuditTensor[],
  ours: readonly number[],
  checkpoint: readonly AuditTensor[],
  theirs: readonly number[],
): Map<number, number> {
  const candidates = theirs.flatMap((index) => rowsOf(checkpoint[index]!, index) ?? []);
  const found = new Map<number, number>();
  for (const index of ours) {
    const rows = rowsOf(graph[index]!, index);
    // The first rows tell most apart, without all values of the others being converted.
    const other = candidates.find(
      ({ tensor, first }) => rows && isMultiple(rows.first, first) && isScaled(rows.tensor, tensor),
    );
    if (other) found.set(index, other.index);
  }
  return found;
}

/** Whether each row of `graph` is a multiple of the one of `checkpoint`. */
export function isScaled(graph: AuditTensor, checkpoint: AuditTensor): boolean {
  if (!isSameShape(graph.shape, checkpoint.shape)) return false;
  const length = rowLength(graph);
  const ours = graph.values();
  const theirs = checkpoint.values();
  if (!ours || !theirs || length === null || rowLength(checkpoint) !== length) return false;
  for (let start = 0; start < ours.length; start += length) {
    if (!isMultiple(ours.subarray(start, start + length), theirs.subarray(start, start + length))) return false;
  }
  return true;
}

function rowsOf(tensor: AuditTensor, index: number): Rows | null {
  const length = rowLength(tensor);
  const values = length === null ? null : tensor.values();
  return values && { index, tensor, first: values.slice(0, length ?? 0) };
}

/** Null where rows are too few or too short to prove anything. */
function rowLength({ shape, statistics }: AuditTensor): number | null {
  const [numRows = 1] = shape;
  const length = sizeOf(shape) / numRows;
  if (!statistics || isConstant(statistics) || numRows < 2 || length < MIN_ROW_VALUES) return null;
  return length;
}

function isMultiple(ours: Float32Array, theirs: Float32Array): boolean {
  if (ours.length !== theirs.length) return false;
  let greatest = 0;
  theirs.forEach((value, index) => {
    if (Math.abs(value) > Math.abs(theirs[greatest]!)) greatest = index;
  });
  const factor = theirs[greatest] === 0 ? 0 : ours[greatest]! / theirs[greatest]!;
  const bound = MULTIPLE_ERROR * Math.abs(ours[greatest]!);
  return ours.every((value, index) => Math.abs(value - factor * theirs[index]!) <= bound);
}

/** How two tensors of weights relate, found out from their values. */

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

/** A tensor of a graph and a tensor of a checkpoint that are one weight, or parts of one. */
export interface Link {
  /** Place among the graph's tensors. */
  readonly graph: number;
  /** Place among the checkpoint's tensors. */
  readonly checkpoint: number;
  readonly how: NonNullable<AuditEntry['match']>['how'];
  readonly relation: Relation;
  /** Which part of the graph's tensor it is, for people; null for all of it. */
  readonly part: string | null;
  /** What there is to know about the order of the part's rows; the end of a sentence. Null where nothing is. */
  readonly note: string | null;
  /** What is wrong though the values are there; a sentence without an end about the part. */
  readonly warning: string | null;
}

/** Links as they are found: a tensor that has one on its side is left alone by what looks for more. */
export class Links {
  readonly all: Link[] = [];
  readonly #graph = new Set<number>();
  readonly #checkpoint = new Set<number>();

  add(...links: readonly Link[]): void {
    for (const link of links) {
      this.all.push(link);
      this.#graph.add(link.graph);
      this.#checkpoint.add(link.checkpoint);
    }
  }

  hasGraph(index: number): boolean {
    return this.#graph.has(index);
  }

  hasCheckpoint(index: number): boolean {
    return this.#checkpoint.has(index);
  }
}
