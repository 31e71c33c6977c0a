import plain from 'virtual:kernels/plain';
import relaxed from 'virtual:kernels/relaxed';
import { VoxlaneError } from '../util/errors';

const PAGE_BYTES = 65536;
/** Of a 32-bit memory. */
const MAX_PAGES = 65536;
/** A line of the cache, so that no vector lies across two. */
const ALIGNMENT = 64;
/** The first bytes stay free: address 0 is then never anyone's. */
const FIRST_ADDRESS = 1024;
export const FLOAT_BYTES = 4;

/** The memory of the kernels. It is handed out from below and given back from above, and never shrinks. */
export class Heap {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  private end = FIRST_ADDRESS;

  /** Bytes that the browser holds for it. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Where the next allocation begins, for {@link release}. */
  get mark(): number {
    return this.end;
  }

  /** Gives back all that was allocated since `mark` was taken. */
  release(mark: number): void {
    this.end = mark;
  }

  /**
   * Room for float32 values, all zero.
   *
   * @returns its address
   * @throws VoxlaneError `backend-failed` where there is no memory left
   */
  allocate(numFloats: number): number {
    const address = this.end;
    const end = address + Math.ceil((numFloats * FLOAT_BYTES) / ALIGNMENT) * ALIGNMENT;
    const missing = Math.ceil((end - this.bytes) / PAGE_BYTES);
    if (missing > 0) this.grow(missing, end);
    this.end = end;
    this.floats(address, numFloats).fill(0);
    return address;
  }

  /** Room that holds `values`. */
  store(values: ArrayLike<number>): number {
    const address = this.allocate(values.length);
    this.floats(address, values.length).set(values);
    return address;
  }

  /** Room that holds `values` as int32. */
  storeIntegers(values: readonly number[]): number {
    const address = this.allocate(values.length);
    new Int32Array(this.memory.buffer, address, values.length).set(values);
    return address;
  }

  /** The values at `address`; the view is of no use any more after the next allocation. */
  floats(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, address, length);
  }

  private grow(pages: number, bytes: number): void {
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw new VoxlaneError(
        {
          code: 'backend-failed',
          problem: `There is no memory for the ${bytes} bytes that the network needs`,
          remedy: 'Close other tabs to free memory',
        },
        { cause },
      );
    }
  }
}

/** How weights lie in the heap for the matrix product. */

/** Columns that the matrix product computes at a time. */
export const PANEL_COLUMNS = 8;

/** Weights of a convolution, axes (output channel, input channel, tap), row-major. */
export interface Taps {
  readonly weight: Float32Array;
  readonly numOut: number;
  readonly numIn: number;
  readonly numTaps: number;
}

/**
 * Weights in panels of eight columns.
 *
 * @param length of a segment: its inputs, one tap's channels, and zeros up to there
 * @param order for each input of a segment, which input channel that is; in the file's order where it is not given
 * @returns axes (panel, tap, input, column of the panel)
 */
export function packPanels({ weight, numOut, numIn, numTaps }: Taps, length = numIn, order?: ArrayLike<number>): Float32Array {
  const packed = new Float32Array(numOut * numTaps * length);
  for (let column = 0; column < numOut; column++) {
    const panel = Math.floor(column / PANEL_COLUMNS) * numTaps * length * PANEL_COLUMNS + (column % PANEL_COLUMNS);
    for (let tap = 0; tap < numTaps; tap++) {
      for (let input = 0; input < numIn; input++) {
        const channel = order?.[input] ?? input;
        packed[panel + (tap * length + input) * PANEL_COLUMNS] = weight[(column * numIn + channel) * numTaps + tap]!;
      }
    }
  }
  return packed;
}

/** Outputs of a tile of Winograd's convolution, and products that it takes of each channel. */
export const WINOGRAD_OUTPUTS = 4;
export const WINOGRAD_PRODUCTS = 6;

/** G of F(4, 3), axes (product, tap): see src/nn/assembly/winograd.ts. */
const WINOGRAD_TAPS = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
] as const;

/**
 * G · taps along the last axis of a convolution of 3 × 3 taps, in panels.
 *
 * @param taps nine of them, axes (frequency, frame)
 * @returns axes (product, panel, frequency tap, input, column of the panel)
 */
export function packWinograd({ weight, numOut, numIn }: Taps): Float32Array {
  const size = numOut * numIn * 3;
  const packed = new Float32Array(WINOGRAD_PRODUCTS * size);
  for (const [product, [g0, g1, g2]] of WINOGRAD_TAPS.entries()) {
    const own = Float32Array.from({ length: size }, (_, row) => {
      const tap = 3 * row;
      return g0 * weight[tap]! + g1 * weight[tap + 1]! + g2 * weight[tap + 2]!;
    });
    packed.set(packPanels({ weight: own, numOut, numIn, numTaps: 3 }), product * size);
  }
  return packed;
}

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

/** What src/nn/assembly/kernels.ts exports, with the docstrings there. Addresses and strides are in bytes. */
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

/** What src/nn/assembly/rows.ts and lstm.ts export, with the docstrings there. Addresses and strides are in bytes. */
export interface SequenceExports {
  foldTaps(
    ...parameters: [
      ...[sums: number, differences: number, outStride: number, input: number, inputStride: number],
      ...[rows: number, taps: number, places: number],
    ]
  ): void;
  maxPool(
    ...parameters: [
      ...[out: number, outStride: number, input: number, inputStride: number],
      ...[rows: number, size: number, channels: number, magnitude: boolean],
    ]
  ): void;
  subtractRow(values: number, stride: number, row: number, rows: number, channels: number): void;
  scaleShiftLeaky(
    ...parameters: [
      ...[out: number, outStride: number, input: number, inputStride: number],
      ...[scale: number, shift: number, rows: number, channels: number, slope: number],
    ]
  ): void;
  leakyRelu(values: number, length: number, slope: number): void;
  lstm(
    ...parameters: [
      ...[out: number, outFrame: number, outWindow: number, gates: number, gatesFrame: number, gatesWindow: number],
      ...[weights: number, cells: number, frames: number, windows: number, units: number],
    ]
  ): void;
}

/** Kernels for a recurrent network over samples, on a heap of its own. */
export class SequenceKernels extends Kernels {
  /** As {@link Kernels}, with `raw` of {@link instantiateSequence}. */
  constructor(
    heap: Heap,
    override readonly raw: KernelExports & SequenceExports,
    maxColumns: number,
  ) {
    super(heap, raw, maxColumns);
  }
}

/**
 * The kernels of a build over `heap`.
 *
 * @throws VoxlaneError `backend-unavailable` where the browser has no such SIMD
 */
export const instantiateSequence = (build: KernelBuild, heap: Heap): KernelExports & SequenceExports =>
  // One build holds all that src/nn/assembly/kernels.ts names.
  instantiate(build, heap) as KernelExports & SequenceExports;
