import { parseOnnx, type ModelProto } from '../onnx/model';
import type { FloatTensor } from '../ort/graph';
import type { TensorSpec } from '../store/manifest';
import { KernelGraph, type OnValue } from '../ort/kernelGraph';
import { VoxlaneError } from '../util/errors';
import { type Int16Matrix, Int16Products, isInt16, packInt16 } from '../nn/int16';
import {
  type Arithmetic,
  bestBuild,
  FLOAT_BYTES,
  Heap,
  instantiateSequence,
  type KernelBuild,
  type Kernels,
  type Matrix,
  packPanels,
  PANEL_COLUMNS,
  type Rows,
  SequenceKernels,
  TILE_ROWS,
} from '../nn/kernels';
import { PyannetFilters } from './pyannetFilters';
import { readPyannet, unlike, type Linear, type PyannetGraph } from './pyannetGraph';
import { PyannetLstm, rowsFrom } from './pyannetLstm';

/** Facts from the manifest of the file. */
interface PyannetSpec {
  readonly id: string;
  readonly input: TensorSpec;
  readonly output: TensorSpec;
}

/** Number of frames and windows of a batch. */
interface Size {
  readonly numWindows: number;
  readonly numFrames: number;
}

/** Addresses of values after the filters, for batches up to a size. */
interface Room {
  readonly maxSamples: number;
  readonly maxWindows: number;
  readonly maps: readonly [number, number];
  readonly gates: number;
  readonly cells: number;
  readonly hidden: number;
}

/**
 * segmentation-3.0 on the kernels of src/nn, used instead of an ONNX Runtime session of the same file.
 *
 * Runs on one thread. It has its own heap for the weights and for the largest batch so far. The result for a window
 * does not depend on the other windows of its batch, bit for bit.
 */
export class PyannetNet extends KernelGraph {
  protected readonly kernels: SequenceKernels;
  private readonly filters: PyannetFilters;
  private readonly lstms: readonly PyannetLstm[];
  private readonly linears: readonly (Matrix | Int16Matrix)[];
  private readonly int16: Int16Products | null;
  private readonly classifier: Matrix | Int16Matrix;
  private readonly noOffset: number;
  private readonly weightsEnd: number;
  private room: Room = { maxSamples: 0, maxWindows: 0, maps: [0, 0], gates: 0, cells: 0, hidden: 0 };

  private constructor(
    private readonly network: PyannetGraph,
    output: TensorSpec,
    /** The SIMD variant of the kernels. */
    readonly build: KernelBuild,
    arithmetic: Arithmetic,
  ) {
    super(output);
    const { filters, lstms, linears, classifier } = network;
    const widths = [...filters.map(({ convolution }) => convolution.numOut), ...lstms.map(({ input }) => input.shape[1]!)];
    const outputs = [...linears, classifier].map(({ bias }) => bias.length);
    const heap = new Heap();
    this.kernels = new SequenceKernels(heap, instantiateSequence(build, heap), Math.max(...widths, ...outputs) + PANEL_COLUMNS);
    const lengths = [...filters.slice(1).map(({ convolution: { numIn, taps } }) => numIn * taps[0]!), ...lstms.map(({ input }) => input.shape[2]!), ...linears.map(({ weight }) => weight.shape[0]!)];
    this.int16 = arithmetic === 'int16' ? new Int16Products(this.kernels, Math.max(...lengths)) : null;
    this.filters = new PyannetFilters(this.kernels, network, this.int16);
    this.lstms = lstms.map((layer) => new PyannetLstm(this.kernels, layer, this.int16));
    this.linears = linears.map((linear) => packLinear(this.kernels, linear, this.int16 !== null));
    this.classifier = packLinear(this.kernels, classifier, false);
    const given = [this.filters.numChannels, ...this.lstms.map(({ numOutputs }) => numOutputs), ...linears.map(({ bias }) => bias.length)];
    const taken = [...lstms.map(({ input }) => input.shape[2]), ...[...linears, classifier].map(({ weight }) => weight.shape[0])];
    if (given.join() !== taken.join()) throw unlike(`its layers have ${given.join()} outputs per frame, but the next layers have ${taken.join()} inputs`);
    this.noOffset = this.kernels.heap.storeIntegers([0]);
    this.weightsEnd = this.kernels.heap.mark;
  }

  /**
   * @param bytes of the verified ONNX file; not used afterward
   * @throws VoxlaneError `model-invalid` for a graph with another structure, which ONNX Runtime may still run;
   *   `backend-unavailable` without SIMD; `backend-failed` without memory
   */
  static open(bytes: Uint8Array, facts: PyannetSpec, build: KernelBuild = bestBuild(), arithmetic: Arithmetic = 'float32'): PyannetNet {
    return PyannetNet.ofModel(parseOnnx(bytes, facts.id), facts, build, arithmetic);
  }

