import { type Int16Matrix, type Int16Products, isInt16, MAX_INPUT, packInt16, storeInt16, toInt16 } from '../nn/int16';
import { FLOAT_BYTES, type Matrix, packPanels, type Rows, type SequenceKernels, TILE_ROWS } from '../nn/kernels';
import { unlike, type LstmLayer } from './pyannetGraph';

/** Gates i, o, f and g. */
const NUM_GATES = 4;
/** Values per vector, which is the number of units whose gates are adjacent. */
const LANES = 4;
/**
 * Number of rows (frames × windows) whose gates are computed at a time. They stay in the second-level cache until the
 * recurrence reads them.
 */
const ROWS_AT_ONCE = 192;

interface Direction {
  readonly input: Matrix | Int16Matrix;
  /** Address; axes (unit / 4, unit of the previous frame, gate, unit % 4), or as `LstmInt16` in src/nn/assembly/parameters.ts. */
  readonly recurrent: number;
  /** For int16: what the product of 1 and 1 stands for in each gate; axes (unit / 4, gate, unit % 4). */
  readonly recurrentScales: number | null;
}

/** Contiguous rows with the axes (frame, window). */
interface Sequence extends Rows {
  readonly numFrames: number;
  readonly numWindows: number;
}

/** Addresses of values during {@link PyannetLstm.run}. */
interface Room {
  readonly gates: number;
  readonly cells: number;
  readonly hidden: number;
}

/** One bidirectional layer. */
export class PyannetLstm {
  /** Forward and backward. */
  private readonly directions: readonly [Direction, Direction];
  private readonly noOffset: number;
  readonly numUnits: number;

  /** @throws VoxlaneError `model-invalid` for weights of other shapes */
  constructor(
    private readonly kernels: SequenceKernels,
    layer: LstmLayer,
    /** Computes with int16; null for float32. */
    private readonly int16: Int16Products | null,
  ) {
    const [numDirections, rows, numUnits] = layer.recurrent.shape as [number, number, number];
    const numInputs = layer.input.shape[2]!;
    this.numUnits = numUnits;
    const shapes = [layer.input.shape, layer.bias.shape].map((shape) => shape.join(' × ')).join(' and ');
    const expected = `2 × ${rows} × ${numInputs} and 2 × ${2 * rows}`;
    const sound = numDirections === 2 && rows === NUM_GATES * numUnits && shapes === expected;
    if (!sound || numUnits % (2 * LANES) !== 0 || numInputs % (int16 ? LANES : 2) !== 0) {
      throw unlike(`an LSTM has weights of the shapes ${shapes} for ${numUnits} units`);
    }
    this.noOffset = kernels.heap.storeIntegers([0]);
    this.directions = [this.pack(layer, 0), this.pack(layer, 1)];
  }

  /** Number of output values of a frame: the units of both directions. */
  get numOutputs(): number {
    return 2 * this.numUnits;
  }

  /** Number of float32 values that {@link run} needs for its gates. */
  gateRoom(maxWindows: number): number {
    return (ROWS_AT_ONCE + maxWindows + TILE_ROWS) * NUM_GATES * this.numUnits;
  }

  /**
   * @param out written: axes (frame, window, direction and unit), with a frame of zeros before the first and after
   *   the last
   * @param room addresses: of the gates (see {@link gateRoom}), of cells with the axes (window, unit), and of room for half
   *   as many hidden states
   */
  run(input: Sequence, out: Rows, room: Room): void {
    const { numFrames, numWindows } = input;
    const framesAtOnce = Math.ceil(ROWS_AT_ONCE / numWindows);
    const part = (rows: Rows, first: number): Rows => rowsFrom(rows, first * numWindows);
    for (const [index, direction] of this.directions.entries()) {
      this.kernels.heap.floats(room.cells, numWindows * this.numUnits).fill(0);
      this.kernels.heap.floats(room.hidden, (numWindows * this.numUnits) / 2).fill(0);
      const states = { address: out.address + index * this.numUnits * FLOAT_BYTES, stride: out.stride };
      for (let done = 0; done < numFrames; done += framesAtOnce) {
        const count = Math.min(framesAtOnce, numFrames - done);
        const begin = index === 0 ? done : numFrames - done - count;
        const frames = { ...part(input, begin), numFrames: count, numWindows };
        this.runFrames(direction, index === 1, frames, part(states, begin), room);
      }
    }
  }

