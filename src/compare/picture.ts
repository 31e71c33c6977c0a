import { VoxlaneError } from '../util/errors';
import { shapeText, type Tensor } from './tensor';

/** Two sides of a comparison. */
export type Pair = 'golden-wasm' | 'golden-webgpu' | 'golden-kernels' | 'wasm-webgpu';

/** Data to draw one stage in the panel, reduced to a size that a screen can show. */
export interface StagePicture {
  /** Maximum absolute error per cell, axes (row, column); NaN if a value is not finite and the other side differs. */
  readonly heat: Float32Array;
  /** Number of rows of `heat`. */
  readonly rows: number;
  /** Number of columns of `heat`: the time axis if the stage has frames, else the last axis. */
  readonly columns: number;
  /** Name of the axis along the rows, such as `channel`; empty if there is none. */
  readonly rowAxis: string;
  /** Name of the axis along the columns, such as `frame`. */
  readonly columnAxis: string;
  /** Size of the row axis before the reduction. */
  readonly rowSize: number;
  /** Size of the column axis before the reduction. */
  readonly columnSize: number;
  /** Maximum finite value of `heat`; 0 if there is none. */
  readonly maxError: number;
  /**
   * Histogram of errors, with four bins per decade from `10 ** minExponent` to `10 ** maxExponent`. Errors of 0 are counted
   * in `zeros`; non-finite errors are not counted.
   */
  readonly histogram: {
    /** Errors in each bin, axes (bin). */
    readonly counts: Uint32Array;
    /** Power of ten at which the first bin starts. */
    readonly minExponent: number;
    /** Power of ten at which the last bin ends. */
    readonly maxExponent: number;
    /** Number of values without error. */
    readonly zeros: number;
  };
  /**
   * Both sides along the row axis, at one column. If there is only one row, as in an embedding, along the columns instead.
   * As long as that axis, but at most `maxColumns`: longer slices are reduced to the worst value of each group of
   * neighbors.
   */
  readonly slice: {
    /** Index of the column, before the reduction. */
    readonly column: number;
    /** Values of the first side, axes (row). */
    readonly left: Float32Array;
    /** Values of the other side, axes (row). */
    readonly right: Float32Array;
  };
  /** Time of the columns in seconds; null without a time axis. */
  readonly time: {
    /** Center of the first column's frame. */
    readonly startSeconds: number;
    /** Time from one frame to the next. */
    readonly stepSeconds: number;
  } | null;
}

/** Resolution of {@link StagePicture.histogram}. */
export const BINS_PER_DECADE = 4;
/** Smaller errors count in the lowest bin: they are below the accuracy of any float32 computation. */
const MIN_EXPONENT = -12;
/** Above every difference of two float32 numbers. */
const GREATEST_EXPONENT = 39;
const MAX_FLOAT32 = 3.4028234663852886e38;
/** Time axes, the preferred one first. */
const TIME_AXES = ['frame', 'sample'] as const;

/** What to draw, and its size. */
export interface PictureOptions {
  /** Index along the column axis that the slice shows; by default the position of the maximum error. */
  readonly column?: number;
  /** Maximum size of the heatmap; longer axes are reduced. */
  readonly maxRows: number;
  readonly maxColumns: number;
  /** Time of the column axis. Ignored if that axis is not a time axis. */
  readonly time: StagePicture['time'];
}

/** One axis of a row-major tensor. */
interface Axis {
  readonly name: string;
  readonly size: number;
  /** Values from one index to the next. */
  readonly stride: number;
}

/**
 * Reduces the difference of two tensors to a heatmap, a histogram and a slice.
 *
 * Columns are the axis `frame`, else `sample`, else the last one; rows are the largest of the others. A cell shows the
 * maximum error of its values, over all remaining axes.
 *
 * @param axes name of each axis of both tensors
 * @throws VoxlaneError `model-output` if the two have different shapes or no values
 */
export function drawPicture(left: Tensor, right: Tensor, axes: readonly string[], options: PictureOptions): StagePicture {
  if (left.data.length === 0 || shapeText(left.shape) !== shapeText(right.shape)) throw notDrawable(left, right);
  const { column, row } = chooseAxes(left.shape, axes);
  const rows = Math.min(row.size, options.maxRows);
  const columns = Math.min(column.size, options.maxColumns);
  const rowCells = cellsOf(row.size, rows);
  const columnCells = cellsOf(column.size, columns);

  const heat = new Float32Array(rows * columns);
  const worst = new Float64Array(column.size).fill(-1);
  const worstAt = new Uint32Array(column.size);
  const histogram = new Histogram();
  for (let i = 0; i < left.data.length; i++) {
    const error = errorAt(left, right, i);
    const columnIndex = indexAlong(column, i);
    const cell = rowCells[indexAlong(row, i)]! * columns + columnCells[columnIndex]!;
    // Keeps NaN on either side.
    heat[cell] = Math.max(heat[cell]!, error);
    histogram.add(error);
    const badness = Number.isNaN(error) ? Infinity : error;
    if (badness > worst[columnIndex]!) {
      worst[columnIndex] = badness;
      worstAt[columnIndex] = i;
    }
  }

  const shown = clampIndex(options.column ?? indexOfGreatest(worst), column.size);
  const along = row.size > 1 ? row : column;
  const isTime = TIME_AXES.some((name) => name === column.name);
  return {
    heat,
    rows,
    columns,
    rowAxis: row.name,
    columnAxis: column.name,
    rowSize: row.size,
    columnSize: column.size,
    maxError: heat.reduce((greatest, error) => (error > greatest ? error : greatest), 0),
    histogram: histogram.trimmed(),
    slice: { column: shown, ...sliceThrough(left, right, worstAt[shown]!, along, options.maxColumns) },
    time: isTime ? options.time : null,
  };
}

