import { isSoftwareInfo } from '../util/softwareAdapter';
import { destroyAll, uploadBuffer } from './buffers';
import { halfToFloat32 } from '../util/numberTypes';
import type { Own } from './context';
import { type Kernel, type KernelSource, floatBits, openKernel, type Program } from './program';
import code from './product.wgsl?raw';

/** Rows of a tile, and the number of inputs that a tile reads at a time, as in the kernel. */
const TILE_ROWS = 96;
const DEPTH = 16;
/** Columns per invocation, as in the kernel. */
const THREAD_COLUMNS = 4;
/** Columns per invocation of a wide tile, which has half as many invocations. */
const WIDE_COLUMNS = 8;
/** With fewer invocations, a wide tile would be too small for the words of the survey. */
const LEAST_WIDE_THREADS = 8;
/** Rows whose maximum is taken, as in the kernel. */
export const POOLED_ROWS = 3;

/** Values of a matrix: float32, or the bits of float16. */
export type MatrixValues = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

/** Weights in the layout of the kernel. */
export interface PackedWeights {
  /** Axes (input, column), padded with zeros. */
  readonly weights: MatrixValues;
  /** Axes (column), padded with zeros. */
  readonly bias: Float32Array<ArrayBuffer>;
  readonly numInputs: number;
  readonly numColumns: number;
  /** Invocations along the columns of a tile. */
  readonly columnThreads: number;
  /** Whether the weights are float16. Products and sums are float32. */
  readonly isHalf: boolean;
}

/**
 * Packs the weights of a product.
 *
 * @param size `isHalf`: whether the weights are float16
 * @param weightOf weight of an input for a column: its value, or the bits of a float16
 */
export function packWeights(
  { numInputs, numColumns, bias, isHalf = false }: { readonly numInputs: number; readonly numColumns: number; readonly bias: ArrayLike<number>; readonly isHalf?: boolean },
  weightOf: (input: number, column: number) => number,
): PackedWeights {
  const columnThreads = threadsFor(numColumns);
  const stride = paddedColumns(numColumns, columnThreads);
  const weights = new (isHalf ? Uint16Array : Float32Array)(Math.ceil(numInputs / DEPTH) * DEPTH * stride);
  for (let input = 0; input < numInputs; input++) {
    for (let column = 0; column < numColumns; column++) weights[input * stride + column] = weightOf(input, column);
  }
  const biases = new Float32Array(stride);
  biases.set(bias);
  return { weights, bias: biases, numInputs, numColumns, columnThreads, isHalf };
}

/** Tiles of 32, 64 or 80 columns: those with the fewest columns in total, of these the widest except 80. */
function threadsFor(numColumns: number): number {
  return [16, 20, 8].reduce((best, threads) => (paddedColumns(numColumns, threads) < paddedColumns(numColumns, best) ? threads : best));
}

function paddedColumns(numColumns: number, columnThreads: number): number {
  const tile = THREAD_COLUMNS * columnThreads;
  return Math.ceil(numColumns / tile) * tile;
}

/** Positions of rows in a buffer, in values. A row is an outer and an inner index. */
export interface RowPlaces {
  /** Position of row 0 of item 0; of an input, it may be negative if no value before the buffer is read. */
  readonly base: number;
  readonly itemStride?: number;
  readonly outerStride: number;
  readonly innerStride?: number;
}

/** One matrix product; see product.wgsl for the formula. */
interface ProductSize {
  /** Number of rows of each item, before pooling. */
  readonly numRows: number;
  readonly numItems?: number;
  /** Number of inner rows per outer row. */
  readonly innerRows?: number;
  readonly inputRows: RowPlaces;
  readonly outRows: RowPlaces;
  /** Number of adjacent inputs; default: all. */
  readonly tapLength?: number;
  /** Distance between the first inputs of consecutive taps. */
  readonly tapStride?: number;
  /** Number of channels of the factors. */
  readonly channels?: number;
  /** Maximum over three rows, of the values or of their magnitudes. */
  readonly pool?: 'values' | 'magnitudes' | undefined;
  /** Of the leaky ReLU after the product: 0 for ReLU, 1 (default) for none. */
  readonly slope?: number;
  /** Adds the earlier values of the output. */
  readonly accumulate?: boolean;
  /** Index in the table of the first outer row. */
  readonly tableBase?: number;
}

