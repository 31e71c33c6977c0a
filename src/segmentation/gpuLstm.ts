import { type Kernel, openKernel, type Program } from '../gpu/program';
import code from './lstm.wgsl?raw';
import { type LstmLayer, unlike } from './pyannetGraph';

/** Gates i, o, f and g. */
const NUM_GATES = 4;
/** As in the kernel. */
const MAX_UNITS = 128;
const SPLITS = 2;
/** Windows per workgroup, if a batch has more than one: they share the reads of the weights, which take longer than the products. */
export const WINDOWS_PER_WORKGROUP = 2;

/** Weights in the layout of the kernels, and biases. */
interface PackedLstm {
  readonly numUnits: number;
  readonly numInputs: number;
  /** Weight of an input for a column; axis of the columns: (direction, unit, gate). */
  readonly inputWeight: (input: number, column: number) => number;
  /** Axes (direction, unit, gate): both biases. */
  readonly bias: Float32Array;
  /** Axes (direction, unit of the previous frame, unit, gate). */
  readonly recurrent: Float32Array<ArrayBuffer>;
}

/**
 * Reorders the weights of a layer.
 *
 * @throws VoxlaneError `model-invalid` for weights of other shapes
 */
export function packLstm({ input, recurrent, bias }: LstmLayer): PackedLstm {
  const [numDirections, rows, numUnits] = recurrent.shape as [number, number, number];
  const numInputs = input.shape[2]!;
  const shapes = [input.shape, bias.shape].map((shape) => shape.join(' × ')).join(' and ');
  const sound = numDirections === 2 && rows === NUM_GATES * numUnits && shapes === `2 × ${rows} × ${numInputs} and 2 × ${2 * rows}`;
  if (!sound || numUnits > MAX_UNITS || numUnits % (4 * SPLITS) !== 0) throw unlike(`an LSTM has weights of the shapes ${shapes} for ${numUnits} units`);
  // The file's row of a column: (direction, gate, unit) instead of (direction, unit, gate).
  const rowOf = (column: number): number => {
    const unit = Math.floor(column / NUM_GATES);
    const direction = Math.floor(unit / numUnits);
    return direction * rows + (column % NUM_GATES) * numUnits + (unit % numUnits);
  };
  const biasOf = (_: unknown, column: number): number => {
    const row = rowOf(column);
    const first = Math.floor(row / rows) * 2 * rows + (row % rows);
    return bias.data[first]! + bias.data[first + rows]!;
  };
  const packed = new Float32Array(recurrent.data.length);
  for (let column = 0; column < 2 * rows; column++) {
    const [direction, own] = [Math.floor(column / rows), column % rows];
    for (let unit = 0; unit < numUnits; unit++) {
      packed[(direction * numUnits + unit) * rows + own] = recurrent.data[rowOf(column) * numUnits + unit]!;
    }
  }
  return {
    numUnits,
    numInputs,
    inputWeight: (from, column) => input.data[rowOf(column) * numInputs + from]!,
    bias: Float32Array.from({ length: 2 * rows }, biasOf),
    recurrent: packed,
  };
}

/** The recurrence of a layer, with arrays on the CPU or GPU buffers on the GPU. */
export interface LstmStep<Floats> {
  readonly numUnits: number;
  readonly numWindows: number;
  readonly numFrames: number;
  /** Axes (window, frame, direction, unit, gate). */
  readonly inputs: Floats;
  /** Axes (direction, unit of the previous frame, unit, gate). */
  readonly weights: Floats;
  /** Written: axes (window, frame, direction, unit). */
  readonly out: Floats;
}

/** Computes the recurrence on the CPU: the reference for the kernel. */
export function computeLstm({ numUnits, numWindows, numFrames, inputs, weights, out }: LstmStep<Float32Array>): void {
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
  for (let sequence = 0; sequence < 2 * numWindows; sequence++) {
    const [window, direction] = [Math.floor(sequence / 2), sequence % 2];
    let hidden = new Float64Array(numUnits);
    const cells = new Float64Array(numUnits);
    for (let step = 0; step < numFrames; step++) {
      const frame = direction === 0 ? step : numFrames - 1 - step;
      const row = ((window * numFrames + frame) * 2 + direction) * numUnits;
      const before = hidden;
      hidden = cells.map((cell, unit) => {
        const [i, o, f, g] = [0, 1, 2, 3].map((gate) => {
          const weight = (previous: number): number => weights[((direction * numUnits + previous) * numUnits + unit) * NUM_GATES + gate]!;
          return before.reduce((sum, value, previous) => sum + value * weight(previous), inputs[(row + unit) * NUM_GATES + gate]!);
        }) as [number, number, number, number];
        const next = sigmoid(f) * cell + sigmoid(i) * Math.tanh(g);
        cells[unit] = next;
        return sigmoid(o) * Math.tanh(next);
      });
      out.set(hidden, row);
    }
  }
}

/** The kernels for a number of units. */
export class GpuLstm {
  private constructor(
    /** For one window, which would waste half of the products of the other. */
    private readonly single: Kernel,
    private readonly several: Kernel,
  ) {}

  /** @throws VoxlaneError `backend-failed` if a kernel does not compile */
  static async open(device: GPUDevice, numUnits: number): Promise<GpuLstm> {
    const read = 'read-only-storage';
    const open = (numWindows: number): Promise<Kernel> =>
      openKernel(device, { label: 'lstm', code, buffers: [read, read, 'storage'], constants: { UNITS: numUnits, WINDOWS: numWindows } });
    const [single, several] = await Promise.all([open(1), open(WINDOWS_PER_WORKGROUP)]);
    return new GpuLstm(single, several);
  }

  /** Adds the recurrence to a program. */
  add(program: Program, { numWindows, numFrames, inputs, weights, out }: LstmStep<GPUBuffer>): void {
    const [kernel, numGroups] = numWindows === 1 ? [this.single, 1] : [this.several, Math.ceil(numWindows / WINDOWS_PER_WORKGROUP)];
    program.add(kernel, [inputs, weights, out], [numWindows, numFrames], [numGroups, 2]);
  }
}