function chooseAxes(shape: readonly number[], names: readonly string[]): { column: Axis; row: Axis } {
  const axes = shape.map((size, index): Axis => {
    const stride = shape.slice(index + 1).reduce((product, inner) => product * inner, 1);
    return { name: names[index] ?? '', size, stride };
  });
  const none: Axis = { name: '', size: 1, stride: 1 };
  const time = TIME_AXES.map((name) => axes.find((axis) => axis.name === name)).find((axis) => axis !== undefined);
  const column = time ?? axes.at(-1) ?? none;
  const others = axes.filter((axis) => axis !== column);
  // If sizes are equal, take the inner axis: the outer one is usually a batch.
  const row = others.reduce((largest, axis) => (axis.size >= largest.size ? axis : largest), none);
  return { column, row };
}

const indexAlong = ({ stride, size }: Axis, flat: number): number => Math.floor(flat / stride) % size;

/** Precomputes the cell of each index, to avoid divisions in the loop over all values. */
const cellsOf = (size: number, cells: number): Uint32Array =>
  Uint32Array.from({ length: size }, (_, index) => Math.floor((index * cells) / size));

/** Absolute difference; 0 for equal values, NaN if a value is not finite and the other differs. */
function errorAt(left: Tensor, right: Tensor, index: number): number {
  const [ours, theirs] = [left.data[index]!, right.data[index]!];
  if (Object.is(ours, theirs)) return 0;
  if (!Number.isFinite(ours) || !Number.isFinite(theirs)) return NaN;
  // The heatmap is float32, and the difference of its two extreme numbers would be infinite there.
  return Math.min(MAX_FLOAT32, Math.abs(ours - theirs));
}

const clampIndex = (index: number, size: number): number => Math.min(size - 1, Math.max(0, Math.round(index)));

const indexOfGreatest = (values: Float64Array): number =>
  values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);

/** Both sides along `axis` through the value at `flat`. */
function sliceThrough(
  left: Tensor,
  right: Tensor,
  flat: number,
  axis: Axis,
  maxLength: number,
): { left: Float32Array; right: Float32Array } {
  const start = flat - indexAlong(axis, flat) * axis.stride;
  const cells = cellsOf(axis.size, Math.min(axis.size, maxLength));
  const chosen: number[] = [];
  const chosenError: number[] = [];
  for (let index = 0; index < axis.size; index++) {
    const at = start + index * axis.stride;
    const error = errorAt(left, right, at);
    const badness = Number.isNaN(error) ? Infinity : error;
    const cell = cells[index]!;
    if (badness > (chosenError[cell] ?? -1)) {
      chosen[cell] = at;
      chosenError[cell] = badness;
    }
  }
  return {
    left: Float32Array.from(chosen, (at) => left.data[at]!),
    right: Float32Array.from(chosen, (at) => right.data[at]!),
  };
}

/** Counts errors by their order of magnitude. */
class Histogram {
  readonly #counts = new Uint32Array((GREATEST_EXPONENT - MIN_EXPONENT) * BINS_PER_DECADE);
  #zeros = 0;

  add(error: number): void {
    if (error === 0) this.#zeros++;
    else if (!Number.isNaN(error)) {
      const bin = Math.floor((Math.log10(error) - MIN_EXPONENT) * BINS_PER_DECADE);
      this.#counts[Math.max(0, bin)]!++;
    }
  }

  /** Without the empty decades at both ends. */
  trimmed(): StagePicture['histogram'] {
    const zeros = this.#zeros;
    const first = this.#counts.findIndex((count) => count > 0);
    if (first < 0) return { counts: new Uint32Array(), minExponent: 0, maxExponent: 0, zeros };
    const last = this.#counts.findLastIndex((count) => count > 0);
    const from = Math.floor(first / BINS_PER_DECADE);
    const to = Math.floor(last / BINS_PER_DECADE) + 1;
    return {
      counts: this.#counts.slice(from * BINS_PER_DECADE, to * BINS_PER_DECADE),
      minExponent: MIN_EXPONENT + from,
      maxExponent: MIN_EXPONENT + to,
      zeros,
    };
  }
}

function notDrawable(left: Tensor, right: Tensor): VoxlaneError {
  return new VoxlaneError({
    code: 'model-output',
    problem: `Tensors of shape ${shapeText(left.shape)} and ${shapeText(right.shape)} cannot be drawn against each other`,
    expected: 'the same shape on both sides, and at least one value',
    remedy: 'Fix the shape first: the causes of the stage show which axes differ',
  });
}
