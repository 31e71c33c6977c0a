import plain from 'virtual:kernels/plain';
import relaxed from 'virtual:kernels/relaxed';
import { VoxlaneError } from '../util/errors';
import { FLOAT_BYTES, Heap } from './heap';
import { PANEL_COLUMNS } from './packing';

/** `relaxed` multiplies and adds in one instruction where the processor has it; `plain` runs wherever WASM has SIMD. */
export type KernelBuild = 'relaxed' | 'plain';

/** The matrix product computes so many rows at a time: what it writes to and reads has room for a multiple of it. */
export const TILE_ROWS = 6;

/** Inputs of one pass of the matrix product: what six rows and a panel of weights take of them fits the first cache. */
const MAX_PASS_INPUTS = 512;

/** Rows of float32 in the heap. */
export interface Rows {
  /** Of the first value of row 0. */
  readonly address: number;
  /** Bytes from a row to the next. */
  readonly stride: number;
}

/** Weights as the matrix product takes them, in the heap. */
export interface Matrix {
  /** Axes (panel, segment, input, column of the panel). */
  readonly address: number;
  /** Axes (column). */
  readonly bias: number;
  readonly numColumns: number;
  /** Inputs that a column takes of each segment. */
  readonly length: number;
  /** Segments of a row's input. */
  readonly numSegments: number;
}

/** One matrix product. */
export interface Product {
  /** Written: axes (row, column of `matrix`). */
  readonly out: Rows;
  /** A row's segments begin at its address plus each of `offsets`. */
  readonly input: Rows;
  readonly matrix: Matrix;
  /** Address of an int32 for each segment: bytes. */
  readonly offsets: number;
  readonly numRows: number;
  /** Segments to leave out: the weights go on as if they were there. All are taken where it is not given. */
  readonly segments?: { readonly first: number; readonly count: number };
  /** Added to the result, axes as `out`, and may be `out`. Nothing where it is not given. */
  readonly start?: Rows;
  readonly relu: boolean;
}

/** What src/wasm/assembly/kernels.ts exports, with the docstrings there. Addresses and strides are in bytes. */
export interface KernelExports {
  gemm(
    ...parameters: [
      ...[out: number, outStride: number, input: number, inputStride: number],
      ...[offsets: number, segments: number, length: number, weights: number, panelStride: number],
      ...[tiles: number, panels: number, bias: number, start: number, startStride: number, relu: boolean],
    ]
  ): void;
  scaleShiftRelu(
    ...parameters: [
      ...[out: number, outStride: number, input: number, inputStride: number],
      ...[scale: number, shift: number, rows: number, channels: number],
    ]
  ): void;
  segmentSums(out: number, input: number, stride: number, rows: number, length: number, channels: number): void;
  squaredDeviations(out: number, input: number, stride: number, mean: number, rows: number, channels: number): void;
  gate(values: number, stride: number, gates: number, rows: number, length: number, channels: number): void;
  toWinograd(out: number, plane: number, input: number, tiles: number, channels: number): void;
  fromWinograd(
    ...parameters: [
      ...[out: number, outStride: number, products: number, plane: number, tiles: number, channels: number],
      ...[bias: number, add: number, addStride: number, relu: boolean],
    ]
  ): void;
}

/** Kernels for one network, on a heap of its own. */
export class Kernels {
  /** Zeros for each column of the widest matrix, which stand for a bias or an addition that there is not. */
  readonly zeros: number;

  /**
   * @param raw over `heap`: {@link instantiate}
   * @param maxColumns of any matrix
   */
  constructor(
    readonly heap: Heap,
    readonly raw: KernelExports,
    maxColumns: number,
  ) {
    this.zeros = heap.allocate(maxColumns);
  }

  /** out = start + bias + input · matrix, or 0 where that is negative. Writes whole tiles of rows. */
  multiply({ out, input, matrix, offsets, numRows, segments, start, relu }: Product): void {
    const { first, count } = segments ?? { first: 0, count: matrix.numSegments };
    const panelStride = matrix.numSegments * matrix.length * PANEL_COLUMNS * FLOAT_BYTES;
    const tiles = Math.ceil(numRows / TILE_ROWS);
    const panels = matrix.numColumns / PANEL_COLUMNS;
    const passes = passesOf(matrix, first, count);
    for (const [index, pass] of passes.entries()) {
      const begun = index > 0 ? out : (start ?? { address: this.zeros, stride: 0 });
      this.raw.gemm(
        out.address,
        out.stride,
        input.address + pass.begin * FLOAT_BYTES,
        input.stride,
        offsets + pass.segment * FLOAT_BYTES,
        pass.count,
        pass.length,
        matrix.address + (pass.segment * matrix.length + pass.begin) * PANEL_COLUMNS * FLOAT_BYTES,
        panelStride,
        tiles,
        panels,
        index > 0 ? this.zeros : matrix.bias,
        begun.address,
        begun.stride,
        relu && index === passes.length - 1,
      );
    }
  }
}

/** Some of the segments in whole, or the inputs of one from `begin` on. */
interface Pass {
  readonly segment: number;
  readonly count: number;
  readonly begin: number;
  readonly length: number;
}

/** All at once where the inputs are few, else each segment in pieces of about the same length. */
function passesOf({ length }: Matrix, first: number, count: number): Pass[] {
  if (count * length <= MAX_PASS_INPUTS) return [{ segment: first, count, begin: 0, length }];
  const pieces = Math.ceil(length / MAX_PASS_INPUTS);
  // The kernel takes inputs two at a time.
  const pieceLength = 2 * Math.ceil(length / pieces / 2);
  return Array.from({ length: count * pieces }, (_, index) => {
    const begin = (index % pieces) * pieceLength;
    return { segment: first + Math.floor(index / pieces), count: 1, begin, length: Math.min(pieceLength, length - begin) };
  });
}

/**
 * A build of the kernels on `heap`.
 *
 * @throws VoxlaneError `backend-unavailable` where the browser has no such SIMD
 */
export function instantiate(build: KernelBuild, heap: Heap): KernelExports {
  const bytes = build === 'relaxed' ? relaxed : plain;
  if (!WebAssembly.validate(bytes)) {
    throw new VoxlaneError({
      code: 'backend-unavailable',
      problem: `This browser's WebAssembly has not the ${build} SIMD that the kernels need`,
      remedy: 'Take a browser of 2023 or later',
    });
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: heap.memory } });
  return exports as unknown as KernelExports;
}

/** The faster build that the browser can run. */
export const bestBuild = (): KernelBuild => (WebAssembly.validate(relaxed) ? 'relaxed' : 'plain');
