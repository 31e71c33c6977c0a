import { type Int16Matrix, type Int16Products, isInt16, packInt16 } from '../nn/int16';
import {
  FLOAT_BYTES,
  type Matrix,
  packPanels,
  PANEL_COLUMNS,
  type Rows,
  type SequenceKernels,
  TILE_ROWS,
} from '../nn/kernels';
import type { Convolution } from '../onnx/values';
import { type FilterLayer, type InstanceNorm, type PyannetGraph, unlike } from './pyannetGraph';

/** Values per vector. */
const SINC_LANES = 4;

/** Consecutive filters that are all symmetric or all antisymmetric. */
interface Run {
  readonly symmetric: boolean;
  readonly firstColumn: number;
  readonly matrix: Matrix;
}

/**
 * A filterbank of symmetric or antisymmetric filters, such as sinc filters. Mirrored samples are added or subtracted
 * once for all filters, which halves the number of multiplications.
 */
class SincFilters {
  private readonly runs: readonly Run[];
  private readonly noOffset: number;
  private readonly numTaps: number;
  /** Length of a row of sums or differences. */
  private readonly places: number;
  /** Distance between the samples of consecutive rows in bytes. */
  private readonly step: number;
  private readonly folded: { readonly sums: number; readonly differences: number };

  /**
   * @param rowsAtOnce maximum number of rows in {@link run}
   * @throws VoxlaneError `model-invalid` for filters without symmetry
   */
  constructor(
    private readonly kernels: SequenceKernels,
    { weight, numOut, numIn, bias, taps, strides }: Convolution,
    rowsAtOnce: number,
  ) {
    const { heap } = kernels;
    this.numTaps = taps[0]!;
    if (numIn !== 1 || numOut % PANEL_COLUMNS !== 0 || this.numTaps < SINC_LANES) throw unlike('its first convolution is not a filterbank');
    const length = 2 * Math.ceil(this.numTaps / 4);
    this.places = SINC_LANES * Math.ceil(length / SINC_LANES);
    this.step = strides[0]! * FLOAT_BYTES;
    this.noOffset = heap.storeIntegers([0]);
    const filters = Array.from({ length: numOut }, (_, filter) => weight.subarray(filter * this.numTaps, (filter + 1) * this.numTaps));
    this.runs = runsOf(filters).map(({ symmetric, first, end }) => {
      const halves = new Float32Array((end - first) * length);
      filters.slice(first, end).forEach((filter, index) => { halves.set(halfOf(filter), index * length); });
      const packed = packPanels({ weight: halves, numOut: end - first, numIn: length, numTaps: 1 });
      const own = { address: heap.store(packed), bias: heap.store(bias.subarray(first, end)) };
      return { symmetric, firstColumn: first, matrix: { ...own, numColumns: end - first, length, numSegments: 1 } };
    });
    const numFloats = (rowsAtOnce + TILE_ROWS) * this.places;
    this.folded = { sums: heap.allocate(numFloats), differences: heap.allocate(numFloats) };
  }

  /**
   * @param samples address of the first row's first sample
   * @param out written: axes (row, filter), whole tiles of rows
   */
  run(samples: number, numRows: number, out: Rows): void {
    const { raw } = this.kernels;
    const { sums, differences } = this.folded;
    const stride = this.places * FLOAT_BYTES;
    raw.foldTaps({
      sums,
      differences,
      outStride: stride,
      input: samples,
      inputStride: this.step,
      rows: numRows,
      taps: this.numTaps,
      places: this.places,
    });
    for (const { symmetric, firstColumn, matrix } of this.runs) {
      this.kernels.multiply({
        out: { address: out.address + firstColumn * FLOAT_BYTES, stride: out.stride },
        input: { address: symmetric ? sums : differences, stride },
        matrix,
        offsets: this.noOffset,
        numRows,
        relu: false,
      });
    }
  }
}

/** The first half of the taps. A center tap is halved because its sample is counted twice. */
function halfOf(filter: Float32Array): Float32Array {
  const half = filter.slice(0, Math.ceil(filter.length / 2));
  if (filter.length % 2 === 1) half[half.length - 1]! /= 2;
  return half;
}

