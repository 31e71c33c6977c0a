import plain from 'virtual:kernels/plain';
import relaxed from 'virtual:kernels/relaxed';
import { VoxlaneError } from '../util/errors';
import { type BlockExports, type BlockKernels, BLOCK_LENGTH, type FieldViews, withBlock } from './parameters';
import { FREE_MEMORY } from '../util/host';

const PAGE_BYTES = 65536;
/** Maximum of a 32-bit memory. */
const MAX_PAGES = 65536;
/** A cache line, so no vector crosses two lines. */
const ALIGNMENT = 64;
/** The first bytes stay free, so 0 is never a valid address. */
const FIRST_ADDRESS = 1024;
/** Bytes of a float32. */
export const FLOAT_BYTES = 4;

/** The memory of the kernels. It grows and shrinks like a stack, but the browser's memory never shrinks. */
export class Heap implements FieldViews {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  allIntegers = new Int32Array(this.memory.buffer);
  allFloats = new Float32Array(this.memory.buffer);
  private end = FIRST_ADDRESS;

  /** Bytes that the browser has reserved. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Address of the next allocation, for {@link release}. */
  get mark(): number {
    return this.end;
  }

  /** Frees all allocations since `mark` was read. */
  release(mark: number): void {
    this.end = mark;
  }

  /**
   * Allocates float32 values, initialized to zero.
   *
   * @returns the address
   * @throws VoxlaneError `backend-failed` if there is no memory left
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

  /** Allocates and stores `values`. */
  store(values: ArrayLike<number>): number {
    const address = this.allocate(values.length);
    this.floats(address, values.length).set(values);
    return address;
  }

  /** Allocates and stores `values` as int32. */
  storeIntegers(values: readonly number[]): number {
    const address = this.allocate(values.length);
    new Int32Array(this.memory.buffer, address, values.length).set(values);
    return address;
  }

  /** The values at `address`. The view is invalid after the next allocation. */
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
          problem: `There is not enough memory for the ${bytes} bytes that the network requires`,
          remedy: FREE_MEMORY,
        },
        { cause },
      );
    }
    this.allIntegers = new Int32Array(this.memory.buffer);
    this.allFloats = new Float32Array(this.memory.buffer);
  }
}

/** Number of columns that the matrix product computes at a time. */
export const PANEL_COLUMNS = 8;

/** Weights of a convolution, axes (output channel, input channel, tap), row-major. */
export interface Taps {
  readonly weight: Float32Array;
  readonly numOut: number;
  readonly numIn: number;
  readonly numTaps: number;
}

/**
 * Arranges weights in panels of eight columns for the matrix product.
 *
 * @param length of a segment: its inputs, which are one tap's channels, padded with zeros
 * @param order the input channel for each input of a segment; default: the file's order
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

/** Number of outputs of a Winograd tile, and of products per channel. */
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
 * Computes G · taps along the last axis of a convolution with 3 × 3 taps, in panels.
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

/**
 * How a network multiplies: `float32` is exact to rounding; `int16` converts the inputs and weights of the largest products
 * to int16, which is twice as fast, with a relative error of about 1e-3 of a layer's output.
 */
export type Arithmetic = 'float32' | 'int16';

/** `relaxed` multiplies and adds in one instruction if the processor has it; `plain` runs wherever WASM has SIMD. */
export type KernelBuild = 'relaxed' | 'plain';

/**
 * Number of rows that the matrix product computes at a time. The memory of its inputs and outputs is a multiple of
 * it.
 */
export const TILE_ROWS = 4;

/**
 * Maximum number of inputs per pass of the matrix product. Four rows and a panel of weights of this size fit the
 * first-level cache.
 */
const MAX_PASS_INPUTS = 512;

/** Rows of float32 in the heap. */
export interface Rows {
  /** Address of the first value of row 0. */
  readonly address: number;
  /** Distance between rows in bytes. */
  readonly stride: number;
}

/** Weights on the heap, in the layout of the matrix product. */
export interface Matrix {
  /** Axes (panel, segment, input, column of the panel). */
  readonly address: number;
  /** Axes (column). */
  readonly bias: number;
  readonly numColumns: number;
  /** Number of inputs per segment. */
  readonly length: number;
  /** Number of segments of a row's input. */
  readonly numSegments: number;
}

/** One matrix product. */
interface Product {
  /** Written: axes (row, column of `matrix`). */
  readonly out: Rows;
  /** A row's segments start at its address plus each of `offsets`. */
  readonly input: Rows;
  readonly matrix: Matrix;
  /** Address of an int32 for each segment: an offset in bytes. */
  readonly offsets: number;
  readonly numRows: number;
  /** Segments to use; default: all. The weights of omitted segments are skipped. */
  readonly segments?: { readonly first: number; readonly count: number };
  /** Added to the result, axes as `out`, and may be `out`. Default: nothing. */
  readonly start?: Rows;
  readonly relu: boolean;
}

/**
 * The kernels of src/nn/assembly, documented there. Those with many parameters take them by name, from a parameter block.
 * Addresses and strides are in bytes.
 */
