import type { Convolution } from '../onnx/values';
import { VoxlaneError } from '../util/errors';

/** Geometry of the second part of CAM++, whose rows are made from several frames. */
export interface RowGeometry {
  /** Frames per row. */
  readonly stride: number;
  /** Rows of zeros between two items, enough for all taps. */
  readonly gapRows: number;
  /** Rows that share their gates. */
  readonly segmentRows: number;
}

/**
 * Geometry of a network.
 *
 * @param tdnn the convolution that makes rows from frames
 * @param reach maximum number of rows that later taps reach to either side
 * @param segmentRows rows that share their gates
 */
export function rowGeometry({ strides, pads }: Pick<Convolution, 'strides' | 'pads'>, reach: number, segmentRows: number): RowGeometry {
  const stride = strides[0]!;
  return { stride, gapRows: Math.max(reach, Math.ceil((pads[0]! + stride - 1) / stride)), segmentRows };
}

/** One speaker in the layout. Frame f of the item is at `stride · firstRow + f`. */
interface LaidOutItem {
  /** Place in the input's order. */
  readonly index: number;
  readonly numFrames: number;
  readonly firstRow: number;
  readonly numRows: number;
  readonly firstGateRow: number;
}

/** Consecutive frames of whole items. */
interface Slice {
  readonly firstFrame: number;
  readonly numFrames: number;
}

/** Items of different lengths in one sequence of rows, with gaps of zeros before, between and after them. */
export interface BatchLayout {
  /** Shortest first. */
  readonly items: readonly LaidOutItem[];
  readonly numRows: number;
  readonly numGateRows: number;
  /** Cover all frames of items. The maps of the first part are large, so they exist for one slice at a time. */
  readonly slices: readonly Slice[];
}

/** Frames of a slice, unless an item is longer or there would be too many slices. */
export const SLICE_FRAMES = 4096;
/** Limits the number of dispatches. */
export const MAX_SLICES = 12;

/** Number of rows of an item, whose first and last taps are padded. */
const rowsOf = (numFrames: number, { stride }: RowGeometry): number => Math.ceil(numFrames / stride);

/** Rows of an item and the gap after it. */
export const roomOf = (numFrames: number, geometry: RowGeometry): number => rowsOf(numFrames, geometry) + geometry.gapRows;

/**
 * Divides items into batches of similar length that fit.
 *
 * @param lengths numbers of frames
 * @returns indices of the items of each batch, shortest first
 */
export function divideItems(lengths: readonly number[], geometry: RowGeometry, maxRows: number): number[][] {
  const order = [...lengths.keys()].toSorted((a, b) => lengths[a]! - lengths[b]! || a - b);
  const batches: number[][] = [];
  let room = 0;
  for (const index of order) {
    const own = roomOf(lengths[index]!, geometry);
    room -= own;
    if (room < 0 || batches.length === 0) {
      batches.push([]);
      room = maxRows - geometry.gapRows - own;
    }
    batches.at(-1)!.push(index);
  }
  return batches;
}

/**
 * Lays a batch out.
 *
 * @param indices of the items, shortest first
 * @param maxSliceFrames maximum number of frames of a slice
 * @throws VoxlaneError `gpu-memory` if an item is longer than a slice
 */
export function layOutItems(indices: readonly number[], lengths: readonly number[], geometry: RowGeometry, maxSliceFrames: number): BatchLayout {
  const { gapRows, segmentRows } = geometry;
  const items: LaidOutItem[] = [];
  let [firstRow, firstGateRow] = [gapRows, 0];
  for (const index of indices) {
    const numFrames = lengths[index]!;
    const numRows = rowsOf(numFrames, geometry);
    items.push({ index, numFrames, firstRow, numRows, firstGateRow });
    firstRow += numRows + gapRows;
    firstGateRow += Math.ceil(numRows / segmentRows);
  }
  return { items, numRows: firstRow, numGateRows: firstGateRow, slices: slicesOf(items, geometry, maxSliceFrames) };
}

function slicesOf(items: readonly LaidOutItem[], geometry: RowGeometry, maxSliceFrames: number): Slice[] {
  const longest = Math.max(...items.map((item) => framesOf(item, item, geometry)));
  if (longest > maxSliceFrames) {
    throw new VoxlaneError({
      code: 'gpu-memory',
      problem: `An embedding of ${longest} frames exceeds the GPU's buffers`,
      expected: `at most ${maxSliceFrames} frames`,
      remedy: 'Use the backend `wasm`',
    });
  }
  for (let capacity = Math.max(SLICE_FRAMES, longest); ; capacity *= 2) {
    const slices = fill(items, geometry, Math.min(capacity, maxSliceFrames));
    if (slices.length <= MAX_SLICES || capacity >= maxSliceFrames) return slices;
  }
}

function fill(items: readonly LaidOutItem[], geometry: RowGeometry, capacity: number): Slice[] {
  const slices: Slice[] = [];
  let first = 0;
  for (let next = 1; next <= items.length; next++) {
    if (next < items.length && framesOf(items[first]!, items[next]!, geometry) <= capacity) continue;
    const [begin, end] = [items[first]!, items[next - 1]!];
    slices.push({ firstFrame: geometry.stride * (begin.firstRow - geometry.gapRows), numFrames: framesOf(begin, end, geometry) });
    first = next;
  }
  return slices;
}

/** Frames from the gap before `begin` to the gap after `end`. */
const framesOf = (begin: LaidOutItem, end: LaidOutItem, { stride, gapRows }: RowGeometry): number =>
  stride * (end.firstRow + end.numRows + gapRows - (begin.firstRow - gapRows));

/**
 * Fills the tables of the kernels.
 *
 * @param tables written: `rows`, axes (row): 0 in gaps, otherwise 1 + the row of its gates; `frames`, axes (frame): 0 in
 *   gaps, otherwise 1 + the place of the item; `stats`, axes (item, [first row, number of rows]); `gates`, axes (item, [first row, number of
 *   rows, first gate row, 0])
 */
export function fillTables(
  { items, numRows }: BatchLayout,
  { stride, segmentRows }: RowGeometry,
  { rows, frames, stats, gates }: Readonly<Record<'rows' | 'frames' | 'stats' | 'gates', Uint32Array>>,
): void {
  rows.fill(0, 0, numRows);
  frames.fill(0, 0, stride * numRows);
  for (const [place, item] of items.entries()) {
    for (let row = 0; row < item.numRows; row++) rows[item.firstRow + row] = 1 + item.firstGateRow + Math.floor(row / segmentRows);
    frames.fill(1 + place, stride * item.firstRow, stride * item.firstRow + item.numFrames);
    stats.set([item.firstRow, item.numRows], 2 * place);
    gates.set([item.firstRow, item.numRows, item.firstGateRow, 0], 4 * place);
  }
}
