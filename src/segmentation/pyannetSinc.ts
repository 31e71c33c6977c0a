import { FLOAT_BYTES, type Matrix, packPanels, PANEL_COLUMNS, type Rows, type SequenceKernels, TILE_ROWS } from '../nn/kernels';
import type { Convolution } from '../onnx/values';
import { type FilterLayer, unlike } from './pyannetGraph';

/** Values per vector. */
const LANES = 4;
/** Number of rows that are filtered at a time. Their sums and differences stay in the second-level cache. */
const ROWS_AT_ONCE = 48;

/** Consecutive filters that are all symmetric or all antisymmetric. */
interface Run {
  readonly symmetric: boolean;
  readonly firstColumn: number;
  readonly matrix: Matrix;
}

/** Normalized samples as scale · (sample - origin) + shift. */
export interface SampleScale {
  readonly origin: number;
  readonly scale: number;
  readonly shift: number;
}

/**
 * A filterbank of symmetric or antisymmetric filters, such as sinc filters, over samples that are normalized
 * afterward.
 *
 * Mirrored samples are added or subtracted once for all filters, which halves the number of multiplications. Filters
 * are linear, so overlapping windows share the filtered samples, although each window has its own scale and shift:
 * {@link pool} applies them. For precision, each row's samples are filtered without their level, the row's center
 * sample, which is also added afterward. The values of a row depend only on its own samples.
 */
export class SincFilters {
  private readonly runs: readonly Run[];
  private readonly noOffset: number;
  private readonly numFilters: number;
  private readonly numTaps: number;
  private readonly poolSize: number;
  private readonly magnitude: boolean;
  /** Length of a row of sums or differences. */
  private readonly places: number;
  /** Distance between the samples of consecutive rows in bytes. */
  private readonly step: number;
  private readonly folded: { readonly sums: number; readonly differences: number };
  /** Addresses, axes (filter): responses to a constant, and biases. */
  private readonly constants: { readonly gains: number; readonly bias: number };

  /** @throws VoxlaneError `model-invalid` for filters without symmetry */
  constructor(
    private readonly kernels: SequenceKernels,
    { convolution, poolSize, magnitude }: FilterLayer,
  ) {
    const { weight, numOut, numIn, bias, taps, strides }: Convolution = convolution;
    const { heap } = kernels;
    this.numFilters = numOut;
    this.numTaps = taps[0]!;
    this.poolSize = poolSize;
    this.magnitude = magnitude;
    if (numIn !== 1 || numOut % PANEL_COLUMNS !== 0 || this.numTaps < LANES) throw unlike('its first convolution is not a filterbank');
    const length = 2 * Math.ceil(this.numTaps / 4);
    this.places = LANES * Math.ceil(length / LANES);
    this.step = strides[0]! * FLOAT_BYTES;
    this.noOffset = heap.storeIntegers([0]);
    const filters = Array.from({ length: numOut }, (_, filter) => weight.subarray(filter * this.numTaps, (filter + 1) * this.numTaps));
    this.runs = runsOf(filters).map(({ symmetric, first, end }) => {
      const halves = new Float32Array((end - first) * length);
      filters.slice(first, end).forEach((filter, index) => { halves.set(halfOf(filter), index * length); });
      const packed = packPanels({ weight: halves, numOut: end - first, numIn: length, numTaps: 1 });
      const own = { address: heap.store(packed), bias: kernels.zeros };
      return { symmetric, firstColumn: first, matrix: { ...own, numColumns: end - first, length, numSegments: 1 } };
    });
    this.constants = { gains: heap.store(filters.map(gainOf)), bias: heap.store(bias) };
    const numFloats = (ROWS_AT_ONCE + TILE_ROWS) * this.places;
    this.folded = { sums: heap.allocate(numFloats), differences: heap.allocate(numFloats) };
  }

  /** Number of float32 values that {@link filter} writes for `numRows` rows. */
  room(numRows: number): number {
    return (numRows + TILE_ROWS) * this.numFilters;
  }

  /**
   * Filters samples that are not normalized, without their levels.
   *
   * @param samples address of the first row's first sample
   * @param out written: axes (row, filter), whole tiles of rows
   */
  filter(samples: number, numRows: number, out: number): void {
    const { sums, differences } = this.folded;
    const stride = this.places * FLOAT_BYTES;
    for (let first = 0; first < numRows; first += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, numRows - first);
      const { address, stride: outStride } = this.rowsAt(out, first);
      this.kernels.raw.foldTaps({
        sums,
        differences,
        outStride: stride,
        input: samples + first * this.step,
        inputStride: this.step,
        rows: count,
        taps: this.numTaps,
        places: this.places,
      });
      for (const { symmetric, firstColumn, matrix } of this.runs) {
        this.kernels.multiply({
          out: { address: address + firstColumn * FLOAT_BYTES, stride: outStride },
          input: { address: symmetric ? sums : differences, stride },
          matrix,
          offsets: this.noOffset,
          numRows: count,
          relu: false,
        });
      }
    }
  }

  /**
   * Computes the pooled map of normalized samples.
   *
   * @param samples address of the first row's first sample
   * @param filtered address of the first row: see {@link filter}
   * @param numRows of `out`
   * @param out written: axes (pooled row, filter)
   */
  pool(samples: number, filtered: number, normalization: SampleScale, numRows: number, out: Rows): void {
    const { address, stride } = this.rowsAt(filtered, 0);
    this.kernels.raw.scaledMaxPool({
      out: out.address,
      outStride: out.stride,
      input: address,
      inputStride: stride,
      levels: samples + Math.floor(this.numTaps / 2) * FLOAT_BYTES,
      levelStride: this.step,
      rows: numRows,
      size: this.poolSize,
      channels: this.numFilters,
      ...this.constants,
      ...normalization,
      magnitude: this.magnitude,
    });
  }

  /** The rows of {@link filter} from row `first`. */
  rowsAt(filtered: number, first: number): Rows {
    const stride = this.numFilters * FLOAT_BYTES;
    return { address: filtered + first * stride, stride };
  }
}

/** The first half of the taps. A center tap is halved because its sample is counted twice. */
function halfOf(filter: Float32Array): Float32Array {
  const half = filter.slice(0, Math.ceil(filter.length / 2));
  if (filter.length % 2 === 1) half[half.length - 1]! /= 2;
  return half;
}

/** Response to a constant 1: the sum of the taps, exactly 0 for an antisymmetric filter. */
function gainOf(filter: Float32Array): number {
  return filter.reduce((sum, tap, place) => sum + (tap + filter.at(-1 - place)!) / 2, 0);
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