  private runFrames(
    { input: matrix, recurrent, recurrentScales }: Direction,
    backwards: boolean,
    input: Sequence,
    out: Rows,
    { gates, cells, hidden }: Room,
  ): void {
    const { numFrames, numWindows } = input;
    const gateRows = { address: gates, stride: matrix.numColumns * FLOAT_BYTES };
    const product = { out: gateRows, input, numRows: numFrames * numWindows, relu: false };
    if (isInt16(matrix)) this.int16!.multiply({ ...product, matrix });
    else this.kernels.multiply({ ...product, matrix, offsets: this.noOffset });
    const first = backwards ? (numFrames - 1) * numWindows : 0;
    const next = backwards ? -numWindows : numWindows;
    const states = {
      out: rowsFrom(out, first).address,
      outFrame: next * out.stride,
      outWindow: out.stride,
      gates: rowsFrom(gateRows, first).address,
      gatesFrame: next * gateRows.stride,
      gatesWindow: gateRows.stride,
      weights: recurrent,
      cells,
      frames: numFrames,
      windows: numWindows,
      units: this.numUnits,
    };
    if (recurrentScales === null) this.kernels.raw.lstm(states);
    else this.kernels.raw.lstmInt16({ ...states, scales: recurrentScales, hidden });
  }

  private pack({ input, recurrent, bias }: LstmLayer, direction: number): Direction {
    const { heap } = this.kernels;
    const numRows = NUM_GATES * this.numUnits;
    const numIn = input.shape[2]!;
    const inputs = this.gathered(input.data, direction, numIn);
    const biases = bias.data.subarray(direction * 2 * numRows, (direction + 1) * 2 * numRows);
    const both = biases.subarray(0, numRows).map((value, row) => value + biases[numRows + row]!);
    const gateBias = this.gathered(both, 0, 1);
    const recurrentRows = this.gathered(recurrent.data, direction, this.numUnits);
    if (this.int16) {
      const { values, scales } = toInt16(recurrentRows, this.numUnits);
      return {
        input: packInt16(this.kernels, inputs, numRows, gateBias),
        recurrent: storeInt16(heap, this.packRecurrentInt16(values)),
        recurrentScales: heap.store(scales.map((scale) => scale / MAX_INPUT)),
      };
    }
    return {
      input: {
        address: heap.store(packPanels({ weight: inputs, numOut: numRows, numIn, numTaps: 1 })),
        bias: heap.store(gateBias),
        numColumns: numRows,
        length: numIn,
        numSegments: 1,
      },
      recurrent: heap.store(this.packRecurrent(recurrentRows)),
      recurrentScales: null,
    };
  }

  /** Reorders axes (gate of a unit, unit of the previous frame) to the axes of `LstmInt16`. */
  private packRecurrentInt16(rows: Int16Array): Int16Array {
    const panelRows = NUM_GATES * LANES;
    const packed = new Int16Array(rows.length);
    for (let row = 0; row < NUM_GATES * this.numUnits; row++) {
      const panel = Math.floor(row / panelRows) * this.numUnits * panelRows + 2 * (row % panelRows);
      for (let unit = 0; unit < this.numUnits; unit++) {
        packed[panel + (unit >> 1) * 2 * panelRows + (unit % 2)] = rows[row * this.numUnits + unit]!;
      }
    }
    return packed;
  }

  /**
   * Reorders axes (gate of a unit, unit of the previous frame) to (unit / 4, unit of the previous frame, gate of four
   * units).
   */
  private packRecurrent(rows: Float32Array): Float32Array {
    const panelRows = NUM_GATES * LANES;
    const packed = new Float32Array(rows.length);
    for (let row = 0; row < NUM_GATES * this.numUnits; row++) {
      const panel = Math.floor(row / panelRows) * this.numUnits * panelRows + (row % panelRows);
      for (let unit = 0; unit < this.numUnits; unit++) packed[panel + unit * panelRows] = rows[row * this.numUnits + unit]!;
    }
    return packed;
  }

  /** Reorders the rows of one direction from (gate, unit) to (unit / 4, gate, unit % 4). */
  private gathered(rows: Float32Array, direction: number, length: number): Float32Array {
    const numRows = NUM_GATES * this.numUnits;
    const gathered = new Float32Array(numRows * length);
    for (let to = 0; to < numRows; to++) {
      const gate = Math.floor(to / LANES) % NUM_GATES;
      const unit = LANES * Math.floor(to / (LANES * NUM_GATES)) + (to % LANES);
      const from = (direction * numRows + gate * this.numUnits + unit) * length;
      gathered.set(rows.subarray(from, from + length), to * length);
    }
    return gathered;
  }
}

/** The rows from row `first`. */
export const rowsFrom = ({ address, stride }: Rows, first: number): Rows => ({ address: address + first * stride, stride });
