import {
  FLOAT_BYTES,
  type Matrix,
  packPanels,
  PANEL_COLUMNS,
  type Rows,
  type SequenceKernels,
  TILE_ROWS,
} from '../nn/kernels';
import { type FilterLayer, type InstanceNorm, type PyannetGraph, unlike } from './pyannetGraph';
import { type SampleScale, SincFilters } from './pyannetSinc';

/** A convolution over rows of channels, after the filterbank. */
interface Layer extends FilterLayer {
  readonly matrix: Matrix;
  /** Number of output channels. */
  readonly numChannels: number;
}

/**
 * Number of rows of the pooled map that are computed at a time. Their convolution rows and inputs stay in the
 * second-level cache.
 */
const POOLED_AT_ONCE = 16;
/**
 * Maximum number of overlapping windows whose samples are filtered together. Eight windows of 10 s at a hop of 1 s need
 * a fifth of the filters' work, and 9 MB.
 */
const WINDOWS_AT_ONCE = 8;
/** Number of rows that are summed in float32 before the sums are added in float64. */
const SUMMED_ROWS = 64;
/** Values per vector. */
const LANES = 4;

/**
 * Converts the samples of windows to frames: instance norm, then layers of convolution, pooling, instance norm and
 * leaky ReLU.
 *
 * Windows of a batch that are a hop apart share the filtered samples of the first layer: see {@link SincFilters}.
 */
export class PyannetFilters {
  private readonly first: FilterLayer;
  private readonly sinc: SincFilters;
  private readonly layers: readonly Layer[];
  private readonly waveNorm: InstanceNorm;
  private readonly noOffset: number;
  private readonly convolved: number;
  private readonly factors: { readonly scale: number; readonly shift: number };
  /** Addresses; see {@link layOut}. */
  private room = { stretch: 0, filtered: 0, wave: 0, maps: [] as readonly number[], sums: 0, row: 0 };

  /**
   * @param hopSamples usual distance of consecutive windows; others only take longer
   * @throws VoxlaneError `model-invalid` for unsupported layers
   */
  constructor(
    private readonly kernels: SequenceKernels,
    { waveNorm, filters }: PyannetGraph,
    private readonly hopSamples: number,
  ) {
    const { heap } = kernels;
    this.waveNorm = waveNorm;
    this.noOffset = heap.storeIntegers([0]);
    const isSupported = ({ convolution: { numOut }, norm }: FilterLayer): boolean => numOut % LANES === 0 && norm.scale.length === numOut;
    if (!filters.every(isSupported)) throw unlike('the number of channels of a filter layer is not supported');
    const [first, ...others] = filters as [FilterLayer, ...FilterLayer[]];
    this.first = first;
    this.sinc = new SincFilters(kernels, first);
    this.layers = others.map((layer, index) => {
      const { numOut, numIn, strides } = layer.convolution;
      if (filters[index]!.convolution.numOut !== numIn || strides[0] !== 1) throw unlike('a convolution skips frames or channels');
      return { ...layer, matrix: packFilters(kernels, layer), numChannels: numOut };
    });
    const rowsAtOnce = POOLED_AT_ONCE * Math.max(...filters.map(({ poolSize }) => poolSize));
    this.convolved = heap.allocate((rowsAtOnce + TILE_ROWS) * wholePanels(this.widest));
    this.factors = { scale: heap.allocate(this.widest), shift: heap.allocate(this.widest) };
  }

  /** Number of channels of a frame. */
  get numChannels(): number {
    return this.all.at(-1)!.convolution.numOut;
  }

  /** Number of frames for `numSamples` samples; less than 1 if there are too few samples. */
  numFrames(numSamples: number): number {
    return this.sizes(numSamples).at(-1)!;
  }

  /** Allocates memory for batches of up to `maxWindows` windows of up to `maxSamples` on the heap. */
  layOut(maxSamples: number, maxWindows: number): void {
    const { heap } = this.kernels;
    const sizes = this.sizes(maxSamples);
    const others = (Math.min(maxWindows, WINDOWS_AT_ONCE) - 1) * (this.canShare(maxSamples) ? 1 : 0);
    const numFiltered = others * this.hopRows + sizes[0]! * this.first.poolSize;
    const numSums = (numRows: number, numChannels: number): number => Math.ceil(numRows / SUMMED_ROWS) * numChannels;
    this.room = {
      stretch: heap.allocate(maxSamples + others * this.hopSamples),
      filtered: heap.allocate(this.sinc.room(numFiltered)),
      wave: heap.allocate(maxSamples + LANES),
      // The rest of a tile reads beyond the last row, but the values are not used.
      maps: this.all.map(({ convolution }, index) => heap.allocate((sizes[index]! + 2 * TILE_ROWS) * convolution.numOut)),
      sums: heap.allocate(Math.max(numSums(maxSamples / LANES + 1, LANES), ...sizes.map((size) => numSums(size, this.widest)))),
      row: heap.allocate(this.widest),
    };
  }

