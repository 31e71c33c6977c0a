import type { Convolution } from '../onnx/values';
import { FLOAT_BYTES } from '../wasm/heap';
import { TILE_ROWS, type Matrix, type Rows } from '../wasm/kernels';
import { packPanels, PANEL_COLUMNS } from '../wasm/packing';
import type { SequenceKernels } from '../wasm/sequence';
import { unlike } from './pyannetGraph';

/** Of a vector. */
const LANES = 4;

/** Filters side by side of which all are symmetric, or all antisymmetric. */
interface Run {
  readonly symmetric: boolean;
  readonly firstColumn: number;
  readonly matrix: Matrix;
}

/**
 * A filterbank whose filters are their own mirror images, or the negatives of these, as sinc filters are: samples are
 * added to, or taken from, their mirror images once for all filters, and half of the multiplications remain.
 */
export class SincFilters {
  private readonly runs: readonly Run[];
  private readonly noOffset: number;
  private readonly numTaps: number;
  /** Of a row of sums or differences. */
  private readonly places: number;
  /** Bytes from a row's samples to the next row's. */
  private readonly step: number;
  private readonly folded: { readonly sums: number; readonly differences: number };

  /**
   * @param rowsAtOnce at most, of {@link run}
   * @throws VoxlaneError `model-invalid` for filters without symmetry
   */
  constructor(
    private readonly kernels: SequenceKernels,
    { weight, numOut, numIn, bias, taps, strides }: Convolution,
    rowsAtOnce: number,
  ) {
    const { heap } = kernels;
    this.numTaps = taps[0]!;
    if (numIn !== 1 || numOut % PANEL_COLUMNS !== 0 || this.numTaps < LANES) throw unlike('its first convolution is no filterbank');
    const length = 2 * Math.ceil(this.numTaps / 4);
    this.places = LANES * Math.ceil(length / LANES);
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
    raw.foldTaps(sums, differences, stride, samples, this.step, numRows, this.numTaps, this.places);
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

/** The taps up to the middle. A tap in the middle meets its sample twice. */
function halfOf(filter: Float32Array): Float32Array {
  const half = filter.slice(0, Math.ceil(filter.length / 2));
  if (filter.length % 2 === 1) half[half.length - 1]! /= 2;
  return half;
}

/** @throws VoxlaneError `model-invalid` where a filter has no symmetry, or where it changes within a panel */
function runsOf(filters: readonly Float32Array[]): { symmetric: boolean; first: number; end: number }[] {
  const runs: { symmetric: boolean; first: number; end: number }[] = [];
  for (const [index, filter] of filters.entries()) {
    const symmetric = filter.every((tap, place) => tap === filter.at(-1 - place));
    if (!symmetric && !filter.every((tap, place) => tap === -filter.at(-1 - place)!)) throw unlike(`its filter ${index} has no symmetry`);
    const last = runs.at(-1);
    if (last?.symmetric === symmetric) last.end = index + 1;
    else runs.push({ symmetric, first: index, end: index + 1 });
  }
  if (runs.some(({ first }) => first % PANEL_COLUMNS !== 0)) throw unlike('its symmetric filters are not together');
  return runs;
}
