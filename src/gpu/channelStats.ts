import code from './channelStats.wgsl?raw';
import { floatBits, type Kernel, openKernel, type Program } from './program';

/** Maximum number of channels per workgroup. */
const COLUMNS = 16;

/** What is computed from mean and variance: factors for {@link ProductStep}, or mean and unbiased deviation. */
export type StatsKind = 'factors' | 'deviations';

/** Statistics over the rows of each item, with buffers of a kind: arrays on the CPU, GPU buffers on the GPU. */
export interface StatsStep<Floats, Integers> {
  /** Axes (row, channel). */
  readonly values: Floats;
  readonly rowStride: number;
  readonly numChannels: number;
  readonly numItems: number;
  /** Axes (item, [first row, number of rows]). */
  readonly items: Integers;
  /** Axes (channel, [scale, shift]), for factors. */
  readonly norm?: Floats | undefined;
  readonly epsilon?: number;
  /** Slope of the leaky ReLU after the norm; 1 for none. */
  readonly slope?: number;
  /** Written: axes (item, channel, [center, scale, shift, slope]), or (item, [mean, deviation], channel). */
  readonly out: Floats;
}

/** Computes the statistics on the CPU: the reference for the kernel. channelStats.wgsl has the formulas. */
export function computeChannelStats(kind: StatsKind, step: StatsStep<Float32Array, Uint32Array>): void {
  const { values, rowStride, numChannels, numItems, items, norm, epsilon = 0, slope = 1, out } = step;
  for (let item = 0; item < numItems; item++) {
    const [first, numRows] = [items[2 * item]!, items[2 * item + 1]!];
    for (let channel = 0; channel < numChannels; channel++) {
      const own = Array.from({ length: numRows }, (_, row) => values[(first + row) * rowStride + channel]!);
      const mean = own.reduce((sum, value) => sum + value, 0) / numRows;
      const squares = own.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      if (kind === 'factors') {
        const scale = norm![2 * channel]! / Math.sqrt(squares / numRows + epsilon);
        out.set([mean, scale, norm![2 * channel + 1]!, slope], 4 * (item * numChannels + channel));
      } else {
        out[2 * item * numChannels + channel] = mean;
        out[(2 * item + 1) * numChannels + channel] = Math.sqrt(squares / (numRows - 1));
      }
    }
  }
}

/** The kernel for values of one channel, or of many. */
export class ChannelStats {
  private constructor(
    private readonly kernel: Kernel,
    private readonly columns: number,
  ) {}

  /**
   * @param numChannels 1, or any number above
   * @throws VoxlaneError `backend-failed` if the kernel does not compile
   */
  static async open(device: GPUDevice, kind: StatsKind, numChannels: number): Promise<ChannelStats> {
    const columns = numChannels === 1 ? 1 : COLUMNS;
    const constants = { COLUMNS: columns, FACTORS: Number(kind === 'factors') };
    const read = 'read-only-storage';
    const source = { label: 'channelStats', code, buffers: [read, read, read, 'storage'], constants } as const;
    return new ChannelStats(await openKernel(device, source), columns);
  }

  /** Adds one dispatch to a program, for all items and channels. */
  add(program: Program, step: StatsStep<GPUBuffer, GPUBuffer>): void {
    const { values, rowStride, numChannels, numItems, items, norm, epsilon = 0, slope = 1, out } = step;
    const parameters = [numChannels, rowStride, floatBits(epsilon), floatBits(slope)];
    program.add(this.kernel, [values, items, norm ?? items, out], parameters, [Math.ceil(numChannels / this.columns), numItems]);
  }
}