  /**
   * @param windows axes (window, sample)
   * @param outOf returns the rows for a window; written: axes (frame, channel)
   */
  run(windows: Float32Array, numWindows: number, outOf: (window: number) => Rows): void {
    const { heap } = this.kernels;
    const { stretch, filtered } = this.room;
    const numSamples = windows.length / numWindows;
    const [numRows] = this.sizes(numSamples) as [number];
    for (let first = 0, count; first < numWindows; first += count) {
      count = this.countOverlapping(windows, numSamples, first);
      const samples = heap.floats(stretch, numSamples + (count - 1) * this.hopSamples);
      for (let index = 0; index < count; index++) {
        const own = windows.subarray((first + index) * numSamples, (first + index + 1) * numSamples);
        const known = index === 0 ? 0 : numSamples - this.hopSamples;
        samples.set(own.subarray(known), index * this.hopSamples + known);
      }
      this.sinc.filter(stretch, (count - 1) * this.hopRows + numRows * this.first.poolSize, filtered);
      for (let index = 0; index < count; index++) {
        const from = stretch + index * this.hopSamples * FLOAT_BYTES;
        const scale = this.scaleOf(from, numSamples);
        const { address } = this.sinc.rowsAt(filtered, index * this.hopRows);
        const pooled = this.mapRows(0);
        this.sinc.pool(from, address, scale, numRows, pooled);
        this.runLayers(numSamples, outOf(first + index));
      }
    }
  }

  private get all(): readonly FilterLayer[] {
    return [this.first, ...this.layers];
  }

  private get widest(): number {
    return Math.max(...this.all.map(({ convolution }) => convolution.numOut));
  }

  /** Number of rows of the filterbank per hop. */
  private get hopRows(): number {
    return this.hopSamples / this.first.convolution.strides[0]!;
  }

  /** Whether windows of this length overlap at whole rows of the filterbank. */
  private canShare(numSamples: number): boolean {
    return this.hopSamples < numSamples && Number.isInteger(this.hopRows);
  }

  /** Number of consecutive windows from `first` that begin with the previous window's samples after the hop. */
  private countOverlapping(windows: Float32Array, numSamples: number, first: number): number {
    if (!this.canShare(numSamples)) return 1;
    const numShared = numSamples - this.hopSamples;
    // As integers, because NaN is not equal to itself, and 0 is equal to -0.
    const bits = new Int32Array(windows.buffer, windows.byteOffset, windows.length);
    const most = Math.min(WINDOWS_AT_ONCE, windows.length / numSamples - first);
    for (let count = 1; count < most; count++) {
      const begin = (first + count) * numSamples;
      for (let index = begin; index < begin + numShared; index++) {
        if (bits[index] !== bits[index - numShared]) return count;
      }
    }
    return most;
  }

  private mapRows(index: number): Rows {
    return rowsOf(this.room.maps[index]!, this.all[index]!.convolution.numOut);
  }

  /** Number of rows of each layer's pooled map. */
  private sizes(numSamples: number): number[] {
    let size = numSamples;
    return this.all.map(({ convolution: { taps, strides }, poolSize }) => {
      size = Math.floor((Math.floor((size - taps[0]!) / strides[0]!) + 1) / poolSize);
      return size;
    });
  }

  /**
   * The instance norm of a window. Its sums are those of samples without the first one's level, as rows of four
   * channels.
   */
  private scaleOf(samples: number, numSamples: number): SampleScale {
    const { heap, raw } = this.kernels;
    const { wave, row } = this.room;
    const numRows = Math.ceil(numSamples / LANES);
    const numPadded = numRows * LANES - numSamples;
    const values = heap.floats(wave, numRows * LANES);
    values.set(heap.floats(samples, numSamples));
    const origin = values[0]!;
    // These become zeros when the first sample is subtracted.
    values.fill(origin, numSamples);
    const rows = rowsOf(wave, LANES);
    heap.floats(row, LANES).fill(origin);
    raw.subtractRow(rows.address, rows.stride, row, numRows, LANES);
    const mean = total(this.sums(rows, numRows, LANES)) / numSamples;
    heap.floats(row, LANES).fill(mean);
    const squares = total(this.squares(rows, numRows, LANES)) - numPadded * mean ** 2;
    return { origin, ...factorsOf(this.waveNorm, 0, mean, squares / numSamples) };
  }

  /** The layers after the filterbank, from the first map. */
  private runLayers(numSamples: number, out: Rows): void {
    const sizes = this.sizes(numSamples);
    this.normalize(this.first, this.mapRows(0), sizes[0]!, this.layers.length === 0 ? out : this.mapRows(0));
    for (const [index, layer] of this.layers.entries()) {
      const pooled = this.mapRows(index + 1);
      const size = sizes[index + 1]!;
      this.filter(layer, this.mapRows(index).address, size, pooled);
      this.normalize(layer, pooled, size, index === this.layers.length - 1 ? out : pooled);
    }
  }

