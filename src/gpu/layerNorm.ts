import code from './layerNorm.wgsl?raw';
import { floatBits, type Kernel, openKernel, type Program } from './program';

/** A layer norm with buffers of a kind: arrays on the CPU, GPU buffers on the GPU. */
export interface LayerNormStep<Floats> {
  /** Axes (row, channel). */
  readonly values: Floats;
  readonly numRows: number;
  readonly numChannels: number;
  /** Axes (channel, [scale, shift]). */
  readonly norm: Floats;
  readonly epsilon: number;
  /** Written: axes (row, channel). Another buffer than `values`. */
  readonly out: Floats;
}

/**
 * Puts scales and shifts in the layout of the kernel.
 *
 * @returns axes (channel, [scale, shift])
 */
export function packLayerNorm(scale: Float32Array, shift: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 2 * scale.length }, (_, i) => (i % 2 === 0 ? scale : shift)[i >> 1]!);
}

/** Computes the norm on the CPU: the reference for the kernel. layerNorm.wgsl has the formula. */
export function computeLayerNorm({ values, numRows, numChannels, norm, epsilon, out }: LayerNormStep<Float32Array>): void {
  for (let row = 0; row < numRows; row++) {
    const own = values.subarray(row * numChannels, (row + 1) * numChannels);
    const mean = own.reduce((sum, value) => sum + value, 0) / numChannels;
    const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numChannels;
    const scale = 1 / Math.sqrt(variance + epsilon);
    out.set(own.map((value, channel) => (value - mean) * scale * norm[2 * channel]! + norm[2 * channel + 1]!), row * numChannels);
  }
}

/** The kernel for rows of any size. */
export class LayerNorm {
  private constructor(private readonly kernel: Kernel) {}

  /** @throws VoxlaneError `backend-failed` if the kernel does not compile */
  static async open(device: GPUDevice): Promise<LayerNorm> {
    const read = 'read-only-storage';
    return new LayerNorm(await openKernel(device, { label: 'layerNorm', code, buffers: [read, read, 'storage'] }));
  }

  /** Adds one dispatch to a program, for all rows. */
  add(program: Program, { values, numRows, numChannels, norm, epsilon, out }: LayerNormStep<GPUBuffer>): void {
    program.add(this.kernel, [values, norm, out], [numChannels, floatBits(epsilon)], [numRows]);
  }
}