  /** Like {@link open}, for a parsed file. */
  static ofModel(
    model: ModelProto,
    { input, output }: PyannetSpec,
    build: KernelBuild = bestBuild(),
    arithmetic: Arithmetic = 'float32',
  ): PyannetNet {
    return new PyannetNet(readPyannet(model, { input: input.name, output: output.name }), output, build, arithmetic);
  }

  /** Names of the values reported by {@link trace}, followed by the output. */
  get valueNames(): readonly string[] {
    const { filters, lstm, linears } = this.network.values;
    return [filters, lstm, ...linears, this.output.name];
  }

  /**
   * Like {@link compute}, for comparisons: reports every named value before the output, and does not check the
   * output.
   *
   * @param input axes (batch, channel, sample), one channel
   * @returns axes (batch, frame, class), log-probabilities
   */
  trace({ data, shape }: FloatTensor, onValue?: OnValue): FloatTensor {
    const [numWindows = 0, numChannels, numSamples = 0] = shape;
    const numFrames = this.filters.numFrames(numSamples);
    if (numWindows < 1 || numChannels !== 1 || numFrames < 1 || data.length !== numWindows * numSamples) {
      throw misused(`windows of ${shape.join(' × ')}`);
    }
    const size = { numWindows, numFrames };
    if (numWindows > this.room.maxWindows || numSamples > this.room.maxSamples) this.layOut(numWindows, numSamples);
    const { values } = this.network;

    let rows = this.mapRows(0, numWindows, this.filters.numChannels);
    for (let window = 0; window < numWindows; window++) {
      const samples = data.subarray(window * numSamples, (window + 1) * numSamples);
      this.filters.run(samples, { address: rowsFrom(rows, window).address, stride: rows.stride * numWindows });
    }
    if (onValue) this.replace(rows, size, transposed(onValue(values.filters, transposed(this.framesFirst(rows, size)))));
    for (const [index, layer] of this.lstms.entries()) rows = this.runLstm(layer, rows, size, index + 1);
    this.replace(rows, size, onValue?.(values.lstm, this.framesFirst(rows, size)));
    for (const [index, matrix] of this.linears.entries()) {
      rows = this.multiply(matrix, rows, size, this.lstms.length + index + 1);
      const length = numFrames * numWindows * matrix.numColumns;
      this.kernels.raw.leakyRelu(rows.address, length, this.network.linears[index]!.slope);
      this.replace(rows, size, onValue?.(values.linears[index]!, this.framesFirst(rows, size)));
    }
    rows = this.multiply(this.classifier, rows, size, this.lstms.length + this.linears.length + 1);
    return logSoftmax(this.framesFirst(rows, size, this.network.classifier.bias.length));
  }

  protected refuseGpuTensor(): Error {
    return misused('a GPU tensor');
  }

  private layOut(numWindows: number, numSamples: number): void {
    const maxWindows = Math.max(numWindows, this.room.maxWindows);
    const maxSamples = Math.max(numSamples, this.room.maxSamples);
    const { heap } = this.kernels;
    heap.release(this.weightsEnd);
    this.filters.layOut(maxSamples);
    const matrices = [...this.linears, this.classifier].map(({ numColumns }) => numColumns);
    const widest = Math.max(this.filters.numChannels, ...this.lstms.map(({ numOutputs }) => numOutputs), ...matrices);
    // One frame before the first, one after the last, and the rest of a tile.
    const numRows = (this.filters.numFrames(maxSamples) + 2) * maxWindows + TILE_ROWS;
    const numUnits = Math.max(...this.lstms.map((layer) => layer.numUnits));
    this.room = {
      maxSamples,
      maxWindows,
      maps: [heap.allocate(numRows * widest), heap.allocate(numRows * widest)],
      gates: heap.allocate(Math.max(...this.lstms.map((layer) => layer.gateRoom(maxWindows)))),
      cells: heap.allocate(maxWindows * numUnits),
      hidden: heap.allocate((maxWindows * numUnits) / 2),
    };
  }

  /**
   * Two maps are used alternately. Their rows have the axes (frame, window) and start after the room for one frame.
   */
  private mapRows(index: number, numWindows: number, numColumns: number): Rows {
    const stride = numColumns * FLOAT_BYTES;
    return { address: this.room.maps[index % 2]! + numWindows * stride, stride };
  }

