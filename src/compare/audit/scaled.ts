/** Weights that another layer's factors were multiplied into, as exporters fold a batch norm into a convolution. */
import { sizeOf } from '../tensor';
import { isConstant } from './statistics';
import { isSameShape, type AuditTensor } from './tensors';

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