  /** Convolution and pooling, in groups of rows. */
  private filter({ matrix, convolution, poolSize, magnitude, numChannels }: Layer, input: number, size: number, out: Rows): void {
    const { raw } = this.kernels;
    const step = convolution.strides[0]! * convolution.numIn * FLOAT_BYTES;
    const convolved = rowsOf(this.convolved, wholePanels(numChannels));
    for (let row = 0; row < size; row += POOLED_AT_ONCE) {
      const numPooled = Math.min(POOLED_AT_ONCE, size - row);
      const numRows = numPooled * poolSize;
      const from = { address: input + row * poolSize * step, stride: step };
      this.kernels.multiply({ out: convolved, input: from, matrix, offsets: this.noOffset, numRows, relu: false });
      raw.maxPool({
        out: out.address + row * out.stride,
        outStride: out.stride,
        input: convolved.address,
        inputStride: convolved.stride,
        rows: numPooled,
        size: poolSize,
        channels: numChannels,
        magnitude,
      });
    }
  }

  /** Subtracts the first row, then applies instance norm and leaky ReLU. */
  private normalize({ norm, slope, convolution: { numOut: numChannels } }: FilterLayer, rows: Rows, numRows: number, out: Rows): void {
    const { heap, raw } = this.kernels;
    const { row } = this.room;
    const { scale, shift } = this.factors;
    heap.floats(row, numChannels).set(heap.floats(rows.address, numChannels));
    raw.subtractRow(rows.address, rows.stride, row, numRows, numChannels);
    const means = this.sums(rows, numRows, numChannels).map((sum) => sum / numRows);
    heap.floats(row, numChannels).set(means);
    const [scales, shifts] = [heap.floats(scale, numChannels), heap.floats(shift, numChannels)];
    for (const [channel, squares] of this.squares(rows, numRows, numChannels).entries()) {
      const factors = factorsOf(norm, channel, means[channel]!, squares / numRows);
      scales[channel] = factors.scale;
      shifts[channel] = factors.shift;
    }
    raw.scaleShiftLeaky({
      out: out.address,
      outStride: out.stride,
      input: rows.address,
      inputStride: rows.stride,
      scale,
      shift,
      rows: numRows,
      channels: numChannels,
      slope,
    });
  }

  /** Sums over all rows, axes (channel). */
  private sums({ address, stride }: Rows, numRows: number, numChannels: number): Float64Array {
    const { sums } = this.room;
    this.kernels.raw.segmentSums(sums, address, stride, numRows, SUMMED_ROWS, numChannels);
    return this.overBlocks(numRows, numChannels);
  }

  /** Sums of squared deviations from the means in the scratch row. */
  private squares({ address, stride }: Rows, numRows: number, numChannels: number): Float64Array {
    const { sums, row } = this.room;
    for (let first = 0; first < numRows; first += SUMMED_ROWS) {
      const to = sums + (first / SUMMED_ROWS) * numChannels * FLOAT_BYTES;
      const count = Math.min(SUMMED_ROWS, numRows - first);
      this.kernels.raw.squaredDeviations(to, address + first * stride, stride, row, count, numChannels);
    }
    return this.overBlocks(numRows, numChannels);
  }

  private overBlocks(numRows: number, numChannels: number): Float64Array {
    const sums = this.kernels.heap.floats(this.room.sums, Math.ceil(numRows / SUMMED_ROWS) * numChannels);
    const totals = new Float64Array(numChannels);
    for (let index = 0; index < sums.length; index++) totals[index % numChannels]! += sums[index]!;
    return totals;
  }
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** Contiguous rows. */
const rowsOf = (address: number, numColumns: number): Rows => ({ address, stride: numColumns * FLOAT_BYTES });

/** Instance norm of a channel as scale · x + shift. */
function factorsOf(norm: InstanceNorm, channel: number, mean: number, variance: number): { scale: number; shift: number } {
  const scale = norm.scale[channel]! / Math.sqrt(variance + norm.epsilon);
  return { scale, shift: norm.shift[channel]! - mean * scale };
}

const wholePanels = (numColumns: number): number => PANEL_COLUMNS * Math.ceil(numColumns / PANEL_COLUMNS);

/**
 * Packs a convolution over contiguous rows, where the channels of all taps are contiguous. Columns of zeros fill the
 * last panel.
 */
function packFilters({ heap }: SequenceKernels, { convolution }: FilterLayer): Matrix {
  const { weight, bias, numIn, taps } = convolution;
  const numOut = wholePanels(convolution.numOut);
  const length = numIn * taps[0]!;
  const padded = new Float32Array(numOut * length);
  padded.set(weight);
  const biases = new Float32Array(numOut);
  biases.set(bias);
  const address = heap.store(packPanels({ weight: padded, numOut, numIn, numTaps: taps[0]! }));
  return { address, bias: heap.store(biases), numColumns: numOut, length, numSegments: 1 };
}
