import { VoxlaneError } from '../util/errors';
import { shapeText, type Tensor } from './tensor';

/** Two sides of a comparison. */
export type Pair = 'golden-wasm' | 'golden-webgpu' | 'golden-kernels' | 'wasm-webgpu';

/** What the panel draws of one stage; everything is reduced to what a screen can show. */
export interface StagePicture {
  /** Greatest absolute error per cell, axes (row, column); NaN if a value is not finite and the other side differs. */
  readonly heat: Float32Array;
  /** Rows of `heat`. */
  readonly rows: number;
  /** Time where the stage has frames, else the last axis. */
  readonly columns: number;
  /** Names of the axes that rows and columns stand for: `channel`, `frame`; empty where there is no such axis. */
  readonly rowAxis: string;
  /** As `rowAxis`, of the columns. */
  readonly columnAxis: string;
  /** Size of those axes, before the reduction. */
  readonly rowSize: number;
  /** As `rowSize`, of the columns. */
  readonly columnSize: number;
  /** Greatest finite value of `heat`; 0 where there is none. */
  readonly maxError: number;
  /**
   * Errors by size: counts per bin, four between two powers of ten, from `10 ** minExponent` to
   * `10 ** maxExponent`. Errors of 0 are in `zeros`; what is not finite is in none.
   */
  readonly histogram: {
    /** Errors in each bin, axes (bin). */
    readonly counts: Uint32Array;
    /** Power of ten at which the first bin starts. */
    readonly minExponent: number;
    /** Power of ten at which the last bin ends. */
    readonly maxExponent: number;
    /** Values without any error. */
    readonly zeros: number;
  };
  /**
   * Both sides along the row axis, at one column; along the columns where there is but one row, as in an embedding.
   * As long as that axis, or `maxColumns` where it is longer: then each value is the worst of its neighbors.
   */
  readonly slice: {
    /** The column that it is of, before the reduction. */
    readonly column: number;
    /** Of the first side, axes (row). */
    readonly left: Float32Array;
    /** Of the other side, axes (row). */
    readonly right: Float32Array;
  };
  /** Seconds of the center of the first column's frame and from one to the next; null without a time axis. */
  readonly time: {
    /** Of the center of the first column's frame. */
    readonly startSeconds: number;
    /** From one frame to the next. */
    readonly stepSeconds: number;
  } | null;
}

/** Resolution of {@link StagePicture.histogram}. */
export const BINS_PER_DECADE = 4;
/** Errors below count into the lowest bin: no float32 computation is exact to this, and no reader cares. */
const MIN_EXPONENT = -12;
/** Above every difference of two float32 numbers. */
const GREATEST_EXPONENT = 39;
const MAX_FLOAT32 = 3.4028234663852886e38;
/** Axes that are time, most telling first. */
const TIME_AXES = ['frame', 'sample'] as const;

/** What to draw, and how large. */
export interface PictureOptions {
  /** Index along the column axis that the slice shows; by default where the error is greatest. */
  readonly column?: number;
  /** Greatest size of the heatmap; longer axes are reduced. */
  readonly maxRows: number;
  readonly maxColumns: number;
  /** Of the column axis. Not used where that axis is no time. */
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
 * Columns are the axis `frame`, else `sample`, else the last one; rows are the largest of the others; along the rest,
 * and within a cell, the greatest error counts.
 *
 * @param axes name of each axis of both
 * @throws VoxlaneError `model-output` where the two have different shapes or no values
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
    // Keeps a NaN, whichever of the two it is.
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
  // Of equal sizes the inner one: the outer is a batch more often than not.
  const row = others.reduce((largest, axis) => (axis.size >= largest.size ? axis : largest), none);
  return { column, row };
}

const indexAlong = ({ stride, size }: Axis, flat: number): number => Math.floor(flat / stride) % size;

/** The cell of each index, so that the loop over all values divides nothing. */
const cellsOf = (size: number, cells: number): Uint32Array =>
  Uint32Array.from({ length: size }, (_, index) => Math.floor((index * cells) / size));

/** Absolute difference; 0 for equal values, NaN if a value is not finite and the other differs. */
function errorAt(left: Tensor, right: Tensor, index: number): number {
  const [ours, theirs] = [left.data[index]!, right.data[index]!];
  if (Object.is(ours, theirs)) return 0;
  if (!Number.isFinite(ours) || !Number.isFinite(theirs)) return NaN;
  // The heatmap is float32, and a difference of its two greatest numbers would be infinite there.
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
    remedy: 'Mend the shape first: the causes of the stage say which axes differ',
  });
}