/** A product with its buffers: arrays for {@link computeProduct}, GPU buffers for {@link ProductKernels}. */
export interface ProductStep<Floats, Integers> extends ProductSize {
  readonly input: Floats;
  /** Written. */
  readonly out: Floats;
  /** Axes (item, channel, [center, scale, shift, slope]): how inputs are normalized; default: not at all. */
  readonly factors?: Floats | undefined;
  /** Axes (gate row, column): factors of the result. They require a table. */
  readonly gates?: Floats | undefined;
  /** Axes (outer row): 0 for a row between items, whose result is 0; otherwise 1 + its gate row, or with `survey`, 1 + its item. */
  readonly table?: Integers | undefined;
  /** Reports whether what this product reads is all zero. It requires a table, and no pooling. */
  readonly survey?: Survey<Integers> | undefined;
}

/** Where a product reports the maps that it reads. */
export interface Survey<Integers> {
  /**
   * Axes (item, map). Set to 1 if the map has a value other than zero that a row of the item reads. Otherwise unchanged.
   */
  readonly found: Integers;
  readonly numMaps: number;
  /** Index of the input. The next one is that of the output's earlier values, if the product accumulates. */
  readonly map: number;
}

/** Computes a product on the CPU: the reference for the kernel. product.wgsl has the formula and the layout of the rows. */
export function computeProduct(packed: PackedWeights, step: ProductStep<Float32Array, Uint32Array>): void {
  const { numInputs, numColumns } = packed;
  const { numRows, numItems = 1, innerRows = 1, inputRows, outRows, input, out, factors, gates, table, pool, slope = 1 } = step;
  const { tapLength = numInputs, tapStride = 0, channels = 1, accumulate = false, tableBase = 0, survey } = step;
  const stride = packed.bias.length;
  const weights = packed.weights instanceof Uint16Array ? halfToFloat32(new Uint8Array(packed.weights.buffer)) : packed.weights;
  const placeOf = ({ base, itemStride = 0, outerStride, innerStride = 0 }: RowPlaces, item: number, row: number): number =>
    base + item * itemStride + Math.floor(row / innerRows) * outerStride + (row % innerRows) * innerStride;
  const readAt = (item: number, row: number, k: number): number =>
    input[placeOf(inputRows, item, row) + Math.floor(k / tapLength) * tapStride + (k % tapLength)]!;
  const inputAt = (item: number, row: number, k: number): number => {
    const value = readAt(item, row, k);
    if (!factors) return value;
    const factor = 4 * (item * channels + (k % channels));
    const normalized = (value - factors[factor]!) * factors[factor + 1]! + factors[factor + 2]!;
    return Math.max(normalized, factors[factor + 3]! * normalized);
  };
  const inputs = Array.from({ length: numInputs }, (_, k) => k);
  const report = (entry: number, map: number, isNonzero: boolean): void => {
    if (survey && entry > 0 && isNonzero) survey.found[(entry - 1) * survey.numMaps + survey.map + map] = 1;
  };
  const product = (item: number, row: number): Float64Array => {
    const sums = Float64Array.from(packed.bias.subarray(0, numColumns));
    for (let k = 0; k < numInputs; k++) {
      const value = inputAt(item, row, k);
      for (let column = 0; column < numColumns; column++) sums[column]! += value * weights[k * stride + column]!;
    }
    return pool === 'magnitudes' ? sums.map(Math.abs) : sums;
  };
  for (let item = 0; item < numItems; item++) {
    for (let row = 0; row < (pool ? Math.floor(numRows / POOLED_ROWS) : numRows); row++) {
      const values = pool ? [0, 1, 2].map((part) => product(item, POOLED_ROWS * row + part)) : [product(item, row)];
      const entry = table?.[tableBase + Math.floor(row / innerRows)] ?? 1;
      const place = placeOf(outRows, item, row);
      report(entry, 0, inputs.some((k) => readAt(item, row, k) !== 0));
      report(entry, 1, accumulate && out.subarray(place, place + numColumns).some((value) => value !== 0));
      for (let column = 0; column < numColumns; column++) {
        const sum = Math.max(...values.map((own) => own[column]!)) + (accumulate ? out[place + column]! : 0);
        const gate = gates ? gates[(entry - 1) * numColumns + column]! : 1;
        out[place + column] = entry === 0 ? 0 : Math.max(sum, slope * sum) * gate;
      }
    }
  }
}

const FLAGS = { accumulate: 1, mask: 2, gate: 4, pool: 8, magnitude: 16, normalize: 32, survey: 64 } as const;

/** Weights on the GPU. */
export interface GpuWeights extends Omit<PackedWeights, 'weights' | 'bias'> {
  readonly weights: GPUBuffer;
  readonly bias: GPUBuffer;
}

/**
 * Uploads packed weights.
 *
 * @param own registers both buffers, which the caller destroys
 * @throws VoxlaneError `gpu-memory` if kernels could not bind a buffer
 */