/** @throws VoxlaneError `model-invalid` if a filter has no symmetry, or if the symmetry changes within a panel */
function runsOf(filters: readonly Float32Array[]): { symmetric: boolean; first: number; end: number }[] {
  const runs: { symmetric: boolean; first: number; end: number }[] = [];
  for (const [index, filter] of filters.entries()) {
    const symmetric = filter.every((tap, place) => tap === filter.at(-1 - place));
    if (!symmetric && !filter.every((tap, place) => tap === -filter.at(-1 - place)!)) throw unlike(`filter ${index} has no symmetry`);
    const last = runs.at(-1);
    if (last?.symmetric === symmetric) last.end = index + 1;
    else runs.push({ symmetric, first: index, end: index + 1 });
  }
  if (runs.some(({ first }) => first % PANEL_COLUMNS !== 0)) throw unlike('its symmetric filters are not adjacent');
  return runs;
}

/** A convolution over rows of samples or channels. */
interface Layer extends FilterLayer {
  /** Null for the first layer, whose rows are samples. */
  readonly matrix: Matrix | Int16Matrix | null;
  readonly norm: InstanceNorm;
  /** Number of output channels. */
  readonly numChannels: number;
}

/**
 * Number of rows of the pooled map that are computed at a time. Their convolution rows and inputs stay in the
 * second-level cache.
 */
const POOLED_AT_ONCE = 16;
/** Number of rows that are summed in float32 before the sums are added in float64. */
const SUMMED_ROWS = 64;
/** Values per vector. */
const LANES = 4;

/**
 * Converts a window's samples to frames: instance norm, then layers of convolution, pooling, instance norm and leaky
 * ReLU.
 */
export class PyannetFilters {
  private readonly layers: readonly Layer[];
  private readonly sinc: SincFilters;
  private readonly waveNorm: InstanceNorm;
  private readonly noOffset: number;
  private readonly convolved: number;
  private readonly factors: { readonly scale: number; readonly shift: number };
  /** Addresses; see {@link layOut}. */
  private room = { wave: 0, maps: [] as readonly number[], sums: 0, row: 0 };

  /** @throws VoxlaneError `model-invalid` for unsupported layers */
  constructor(
    private readonly kernels: SequenceKernels,
    { waveNorm, filters }: PyannetGraph,
    /** Computes all layers but the first with int16; null for float32. */
    private readonly int16: Int16Products | null,
  ) {
    const { heap } = kernels;
    this.waveNorm = waveNorm;
    this.noOffset = heap.storeIntegers([0]);
    this.layers = filters.map((layer, index) => {
      const { numOut, numIn, strides } = layer.convolution;
      const before = filters[index - 1]?.convolution.numOut;
      if (numOut % LANES !== 0 || layer.norm.scale.length !== numOut) throw unlike('the number of channels of a filter layer is not supported');
      if (before !== undefined && (before !== numIn || strides[0] !== 1)) throw unlike('a convolution skips frames or channels');
      return { ...layer, matrix: before === undefined ? null : packFilters(kernels, layer, int16 !== null), numChannels: numOut };
    });
    const rowsAtOnce = POOLED_AT_ONCE * Math.max(...filters.map(({ poolSize }) => poolSize));
    this.sinc = new SincFilters(kernels, filters[0]!.convolution, rowsAtOnce);
    this.convolved = heap.allocate((rowsAtOnce + TILE_ROWS) * wholePanels(this.widest));
    this.factors = { scale: heap.allocate(this.widest), shift: heap.allocate(this.widest) };
  }

  /** Number of channels of a frame. */
  get numChannels(): number {
    return this.layers.at(-1)!.numChannels;
  }

  /** Number of frames for `numSamples` samples; less than 1 if there are too few samples. */
  numFrames(numSamples: number): number {
    return this.sizes(numSamples).at(-1)!;
  }

  /** Allocates memory for one window of up to `maxSamples` on the heap. */
  layOut(maxSamples: number): void {
    const { heap } = this.kernels;
    const sizes = this.sizes(maxSamples);
    const numSums = (numRows: number, numChannels: number): number => Math.ceil(numRows / SUMMED_ROWS) * numChannels;
    this.room = {
      wave: heap.allocate(maxSamples + LANES),
      // The rest of a tile reads beyond the last row, but the values are not used.
      maps: this.layers.map(({ numChannels }, index) => heap.allocate((sizes[index]! + 2 * TILE_ROWS) * numChannels)),
      sums: heap.allocate(Math.max(numSums(maxSamples / LANES + 1, LANES), ...sizes.map((size) => numSums(size, this.widest)))),
      row: heap.allocate(this.widest),
    };
  }

  /**
   * @param samples of one window
   * @param out written: axes (frame, channel)
   */
  run(samples: Float32Array, out: Rows): void {
    this.setWave(samples);
    const sizes = this.sizes(samples.length);
    for (const [index, layer] of this.layers.entries()) {
      const input = index === 0 ? this.room.wave : this.room.maps[index - 1]!;
      const pooled = rowsOf(this.room.maps[index]!, layer.numChannels);
      this.filter(layer, input, sizes[index]!, pooled);
      this.normalize(layer, pooled, sizes[index]!, index === this.layers.length - 1 ? out : pooled);
    }
  }

