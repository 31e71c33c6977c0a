import { type Kernel, openKernel, type Program } from '../gpu/program';
import type { Convolution } from '../onnx/values';
import { unlike } from './campplusGraph';
import code from './gates.wgsl?raw';

/** As in the kernel. */
const THREADS = 256;
const MAX_CHANNELS = 256;

/** Numbers of channels of a layer's gates. */
export interface GateShape {
  readonly numChannels: number;
  readonly numInner: number;
  readonly numGates: number;
}

/** The two linear layers in the layout of the kernel. */
export interface PackedGates extends GateShape {
  /** Axes (channel, inner), and a row with the bias. */
  readonly first: Float32Array<ArrayBuffer>;
  /** Axes (inner, gate), and a row with the bias. */
  readonly second: Float32Array<ArrayBuffer>;
}

/**
 * Packs the two convolutions of a layer's context, which have one tap.
 *
 * @throws VoxlaneError `model-invalid` for numbers of channels that the kernel does not support
 */
export function packGates([first, second]: readonly [Convolution, Convolution]): PackedGates {
  const shape = { numChannels: first.numIn, numInner: first.numOut, numGates: second.numOut };
  const divides = (part: number): boolean => part <= THREADS && THREADS % part === 0;
  const sound = shape.numChannels % 4 === 0 && shape.numChannels <= MAX_CHANNELS && second.numIn === first.numOut;
  if (!sound || ![shape.numChannels / 4, shape.numInner, shape.numGates].every(divides)) {
    throw unlike(`its gates have ${first.numIn}, ${first.numOut} and ${second.numOut} channels`);
  }
  return { ...shape, first: withBias(first), second: withBias(second) };
}

function withBias({ weight, numIn, numOut, bias }: Convolution): Float32Array<ArrayBuffer> {
  const packed = new Float32Array((numIn + 1) * numOut);
  for (let column = 0; column < numOut; column++) {
    for (let input = 0; input < numIn; input++) packed[input * numOut + column] = weight[column * numIn + input]!;
  }
  packed.set(bias, numIn * numOut);
  return packed;
}

/** Computes the gates on the CPU: the reference for the kernel. */
export function computeGates(
  { numChannels, numInner, numGates, first, second }: PackedGates,
  { hidden, items, segmentRows, gates }: {
    /** Axes (row, channel). */
    readonly hidden: Float32Array;
    /** Axes (item, [first row, number of rows, first gate row, 0]). */
    readonly items: Uint32Array;
    readonly segmentRows: number;
    /** Written: axes (gate row, gate). */
    readonly gates: Float32Array;
  },
): void {
  const meanOf = (begin: number, count: number, channel: number): number => {
    let sum = 0;
    for (let row = begin; row < begin + count; row++) sum += hidden[row * numChannels + channel]!;
    return sum / count;
  };
  const linear = (values: number[], weights: Float32Array, numOut: number): number[] =>
    Array.from({ length: numOut }, (_, column) => [...values, 1].reduce((sum, value, input) => sum + value * weights[input * numOut + column]!, 0));
  for (let item = 0; item < items.length; item += 4) {
    const [begin, numRows, gateRow] = items.subarray(item, item + 3) as unknown as [number, number, number];
    for (let row = 0; row < numRows; row += segmentRows) {
      const size = Math.min(segmentRows, numRows - row);
      const context = Array.from({ length: numChannels }, (_, channel) => meanOf(begin + row, size, channel) + meanOf(begin, numRows, channel));
      const inner = linear(context, first, numInner).map((value) => Math.max(0, value));
      const own = linear(inner, second, numGates).map((value) => 1 / (1 + Math.exp(-value)));
      gates.set(own, (gateRow + row / segmentRows) * numGates);
    }
  }
}

/** Buffers of the gates of one layer. */
export interface GatesStep {
  readonly hidden: GPUBuffer;
  readonly items: GPUBuffer;
  readonly numItems: number;
  readonly segmentRows: number;
  readonly first: GPUBuffer;
  readonly second: GPUBuffer;
  /** Scratch: axes (gate row, channel). */
  readonly sums: GPUBuffer;
  /** Written: axes (gate row, gate). */
  readonly gates: GPUBuffer;
}

/** The kernel for layers of one shape. */
export class GpuGates {
  private constructor(private readonly kernel: Kernel) {}

  /** @throws VoxlaneError `backend-failed` if the kernel does not compile */
  static async open(device: GPUDevice, { numChannels, numInner, numGates }: GateShape): Promise<GpuGates> {
    const constants = { CHANNELS: numChannels, INNER: numInner, GATES: numGates };
    const read = 'read-only-storage';
    const buffers = [read, read, read, read, 'storage', 'storage'] as const;
    return new GpuGates(await openKernel(device, { label: 'gates', code, buffers, constants }));
  }

  /** Adds one dispatch to a program, for the gates of all items. gates.wgsl has the formula. */
  add(program: Program, { hidden, items, numItems, segmentRows, first, second, sums, gates }: GatesStep): void {
    program.add(this.kernel, [hidden, items, first, second, sums, gates], [segmentRows], [numItems]);
  }
}
