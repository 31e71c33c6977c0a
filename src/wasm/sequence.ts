import type { Heap } from './heap';
import { instantiate, Kernels, type KernelBuild, type KernelExports } from './kernels';

/** What src/wasm/assembly/frames.ts and lstm.ts export, with the docstrings there. Addresses and strides are in bytes. */
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
  // One build holds all that src/wasm/assembly/kernels.ts names.
  instantiate(build, heap) as KernelExports & SequenceExports;