  private get widest(): number {
    return Math.max(...this.layers.map(({ numChannels }) => numChannels));
  }

  /** Number of rows of each layer's pooled map. */
  private sizes(numSamples: number): number[] {
    let size = numSamples;
    return this.layers.map(({ convolution: { taps, strides }, poolSize }) => {
      size = Math.floor((Math.floor((size - taps[0]!) / strides[0]!) + 1) / poolSize);
      return size;
    });
  }

  /** Subtracts the first sample, then normalizes, as rows of four channels with the same mean and deviation. */
  private setWave(samples: Float32Array): void {
    const { heap, raw } = this.kernels;
    const { wave, row } = this.room;
    const numRows = Math.ceil(samples.length / LANES);
    const numPadded = numRows * LANES - samples.length;
    const values = heap.floats(wave, numRows * LANES);
    values.set(samples);
    // These become zeros when the first sample is subtracted.
    values.fill(samples[0]!, samples.length);
    const rows = rowsOf(wave, LANES);
    heap.floats(row, LANES).fill(samples[0]!);
    raw.subtractRow(rows.address, rows.stride, row, numRows, LANES);
    const mean = total(this.sums(rows, numRows, LANES)) / samples.length;
    heap.floats(row, LANES).fill(mean);
    const squares = total(this.squares(rows, numRows, LANES)) - numPadded * mean ** 2;
    const { scale, shift } = factorsOf(this.waveNorm, 0, mean, squares / samples.length);
    heap.floats(this.factors.scale, LANES).fill(scale);
    heap.floats(this.factors.shift, LANES).fill(shift);
    raw.scaleShiftLeaky({
      out: wave,
      outStride: rows.stride,
      input: wave,
      inputStride: rows.stride,
      ...this.factors,
      rows: numRows,
      channels: LANES,
      slope: 1,
    });
  }

  /** Convolution and pooling, in groups of rows. */
  private filter({ matrix, convolution, poolSize, magnitude, numChannels }: Layer, input: number, size: number, out: Rows): void {
    const { raw } = this.kernels;
    const step = convolution.strides[0]! * convolution.numIn * FLOAT_BYTES;
    const convolved = rowsOf(this.convolved, wholePanels(numChannels));
    for (let row = 0; row < size; row += POOLED_AT_ONCE) {
      const numPooled = Math.min(POOLED_AT_ONCE, size - row);
      const numRows = numPooled * poolSize;
      const from = input + row * poolSize * step;
      if (matrix && isInt16(matrix)) {
        const product = { out: convolved, input: { address: from, stride: step }, matrix, numRows, relu: false };
        this.int16!.convolve(product, step / FLOAT_BYTES);
      } else if (matrix) {
        const product = { out: convolved, input: { address: from, stride: step }, matrix, offsets: this.noOffset };
        this.kernels.multiply({ ...product, numRows, relu: false });
      } else {
        this.sinc.run(from, numRows, convolved);
      }
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
  private normalize({ norm, slope, numChannels }: Layer, rows: Rows, numRows: number, out: Rows): void {
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
function packFilters(kernels: SequenceKernels, { convolution }: FilterLayer, asInt16: boolean): Matrix | Int16Matrix {
  const { heap } = kernels;
  const { weight, bias, numIn, taps } = convolution;
  const numOut = wholePanels(convolution.numOut);
  const length = numIn * taps[0]!;
  const padded = new Float32Array(numOut * length);
  padded.set(weight);
  const biases = new Float32Array(numOut);
  biases.set(bias);
  if (asInt16) return packInt16(kernels, tapsFirst(padded, numIn, taps[0]!), numOut, biases);
  const address = heap.store(packPanels({ weight: padded, numOut, numIn, numTaps: taps[0]! }));
  return { address, bias: heap.store(biases), numColumns: numOut, length, numSegments: 1 };
}

/** Reorders the axes from (output channel, input channel, tap) to (output channel, tap, input channel). */
function tapsFirst(weight: Float32Array, numIn: number, numTaps: number): Float32Array {
  return weight.map((_, index) => {
    const channel = index % numIn;
    const tap = Math.floor(index / numIn) % numTaps;
    const out = Math.floor(index / (numIn * numTaps));
    return weight[(out * numIn + channel) * numTaps + tap]!;
  });
}