export interface KernelExports extends Pick<BlockKernels, 'gemm' | 'gemmInt16' | 'quantizeRows' | 'fromWinograd' | 'scaleShiftRelu'> {
  segmentSums(out: number, input: number, stride: number, rows: number, length: number, channels: number): void;
  squaredDeviations(out: number, input: number, stride: number, mean: number, rows: number, channels: number): void;
  gate(values: number, stride: number, gates: number, rows: number, length: number, channels: number): void;
  toWinograd(out: number, plane: number, input: number, tiles: number, channels: number): void;
}

/** Kernels for one network, with their own heap. */
export class Kernels {
  /** Zeros for each column of the widest matrix, used in place of a missing bias or addend. */
  readonly zeros: number;

  /**
   * @param raw exports for `heap`: {@link instantiate}
   * @param maxColumns maximum number of columns of any matrix
   */
  constructor(
    readonly heap: Heap,
    readonly raw: KernelExports,
    maxColumns: number,
  ) {
    this.zeros = heap.allocate(maxColumns);
  }

  /** out = start + bias + input · matrix, with optional ReLU. Writes whole tiles of rows. */
  multiply({ out, input, matrix, offsets, numRows, segments, start, relu }: Product): void {
    const { first, count } = segments ?? { first: 0, count: matrix.numSegments };
    const panelStride = matrix.numSegments * matrix.length * PANEL_COLUMNS * FLOAT_BYTES;
    const tiles = Math.ceil(numRows / TILE_ROWS);
    const panels = matrix.numColumns / PANEL_COLUMNS;
    const passes = passesOf(matrix, first, count);
    for (const [index, pass] of passes.entries()) {
      const begun = index > 0 ? out : (start ?? { address: this.zeros, stride: 0 });
      this.raw.gemm({
        out: out.address,
        outStride: out.stride,
        input: input.address + pass.begin * FLOAT_BYTES,
        inputStride: input.stride,
        offsets: offsets + pass.segment * FLOAT_BYTES,
        segments: pass.count,
        length: pass.length,
        weights: matrix.address + (pass.segment * matrix.length + pass.begin) * PANEL_COLUMNS * FLOAT_BYTES,
        panelStride,
        tiles,
        panels,
        bias: index > 0 ? this.zeros : matrix.bias,
        start: begun.address,
        startStride: begun.stride,
        relu: relu && index === passes.length - 1,
      });
    }
  }
}

/** Complete segments, or a part of one segment's inputs that starts at `begin`. */
interface Pass {
  readonly segment: number;
  readonly count: number;
  readonly begin: number;
  readonly length: number;
}

/** One pass if there are few inputs, otherwise each segment in pieces of about equal length. */
function passesOf({ length }: Matrix, first: number, count: number): Pass[] {
  if (count * length <= MAX_PASS_INPUTS) return [{ segment: first, count, begin: 0, length }];
  const pieces = Math.ceil(length / MAX_PASS_INPUTS);
  // The kernel reads inputs in pairs.
  const pieceLength = 2 * Math.ceil(length / pieces / 2);
  return Array.from({ length: count * pieces }, (_, index) => {
    const begin = (index % pieces) * pieceLength;
    return { segment: first + Math.floor(index / pieces), count: 1, begin, length: Math.min(pieceLength, length - begin) };
  });
}

/**
 * Instantiates a build of the kernels on `heap`.
 *
 * @throws VoxlaneError `backend-unavailable` if the browser does not support the SIMD of the build
 */
export function instantiate(build: KernelBuild, heap: Heap): KernelExports {
  const bytes = build === 'relaxed' ? relaxed : plain;
  if (!WebAssembly.validate(bytes)) {
    throw new VoxlaneError({
      code: 'backend-unavailable',
      problem: `This browser's WebAssembly does not have the ${build} SIMD that the kernels require`,
      remedy: 'Use a browser from 2023 or later',
    });
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: heap.memory } });
  const raw = exports as unknown as Omit<KernelExports, keyof BlockKernels> & BlockExports;
  return { ...raw, ...withBlock(raw, heap, heap.allocate(BLOCK_LENGTH)) };
}

/** The fastest build that the browser can run. */
export const bestBuild = (): KernelBuild => (WebAssembly.validate(relaxed) ? 'relaxed' : 'plain');

/** The kernels of recurrent networks, like {@link KernelExports}. */
export interface SequenceExports extends Pick<BlockKernels, 'foldTaps' | 'maxPool' | 'scaleShiftLeaky' | 'lstm' | 'lstmInt16'> {
  subtractRow(values: number, stride: number, row: number, rows: number, channels: number): void;
  leakyRelu(values: number, length: number, slope: number): void;
}

/** Kernels for a recurrent network over samples, with their own heap. */
export class SequenceKernels extends Kernels {
  /** Like {@link Kernels}, with `raw` from {@link instantiateSequence}. */
  constructor(
    heap: Heap,
    override readonly raw: KernelExports & SequenceExports,
    maxColumns: number,
  ) {
    super(heap, raw, maxColumns);
  }
}

/**
 * Instantiates a build of the kernels on `heap`.
 *
 * @throws VoxlaneError `backend-unavailable` if the browser does not support the SIMD of the build
 */
export const instantiateSequence = (build: KernelBuild, heap: Heap): KernelExports & SequenceExports =>
  // One build contains all exports of src/nn/assembly/kernels.ts.
  instantiate(build, heap) as KernelExports & SequenceExports;
