/** Relations between weight tensors of a graph and of a checkpoint. */
import { permutationsThatFit, stridesOf, transpose } from '../align';
import type { AuditEntry } from '../report';
import { sizeOf } from '../tensor';
import { type AuditTensor, isConstant, isSameShape, pushTo, type Rounding, roundingBetween, squeezed } from './tensors';

/**
 * Allowed error of a multiple, relative to the row's greatest value. The factor and each product are rounded by a relative
 * 2^-24, and frameworks divide by a square root with the same error.
 */
const MULTIPLE_ERROR = 1e-5;
/** With fewer values, rows are often multiples of each other by chance. */
const MIN_ROW_VALUES = 3;

/** The rows of a tensor: the values at each index of its first axis. */
interface Rows {
  readonly index: number;
  readonly tensor: AuditTensor;
  readonly first: Float32Array;
}

/** Finds, for each graph weight at `ours`, the first checkpoint weight at `theirs` whose rows are multiples of its rows. */
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
    // The first rows exclude most candidates without converting all of their values.
    const other = candidates.find(
      ({ tensor, first }) => rows && isMultiple(rows.first, first) && isScaled(rows.tensor, tensor),
    );
    if (other) found.set(index, other.index);
  }
  return found;
}

/** True if each row of `graph` is a multiple of the same row of `checkpoint`. */
function isScaled(graph: AuditTensor, checkpoint: AuditTensor): boolean {
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

/** Null if rows are too few or too short as evidence. */
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

/** How a checkpoint tensor must change to become the graph tensor. */
export type Relation =
  /** No change except rounding to a smaller type. */
  | { readonly kind: 'same'; readonly isRounded: boolean }
  /** The same values in the same order with another shape; shapes that differ only in axes of size 1 are `same`. */
  | { readonly kind: 'reshaped' }
  /**
   * Axis `k` of the graph tensor is axis `order[k]` of the checkpoint tensor; axes of size 1 are left out on both sides.
   */
  | { readonly kind: 'permuted'; readonly order: readonly number[] }
  /** Block `k` of the graph's rows is block `order[k]` of the checkpoint's, along the first axis. */
  | { readonly kind: 'reordered'; readonly order: readonly number[] }
  /** `maxAbs` is NaN if only one side is not finite; `isScaled` is true if each row is a multiple of its counterpart. */
  | { readonly kind: 'differs'; readonly maxAbs: number; readonly isScaled: boolean }
  | { readonly kind: 'shape' }
  /** One side has no numbers, and the bytes differ. */
  | { readonly kind: 'unknown' };

/** More axes have too many orders to try. */
const MAX_AXES = 5;

/** Determines how `graph` relates to `checkpoint`. */
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

/** True if `graph` has the values of `checkpoint`, in any detected order. */
export const hasSameValues = ({ kind }: Relation): boolean =>
  kind === 'same' || kind === 'reshaped' || kind === 'permuted' || kind === 'reordered';

/** True if all values are equal or rounded; NaN equals NaN. */
export function sameValues(ours: Float32Array, theirs: Float32Array, { relative, absolute }: Rounding): boolean {
  if (ours.length !== theirs.length) return false;
  for (let index = 0; index < ours.length; index++) {
    const [a, b] = [ours[index]!, theirs[index]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    // Stated positively, so a NaN on one side fails.
    if (!(Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b)) + absolute)) return false;
  }
  return true;
}

/**
 * The axis order that converts the checkpoint tensor to the graph tensor, without axes of size 1; null if there is none.
 */
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

/** Compares the values along our last axis. This excludes most wrong orders without a full transposition. */
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

/** For each of our rows, the index of the row with equal bytes among theirs; null if the rows differ. */
function rowOrder(ours: Float32Array, theirs: Float32Array, numRows: number): number[] | null {
  const keys = rowKeys(theirs, numRows);
  const places = new Map<string, number[]>();
  // From the end, to assign equal rows in their order.
  for (let row = numRows - 1; row >= 0; row--) pushTo(places, keys[row]!, row);
  const order: number[] = [];
  for (const key of rowKeys(ours, numRows)) {
    const place = places.get(key)?.pop();
    if (place === undefined) return null;
    order.push(place);
  }
  return order;
}

/** The bytes of each row as a string, for use as a map key: Latin-1 maps each byte to a different character. */
function rowKeys(values: Float32Array, numRows: number): string[] {
  const decoder = new TextDecoder('latin1');
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const rowBytes = bytes.length / numRows;
  return Array.from({ length: numRows }, (_, row) => decoder.decode(bytes.subarray(row * rowBytes, (row + 1) * rowBytes)));
}

/** The same order in blocks of rows that stay together: 512 rows in 4 blocks need 4 numbers. */
function inBlocks(order: readonly number[]): number[] {
  let size = order.findIndex((place, row) => row > 0 && place !== order[row - 1]! + 1);
  if (size === -1) size = order.length;
  while (size > 1 && !staysTogether(order, size)) size--;
  return Array.from({ length: order.length / size }, (_, block) => order[block * size]! / size);
}

const staysTogether = (order: readonly number[], size: number): boolean =>
  order.length % size === 0 &&
  order.every((place, row) => (row % size === 0 ? place % size === 0 : place === order[row - 1]! + 1));

/** Maximum absolute difference; NaN if only one of two values is NaN, or if infinities differ. */
export function greatestDifference(ours: Float32Array, theirs: Float32Array): number {
  let greatest = 0;
  for (let index = 0; index < ours.length; index++) {
    const [a, b] = [ours[index]!, theirs[index]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    greatest = Math.max(greatest, Math.abs(a - b));
  }
  return greatest;
}

/** A graph tensor and a checkpoint tensor that hold the same weight or parts of it. */
export interface Link {
  /** Index among the graph's tensors. */
  readonly graph: number;
  /** Index among the checkpoint's tensors. */
  readonly checkpoint: number;
  readonly how: NonNullable<AuditEntry['match']>['how'];
  readonly relation: Relation;
  /** Label of the linked part of the graph tensor; null for the whole tensor. */
  readonly part: string | null;
  /** Remark about the row order of the part, as the end of a sentence; null if there is none. */
  readonly note: string | null;
  /** What is wrong although the values match: a clause about the part, without a period. Null if nothing is wrong. */
  readonly warning: string | null;
}

/** The links found so far. Later steps skip tensors that already have a link on their side. */
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
