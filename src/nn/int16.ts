import { FLOAT_BYTES, type Kernels, PANEL_COLUMNS, type Rows, TILE_ROWS } from './kernels';

/** Greatest magnitude of an input: `MAX_INPUT` in src/nn/assembly/int16.ts. */
export const MAX_INPUT = 8191;
const MAX_WEIGHT = 32767;
/** Sums are int32. */
const MAX_SUM = 2 ** 31 - 1;
/** Rows that are converted at a time. They stay in the second-level cache until the product has read them. */
export const ROWS_AT_ONCE = 192;
const INT16_BYTES = 2;

/** Weights on the heap, in the layout of the product of int16. */
export interface Int16Matrix {
  /** Address; axes (panel, input / 2, column of the panel, 2). */
  readonly address: number;
  /** What 1 stands for in the weights of each column. */
  readonly scales: number;
  /** Axes (column). */
  readonly bias: number;
  readonly numColumns: number;
  /** Number of inputs, a multiple of 4. */
  readonly length: number;
}

/** Rows of weights as int16. */
export interface Int16Weights {
  /** Axes (row, input). */
  readonly values: Int16Array;
  /** What 1 stands for in each row, axes (row). */
  readonly scales: Float32Array;
}

/**
 * Converts rows of weights to int16, each with the smallest scale at which neither a weight nor any sum overflows. A sum is
 * at most 8191 times the magnitudes of all weights of its row, so rows with more inputs have less precise weights.
 *
 * @param weight axes (row, input)
 */
export function toInt16(weight: Float32Array, numInputs: number): Int16Weights {
  const scales = new Float32Array(weight.length / numInputs);
  // Rounding adds up to a half to each weight.
  const maxSum = MAX_SUM - (MAX_INPUT * numInputs) / 2;
  const values = new Int16Array(weight.length);
  for (let row = 0; row < scales.length; row++) {
    const own = weight.subarray(row * numInputs, (row + 1) * numInputs);
    let [greatest, sum] = [0, 0];
    for (const value of own) {
      greatest = Math.max(greatest, Math.abs(value));
      sum += Math.abs(value);
    }
    const scale = Math.max(greatest / MAX_WEIGHT, (sum * MAX_INPUT) / maxSum);
    // The rounding of a scale to float32 could make a sum overflow.
    scales[row] = scale * (1 + 2 ** -23);
    if (scale > 0) for (const [index, value] of own.entries()) values[row * numInputs + index] = Math.round(value / scales[row]!);
  }
  return { values, scales };
}

/**
 * Stores the weights of a matrix product as int16.
 *
 * @param weight axes (column, input)
 */
export function packInt16({ heap }: Kernels, weight: Float32Array, numColumns: number, bias: ArrayLike<number>): Int16Matrix {
  const length = weight.length / numColumns;
  const { values, scales } = toInt16(weight, length);
  const packed = new Int16Array(values.length);
  for (let column = 0; column < numColumns; column++) {
    const panel = Math.floor(column / PANEL_COLUMNS) * length * PANEL_COLUMNS;
    for (let input = 0; input < length; input++) {
      const place = ((input >> 1) * PANEL_COLUMNS + (column % PANEL_COLUMNS)) * 2 + (input % 2);
      packed[panel + place] = values[column * length + input]!;
    }
  }
  return { address: storeInt16(heap, packed), scales: heap.store(scales), bias: heap.store(bias), numColumns, length };
}

/** Allocates and stores an even number of values. */
export function storeInt16(heap: Kernels['heap'], values: Int16Array): number {
  const address = heap.allocate(values.length / 2);
  new Int16Array(heap.memory.buffer, address, values.length).set(values);
  return address;
}

/** Whether a matrix product is computed from int16. */
export const isInt16 = (matrix: object): matrix is Int16Matrix => 'scales' in matrix;

/** One product of int16. */
interface Int16Product {
  /** Written: axes (row, column of `matrix`), whole tiles of 4 rows. */
  readonly out: Rows;
  /** Axes (row, input), float32. */
  readonly input: Rows;
  readonly matrix: Int16Matrix;
  readonly numRows: number;
  readonly relu: boolean;
}

/**
 * Matrix products whose inputs are converted to int16 first: twice as fast as float32, for results that need only about
 * four digits.
 */
export class Int16Products {
  private readonly values: number;
  private readonly scales: number;

  /** @param maxLength maximum number of inputs of a row */
  constructor(
    private readonly kernels: Kernels,
    maxLength: number,
  ) {
    const rows = ROWS_AT_ONCE + TILE_ROWS;
    this.values = kernels.heap.allocate((rows * maxLength) / 2);
    this.scales = kernels.heap.allocate(rows);
  }

  /** relu?(bias + input · matrix), with a scale for the inputs of each row. */
  multiply({ out, input, matrix, numRows, relu }: Int16Product): void {
    const stride = matrix.length * INT16_BYTES;
    for (let row = 0; row < numRows; row += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, numRows - row);
      this.quantize({ address: input.address + row * input.stride, stride: input.stride }, stride, count, matrix.length);
      const to = { address: out.address + row * out.stride, stride: out.stride };
      this.run(to, matrix, { stride, scaleStride: FLOAT_BYTES, numRows: count, relu });
    }
  }

  /**
   * Like {@link multiply}, for overlapping rows that share one scale: a convolution over contiguous rows. At most
   * {@link ROWS_AT_ONCE} rows, which together have at most as many values as they would have without overlap.
   *
   * @param step from a row of `input` to the next, in values, a multiple of 2
   */
  convolve({ out, input: { address }, matrix, numRows, relu }: Int16Product, step: number): void {
    const channels = (numRows - 1) * step + matrix.length;
    this.quantize({ address, stride: 0 }, 0, 1, channels);
    this.run(out, matrix, { stride: step * INT16_BYTES, scaleStride: 0, numRows, relu });
  }

  private quantize(input: Rows, outStride: number, rows: number, channels: number): void {
    const { values: out, scales } = this;
    this.kernels.raw.quantizeRows({ out, outStride, scales, input: input.address, inputStride: input.stride, rows, channels });
  }

  private run(
    out: Rows,
    { address, scales, bias, numColumns, length }: Int16Matrix,
    { stride, scaleStride, numRows, relu }: { stride: number; scaleStride: number; numRows: number; relu: boolean },
  ): void {
    this.kernels.raw.gemmInt16({
      out: out.address,
      outStride: out.stride,
      input: this.values,
      inputStride: stride,
      inputScales: this.scales,
      inputScaleStride: scaleStride,
      length,
      weights: address,
      tiles: Math.ceil(numRows / TILE_ROWS),
      panels: numColumns / PANEL_COLUMNS,
      columnScales: scales,
      bias,
      start: this.kernels.zeros,
      startStride: 0,
      relu,
    });
  }
}
