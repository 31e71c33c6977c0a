import { parseOnnx, type ModelProto } from '../onnx/model';
import type { FloatTensor } from '../ort/graph';
import type { TensorSpec } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { KernelGraph, type OnValue } from '../ort/kernelGraph';
import {
  type Arithmetic,
  bestBuild,
  FLOAT_BYTES,
  Heap,
  instantiate,
  type KernelBuild,
  Kernels,
  type Matrix,
  packPanels,
  type Rows,
} from '../nn/kernels';
import { CampplusBlocks, channelsFirst, expectChannels, FRAME_ROOM, packPointwise, rowsOf, setChannelsFirst, type MapRows } from './campplusBlocks';
import { type CampplusGraph, readCampplus, unlike } from './campplusGraph';
import { CampplusHead } from './campplusHead';
import type { Convolution } from '../onnx/values';

/** Facts from the manifest of the file. */
interface CampplusSpec {
  readonly id: string;
  readonly input: TensorSpec;
  readonly output: TensorSpec;
}

/** Addresses of values before and after the blocks. */
interface Room {
  /** Maximum length of an input. */
  readonly maxFrames: number;
  readonly head: number;
  /** Means, then deviations. */
  readonly statistics: number;
  readonly embedding: number;
  readonly tdnnOffsets: number;
}

/**
 * CAM++ on the kernels of src/nn, used instead of an ONNX Runtime session of the same file.
 *
 * Runs on one thread. It has its own heap for the weights and for the longest input so far.
 */
export class CampplusNet extends KernelGraph {
  protected readonly kernels: Kernels;
  private readonly head: CampplusHead;
  private readonly tdnn: Matrix;
  private readonly blocks: CampplusBlocks;
  private readonly linear: Matrix;
  private readonly noOffset: number;
  private readonly weightsEnd: number;
  private room: Room = { maxFrames: 0, head: 0, statistics: 0, embedding: 0, tdnnOffsets: 0 };

  private constructor(
    private readonly network: CampplusGraph,
    output: TensorSpec,
    private readonly numMelBins: number,
    /** The SIMD variant of the kernels. */
    readonly build: KernelBuild,
    arithmetic: Arithmetic,
  ) {
    super(output);
    const { tdnn, blocks, embedding } = network;
    const [numDimensions, numStatistics] = embedding.weight.shape as [number, number];
    const layers = blocks.flatMap((block) => block.layers.flatMap(({ bottleneck, context }) => [bottleneck, ...context]));
    const widths = [network.headEnd, tdnn, ...layers, ...blocks.map(({ transit }) => transit)].map(({ numOut }) => numOut);
    const heap = new Heap();
    this.kernels = new Kernels(heap, instantiate(build, heap), Math.max(numDimensions, ...widths));
    this.head = new CampplusHead(this.kernels, network, numMelBins);
    this.tdnn = this.packTdnn(tdnn);
    this.blocks = new CampplusBlocks(this.kernels, network, arithmetic);
    if (numStatistics !== 2 * this.blocks.numChannels) throw unlike(`it pools ${numStatistics} statistics`);
    const weight = { weight: embedding.weight.data, numOut: numDimensions, numIn: numStatistics, bias: embedding.bias };
    this.linear = packPointwise(this.kernels, { ...weight, taps: [1], strides: [1], pads: [0] }, numStatistics);
    this.noOffset = this.kernels.heap.storeIntegers([0]);
    this.weightsEnd = this.kernels.heap.mark;
  }

  /**
   * @param bytes of the verified ONNX file; not used afterward
   * @throws VoxlaneError `model-invalid` for a graph with another structure, which ONNX Runtime may still run;
   *   `backend-unavailable` without SIMD; `backend-failed` without memory
   */
  static open(bytes: Uint8Array, facts: CampplusSpec, build: KernelBuild = bestBuild(), arithmetic: Arithmetic = 'float32'): CampplusNet {
    return CampplusNet.ofModel(parseOnnx(bytes, facts.id), facts, build, arithmetic);
  }

  /** Like {@link open}, for a parsed file. */
  static ofModel(
    model: ModelProto,
    { input, output }: CampplusSpec,
    build: KernelBuild = bestBuild(),
    arithmetic: Arithmetic = 'float32',
  ): CampplusNet {
    const numMelBins = input.shape.at(-1);
    if (typeof numMelBins !== 'number') throw unlike('its manifest declares no number of mel bins');
    const network = readCampplus(model, { input: input.name, output: output.name });
    return new CampplusNet(network, output, numMelBins, build, arithmetic);
  }

  /** Names of the values reported by {@link trace}, followed by the output. */
  get valueNames(): readonly string[] {
    const { head, tdnn, blocks, pooling } = this.network.values;
    return [head, tdnn, ...blocks, pooling, this.output.name];
  }

