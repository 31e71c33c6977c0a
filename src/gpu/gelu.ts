import code from './gelu.wgsl?raw';
import { type Kernel, openKernel, type Program } from './program';

/** Invocations per workgroup, as in the kernel. */
const THREADS = 256;
/** Maximum number of workgroups. Beyond that, invocations compute several values. */
const MAX_WORKGROUPS = 4096;

/**
 * Replaces values x by x · (1 + erf(x / √2)) / 2 on the CPU: the reference for the kernel.
 *
 * Source: formula 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical Functions; error of erf at most 1.5e-7.
 */
export function computeGelu(values: Float32Array): void {
  for (const [i, x] of values.entries()) {
    const z = Math.abs(x) * Math.SQRT1_2;
    const t = 1 / (1 + 0.3275911 * z);
    const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    const half = 0.5 * polynomial * Math.exp(-z * z);
    values[i] = x * (x < 0 ? half : 1 - half);
  }
}

/** The kernel for any number of values. */
export class Gelu {
  private constructor(private readonly kernel: Kernel) {}

  /** @throws VoxlaneError `backend-failed` if the kernel does not compile */
  static async open(device: GPUDevice): Promise<Gelu> {
    return new Gelu(await openKernel(device, { label: 'gelu', code, buffers: ['storage'] }));
  }

  /** Adds the replacement of the first `numValues` float32 values of a buffer to a program. */
  add(program: Program, values: GPUBuffer, numValues: number): void {
    program.add(this.kernel, [values], [numValues], [Math.min(MAX_WORKGROUPS, Math.ceil(numValues / THREADS))]);
  }
}