export function uploadWeights(device: GPUDevice, label: string, packed: PackedWeights, own: Own = (part) => part): GpuWeights {
  const upload = (values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer => own(uploadBuffer(device, label, values));
  return { ...packed, weights: upload(new Uint32Array(packed.weights.buffer)), bias: upload(packed.bias) };
}

/** Weights of one kind have one kernel. */
const kindOf = ({ columnThreads, isHalf }: Pick<PackedWeights, 'columnThreads' | 'isHalf'>): string => `${columnThreads} ${isHalf}`;

/** The kernel with all constants that the products of a network need. */
export class ProductKernels {
  /** By {@link kindOf} the weights. */
  private readonly kernels = new Map<string, Kernel>();
  /** Bound in place of an absent buffer that is read. */
  private readonly none: GPUBuffer;
  /** Bound in place of an absent buffer that is written, because a buffer cannot be bound for both in one dispatch. */
  private readonly unused: GPUBuffer;

  /**
   * @param isWide whether tiles of 64 and 80 columns are wide: fewer reads of workgroup memory, but more registers than some GPUs have.
   *   Default: on software adapters, whose reads take longer than products
   */
  constructor(
    private readonly device: GPUDevice,
    private readonly isWide = isOnProcessor(device),
  ) {
    const make = (label: string): GPUBuffer => device.createBuffer({ label, size: 16, usage: GPUBufferUsage.STORAGE });
    [this.none, this.unused] = [make('none'), make('unused')];
  }

  /**
   * Compiles the kernel for products with these weights.
   *
   * @throws VoxlaneError `backend-failed`
   */
  async open({ columnThreads, isHalf }: Pick<PackedWeights, 'columnThreads' | 'isHalf'>): Promise<void> {
    const read = 'read-only-storage';
    const wideThreads = (columnThreads * THREAD_COLUMNS) / WIDE_COLUMNS;
    const isWide = this.isWide && wideThreads >= LEAST_WIDE_THREADS;
    const tile = isWide ? { COLUMN_THREADS: wideThreads, PARTS: WIDE_COLUMNS } : { COLUMN_THREADS: columnThreads, PARTS: THREAD_COLUMNS };
    const constants = { ...tile, HALVES: Number(isHalf) };
    const source: KernelSource = { label: 'product', code, buffers: [read, read, read, 'storage', read, read, read, 'storage'], constants };
    this.kernels.set(kindOf({ columnThreads, isHalf }), await openKernel(this.device, source));
  }

  /** Adds one dispatch to a program, for all rows and columns. Call {@link open} for the weights before. */
  add(program: Program, packed: GpuWeights, step: ProductStep<GPUBuffer, GPUBuffer>): void {
    const { numInputs, numColumns, columnThreads } = packed;
    const { numRows, numItems = 1, innerRows = 1, inputRows, outRows, input, out, factors, gates, table, pool, slope = 1 } = step;
    const { tapLength = numInputs, tapStride = 0, channels = 1, accumulate = false, tableBase = 0, survey } = step;
    const kernel = this.kernels.get(kindOf(packed));
    if (!kernel) throw new Error('The product kernel was not opened for these weights');
    const padded = paddedColumns(numColumns, columnThreads);
    const isOn = { accumulate, mask: table, gate: gates, pool, magnitude: pool === 'magnitudes', normalize: factors, survey };
    const flags = Object.entries(FLAGS).reduce((sum, [name, flag]) => (isOn[name as keyof typeof FLAGS] ? sum | flag : sum), 0);
    const placesOf = ({ base, itemStride = 0, outerStride, innerStride = 0 }: RowPlaces): number[] => [base, itemStride, outerStride, innerStride];
    const parameters = [
      ...[numRows, numColumns, padded, numInputs],
      ...placesOf(inputRows),
      ...[innerRows, tapLength, tapStride, channels],
      ...placesOf(outRows),
      ...[flags, floatBits(slope), tableBase, survey?.map ?? 0, survey?.numMaps ?? 0],
    ];
    const buffers = [input, packed.weights, packed.bias, out, factors ?? this.none, gates ?? this.none, table ?? this.none, survey?.found ?? this.unused];
    program.add(kernel, buffers, parameters, [padded / (THREAD_COLUMNS * columnThreads), Math.ceil(numRows / TILE_ROWS), numItems]);
  }

  /** Frees the GPU memory of this object. The weights belong to the caller. */
  destroy(): void {
    destroyAll(this.none, this.unused);
  }
}

/** Whether a device computes on the processor. False in browsers that do not report the adapter of a device. */
const isOnProcessor = ({ adapterInfo }: Partial<Pick<GPUDevice, 'adapterInfo'>>): boolean => adapterInfo !== undefined && isSoftwareInfo(adapterInfo);