  /**
   * Like {@link compute}, for comparisons: reports every named value before the output, and does not check the
   * output.
   *
   * @param input axes (batch, frame, mel), batch size 1
   * @returns axes (batch, dimension)
   */
  trace({ data, shape }: FloatTensor, onValue?: OnValue): FloatTensor {
    const [batch, numFrames = 0] = shape;
    if (batch !== 1 || numFrames < 1 || data.length !== numFrames * this.numMelBins) {
      throw misused(`features of ${shape.join(' × ')}`);
    }
    if (numFrames > this.room.maxFrames) this.layOut(numFrames);
    const { values, tdnn } = this.network;
    this.head.run(data, numFrames, this.headRows);
    if (onValue) this.offer(onValue, values.head, this.headMap(numFrames));

    const numRows = this.rowsFor(numFrames);
    const { stride } = this.headRows;
    this.kernels.multiply({
      out: this.blocks.input,
      input: { address: this.headRows.address - tdnn.pads[0]! * stride, stride: tdnn.strides[0]! * stride },
      matrix: this.tdnn,
      offsets: this.room.tdnnOffsets,
      numRows,
      relu: true,
    });
    if (onValue) this.offer(onValue, values.tdnn, { rows: this.blocks.input, numFrames: numRows, numChannels: this.tdnn.numColumns });

    const map = this.blocks.run(numRows, onValue && ((block, rows) => {
      this.offer(onValue, values.blocks[block]!, rows);
    }));
    const statistics = this.pool(map, numRows);
    const pooled = onValue?.(values.pooling, { data: statistics.slice(), shape: [1, statistics.length] });
    if (pooled) statistics.set(pooled.data);
    return this.embed();
  }

  protected refuseGpuTensor(): Error {
    return misused('a GPU tensor');
  }

  /** Number of frames in the blocks. */
  private rowsFor(numFrames: number): number {
    const { taps, strides, pads } = this.network.tdnn;
    return Math.floor((numFrames + 2 * pads[0]! - taps[0]!) / strides[0]!) + 1;
  }

  private get headRows(): Rows {
    const stride = this.tdnn.length * FLOAT_BYTES;
    return { address: this.room.head + FRAME_ROOM * stride, stride };
  }

  private layOut(maxFrames: number): void {
    const { heap } = this.kernels;
    heap.release(this.weightsEnd);
    this.head.layOut(maxFrames);
    this.blocks.layOut(this.rowsFor(maxFrames));
    const tapBytes = this.tdnn.length * FLOAT_BYTES;
    this.room = {
      maxFrames,
      head: heap.allocate((maxFrames + 2 * FRAME_ROOM) * this.tdnn.length),
      // Memory for whole tiles of rows, of which only the first row is used.
      statistics: heap.allocate(FRAME_ROOM * this.linear.length),
      embedding: heap.allocate(FRAME_ROOM * this.linear.numColumns),
      tdnnOffsets: heap.storeIntegers(Array.from({ length: this.tdnn.numSegments }, (_, tap) => tap * tapBytes)),
    };
  }

  /**
   * The graph merges channels and frequencies into one axis, channels first. The head's rows have frequencies first.
   */
  private headOrder(index: number): number {
    const { numChannels, numFrequencies } = this.head;
    return (index % numFrequencies) * numChannels + Math.floor(index / numFrequencies);
  }

  private headMap(numFrames: number): MapRows {
    return { rows: this.headRows, numFrames, numChannels: this.tdnn.length, orderOf: (channel) => this.headOrder(channel) };
  }

  /** Calls `onValue` with a map, and writes the returned value to the map's rows. */
  private offer(onValue: OnValue, name: string, map: MapRows): void {
    const other = onValue(name, channelsFirst(this.kernels, map));
    if (other) setChannelsFirst(this.kernels, map, other);
  }

  /** Computes mean and unbiased standard deviation of each channel, in place. */
  private pool({ address, stride }: Rows, numRows: number): Float32Array {
    const { heap, raw } = this.kernels;
    const { numChannels } = this.blocks;
    const { statistics } = this.room;
    const squares = statistics + numChannels * FLOAT_BYTES;
    raw.segmentSums(statistics, address, stride, numRows, numRows, numChannels);
    const means = heap.floats(statistics, numChannels);
    for (let channel = 0; channel < numChannels; channel++) means[channel] = means[channel]! / numRows;
    raw.squaredDeviations(squares, address, stride, statistics, numRows, numChannels);
    const deviations = heap.floats(squares, numChannels);
    for (let channel = 0; channel < numChannels; channel++) {
      deviations[channel] = Math.sqrt(deviations[channel]! / (numRows - 1));
    }
    return heap.floats(statistics, 2 * numChannels);
  }

  private embed(): FloatTensor {
    const { statistics, embedding } = this.room;
    this.kernels.multiply({
      out: rowsOf(embedding, this.linear.numColumns),
      input: rowsOf(statistics, this.linear.length),
      matrix: this.linear,
      offsets: this.noOffset,
      numRows: 1,
      relu: this.network.embedding.relu,
    });
    const data = this.kernels.heap.floats(embedding, this.linear.numColumns).slice();
    return { data, shape: [1, data.length] };
  }

  private packTdnn(tdnn: Convolution): Matrix {
    const { heap } = this.kernels;
    const { weight, numIn, numOut, bias, taps, pads, dilations } = tdnn;
    const [numTaps = 0] = taps;
    if (taps.length !== 1 || dilations[0] !== 1 || pads[0]! > FRAME_ROOM) throw unlike('its second part is not a filter over frames');
    expectChannels(tdnn, this.head.numChannels * this.head.numFrequencies);
    const { numChannels, numFrequencies } = this.head;
    // The graph's channel for each column of the head: the inverse of headOrder.
    const order = Uint32Array.from({ length: numIn }, (_, column) => (column % numChannels) * numFrequencies + Math.floor(column / numChannels));
    const packed = packPanels({ weight, numOut, numIn, numTaps }, numIn, order);
    return { address: heap.store(packed), bias: heap.store(bias), numColumns: numOut, length: numIn, numSegments: numTaps };
  }
}

const misused = (given: string): VoxlaneError =>
  new VoxlaneError({
    code: 'backend-failed',
    problem: `CAM++ on WASM does not accept ${given}`,
    expected: 'features of one speaker, axes (batch, frame, mel), on the CPU',
  });