  private runLstm(layer: PyannetLstm, input: Rows, size: Size, index: number): Rows {
    const { numWindows, numFrames } = size;
    const rows = this.mapRows(index, numWindows, layer.numOutputs);
    for (const first of [-numWindows, numFrames * numWindows]) {
      this.kernels.heap.floats(rowsFrom(rows, first).address, numWindows * layer.numOutputs).fill(0);
    }
    layer.run({ ...input, ...size }, rows, this.room);
    return rows;
  }

  private multiply(matrix: Matrix | Int16Matrix, input: Rows, { numFrames, numWindows }: Size, index: number): Rows {
    const out = this.mapRows(index, numWindows, matrix.numColumns);
    const product = { out, input, numRows: numFrames * numWindows, relu: false };
    if (isInt16(matrix)) this.int16!.multiply({ ...product, matrix });
    else this.kernels.multiply({ ...product, matrix, offsets: this.noOffset });
    return out;
  }

  /** Returns axes (batch, frame, channel), with the first `numColumns` of each row. */
  private framesFirst(rows: Rows, { numFrames, numWindows }: Size, numColumns = rows.stride / FLOAT_BYTES): FloatTensor {
    const data = new Float32Array(numWindows * numFrames * numColumns);
    for (let row = 0; row < numFrames * numWindows; row++) {
      const place = (row % numWindows) * numFrames + Math.floor(row / numWindows);
      data.set(this.kernels.heap.floats(rowsFrom(rows, row).address, numColumns), place * numColumns);
    }
    return { data, shape: [numWindows, numFrames, numColumns] };
  }

  /** Writes a value with the axes (batch, frame, channel) to its rows. */
  private replace(rows: Rows, { numFrames, numWindows }: Size, value: FloatTensor | undefined): void {
    if (!value) return;
    const numColumns = value.data.length / numWindows / numFrames;
    for (let row = 0; row < numFrames * numWindows; row++) {
      const place = (row % numWindows) * numFrames + Math.floor(row / numWindows);
      const own = value.data.subarray(place * numColumns, (place + 1) * numColumns);
      this.kernels.heap.floats(rowsFrom(rows, row).address, numColumns).set(own);
    }
  }
}

/** Exchanges the last two axes. */
function transposed<Value extends FloatTensor | undefined>(value: Value): Value;
function transposed(value: FloatTensor | undefined): FloatTensor | undefined {
  if (!value) return undefined;
  const { data: source, shape } = value;
  const [numItems, numRows, numColumns] = shape as [number, number, number];
  const data = source.map((_, index) => {
    const row = index % numRows;
    const column = Math.floor(index / numRows) % numColumns;
    const item = Math.floor(index / numRows / numColumns);
    return source[(item * numRows + row) * numColumns + column]!;
  });
  return { data, shape: [numItems, numColumns, numRows] };
}

/** Computes log-softmax over the last axis in place. */
function logSoftmax({ data, shape }: FloatTensor): FloatTensor {
  const numClasses = shape.at(-1)!;
  for (let begin = 0; begin < data.length; begin += numClasses) {
    const row = data.subarray(begin, begin + numClasses);
    const greatest = row.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (let index = 0; index < numClasses; index++) {
      row[index]! -= greatest;
      sum += Math.exp(row[index]!);
    }
    const logarithm = Math.log(sum);
    for (let index = 0; index < numClasses; index++) row[index]! -= logarithm;
  }
  return { data, shape };
}

/** Columns of zeros fill the last panel. */
function packLinear(kernels: Kernels, { weight: { data, shape }, bias }: Linear, asInt16: boolean): Matrix | Int16Matrix {
  const { heap } = kernels;
  const [numIn, numOut] = shape as [number, number];
  if (numIn % (asInt16 ? 4 : 2) !== 0 || bias.length !== numOut) throw unlike(`a linear layer has weights of the shape ${shape.join(' × ')}`);
  const numColumns = PANEL_COLUMNS * Math.ceil(numOut / PANEL_COLUMNS);
  const weight = new Float32Array(numColumns * numIn);
  for (let column = 0; column < numOut; column++) {
    for (let input = 0; input < numIn; input++) weight[column * numIn + input] = data[input * numOut + column]!;
  }
  const biases = new Float32Array(numColumns);
  biases.set(bias);
  if (asInt16) return packInt16(kernels, weight, numColumns, biases);
  const address = heap.store(packPanels({ weight, numOut: numColumns, numIn, numTaps: 1 }));
  return { address, bias: heap.store(biases), numColumns, length: numIn, numSegments: 1 };
}

const misused = (given: string): VoxlaneError =>
  new VoxlaneError({
    code: 'backend-failed',
    problem: `segmentation-3.0 on WASM does not accept ${given}`,
    expected: 'windows, axes (batch, channel, sample) with one channel, on the CPU',
  });
