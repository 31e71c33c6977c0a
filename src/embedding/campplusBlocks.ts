import type { FloatTensor } from '../ort/graph';
import { type Int16Matrix, Int16Products, isInt16, packInt16 } from '../nn/int16';
import { type Arithmetic, FLOAT_BYTES, type Kernels, type Matrix, packPanels, PANEL_COLUMNS, type Rows, TILE_ROWS } from '../nn/kernels';
import { type CampplusGraph, type DenseLayer, unlike } from './campplusGraph';
import type { Convolution, Normalization } from '../onnx/values';

/** Addresses of the two vectors of a normalization. */
interface Scaling {
  readonly scale: number;
  readonly shift: number;
}

interface Layer {
  readonly normalization: Scaling;
  readonly bottleneck: Matrix | Int16Matrix;
  readonly context: readonly [Matrix, Matrix];
  readonly local: Matrix;
  /** Number of frames that the local taps reach to either side. */
  readonly reach: number;
  /** Number of input channels. The layer's own output channels follow them. */
  readonly numIn: number;
}

interface Block {
  readonly layers: readonly Layer[];
  readonly normalization: Scaling;
  readonly transit: Matrix | Int16Matrix;
  readonly transitRelu: boolean;
  /** Number of channels of the complete map. */
  readonly numChannels: number;
}

/**
 * Number of rows that are normalized and multiplied at a time. Together with the weights they fit the second-level
 * cache.
 */
const ROWS_AT_ONCE = 12 * TILE_ROWS;
/** Additional frames before the first and after the last, for padding and for whole tiles. */
export const FRAME_ROOM = 16;
/** Values per vector. */
const LANES = 4;

/**
 * CAM++'s dense blocks. Each block is one map (frame, channel) to which every layer appends its channels, so nothing
 * is concatenated. Normalization and ReLU are applied to rows just before a product reads them.
 */
export class CampplusBlocks {
  private readonly blocks: readonly Block[];
  /** Computes the bottlenecks and transits, whose inputs are not negative, with int16; null for float32. */
  private readonly int16: Int16Products | null;
  private readonly noOffset: number;
  private readonly segmentFrames: number;
  private readonly maxChannels: number;
  /** Addresses; see {@link layOut}. */
  private room = { maps: [0, 0] as readonly [number, number], hidden: 0, normalized: 0, sums: 0, inner: 0, gates: 0 };
  private readonly tapOffsets: ReadonlyMap<Layer, number>;

  /** @throws VoxlaneError `model-invalid` for unsupported layers */
  constructor(
    private readonly kernels: Kernels,
    { blocks, segmentFrames, tdnn }: CampplusGraph,
    arithmetic: Arithmetic,
  ) {
    const widest = Math.max(...blocks.map(({ transit }) => transit.numIn));
    this.int16 = arithmetic === 'int16' ? new Int16Products(kernels, widest) : null;
    this.segmentFrames = segmentFrames;
    this.noOffset = kernels.heap.storeIntegers([0]);
    let numChannels = tdnn.numOut;
    this.blocks = blocks.map(({ layers, normalization, transit, transitRelu }) => {
      const packed = layers.map((layer) => {
        const own = this.packLayer(layer, numChannels);
        numChannels += layer.local.numOut;
        return own;
      });
      const block = {
        layers: packed,
        normalization: this.packScaling(normalization, numChannels),
        transit: this.packWide(transit, numChannels),
        transitRelu,
        numChannels,
      };
      numChannels = transit.numOut;
      return block;
    });
    this.maxChannels = Math.max(...this.blocks.flatMap((block) => [block.numChannels, block.transit.numColumns]));
    const { heap } = kernels;
    this.tapOffsets = new Map(
      this.blocks
        .flatMap(({ layers }) => layers)
        .map((layer) => {
          const { local, reach } = layer;
          const step = (2 * reach) / (local.numSegments - 1);
          const frames = Array.from({ length: local.numSegments }, (_, tap) => tap * step - reach);
          return [layer, heap.storeIntegers(frames.map((frame) => frame * local.length * FLOAT_BYTES))];
        }),
    );
  }

  /** Number of output channels. */
  get numChannels(): number {
    return this.blocks.at(-1)!.transit.numColumns;
  }

  /** Rows for the input of the first block. Write it before {@link run}. */
  get input(): Rows {
    return this.mapOf(0);
  }

  /** Allocates memory for up to `maxFrames` frames on the heap. */
  layOut(maxFrames: number): void {
    const { heap } = this.kernels;
    const rows = maxFrames + 2 * FRAME_ROOM;
    const layers = this.blocks.flatMap((block) => block.layers);
    const widest = (widthOf: (layer: Layer) => number): number => Math.max(...layers.map(widthOf));
    const segments = Math.ceil(maxFrames / this.segmentFrames) + TILE_ROWS;
    this.room = {
      maps: [heap.allocate(rows * this.maxChannels), heap.allocate(rows * this.maxChannels)],
      hidden: heap.allocate(rows * widest(({ bottleneck }) => bottleneck.numColumns)),
      normalized: heap.allocate(ROWS_AT_ONCE * this.maxChannels),
      sums: heap.allocate(segments * widest(({ bottleneck }) => bottleneck.numColumns)),
      inner: heap.allocate(segments * widest(({ context }) => context[0].numColumns)),
      gates: heap.allocate(segments * widest(({ context }) => context[1].numColumns)),
    };
  }

  /**
   * @param onBlock called with each block's complete map, whose rows it may change
   * @returns rows of the last transit
   */
  run(numFrames: number, onBlock?: (block: number, map: MapRows) => void): Rows {
    for (const [index, { layers, normalization, transit, transitRelu, numChannels }] of this.blocks.entries()) {
      const map = this.mapOf(index);
      for (const layer of layers) this.runLayer(layer, map, numFrames);
      onBlock?.(index, { rows: map, numFrames, numChannels });
      this.normalizedProduct(map, normalization, transit, this.mapOf(index + 1), numFrames, transitRelu);
    }
    return this.mapOf(this.blocks.length);
  }

  /** Two maps are used alternately. */
  private mapOf(block: number): Rows {
    const stride = this.maxChannels * FLOAT_BYTES;
    return { address: this.room.maps[block % 2]! + FRAME_ROOM * stride, stride };
  }

  private runLayer(layer: Layer, map: Rows, numFrames: number): void {
    const { normalization, bottleneck, local, reach, numIn } = layer;
    const { heap, raw } = this.kernels;
    const stride = bottleneck.numColumns * FLOAT_BYTES;
    const hidden = { address: this.room.hidden + FRAME_ROOM * stride, stride };
    this.normalizedProduct(map, normalization, bottleneck, hidden, numFrames, true);
    // Whole tiles have overwritten the padding of the local taps.
    heap.floats(hidden.address + numFrames * stride, reach * bottleneck.numColumns).fill(0);
    const out = { address: map.address + numIn * FLOAT_BYTES, stride: map.stride };
    const offsets = this.tapOffsets.get(layer)!;
    this.kernels.multiply({ out, input: hidden, matrix: local, offsets, numRows: numFrames, relu: false });
    this.computeGates(layer, hidden, numFrames);
    raw.gate(out.address, out.stride, this.room.gates, numFrames, this.segmentFrames, local.numColumns);
  }

  /** Computes the gates of each segment from its mean plus the mean of all frames. */
  private computeGates({ context }: Layer, hidden: Rows, numFrames: number): void {
    const { heap, raw } = this.kernels;
    const { sums, inner, gates } = this.room;
    const numChannels = context[0].length;
    const numSegments = Math.ceil(numFrames / this.segmentFrames);
    raw.segmentSums(sums, hidden.address, hidden.stride, numFrames, this.segmentFrames, numChannels);
    const means = heap.floats(sums, numSegments * numChannels);
    for (let channel = 0; channel < numChannels; channel++) {
      let total = 0;
      for (let segment = 0; segment < numSegments; segment++) total += means[segment * numChannels + channel]!;
      for (let segment = 0; segment < numSegments; segment++) {
        const size = Math.min(this.segmentFrames, numFrames - segment * this.segmentFrames);
        means[segment * numChannels + channel] = means[segment * numChannels + channel]! / size + total / numFrames;
      }
    }
    const product = { offsets: this.noOffset, numRows: numSegments };
    const [first, second] = context;
    const [sumRows, innerRows, gateRows] = [rowsOf(sums, first.length), rowsOf(inner, first.numColumns), rowsOf(gates, second.numColumns)];
    this.kernels.multiply({ ...product, out: innerRows, input: sumRows, matrix: first, relu: true });
    this.kernels.multiply({ ...product, out: gateRows, input: innerRows, matrix: second, relu: false });
    const values = heap.floats(gates, numSegments * second.numColumns);
    for (let index = 0; index < values.length; index++) values[index] = 1 / (1 + Math.exp(-values[index]!));
  }

  /** relu?(matrix · relu(normalization(map))). */
  private normalizedProduct(map: Rows, { scale, shift }: Scaling, matrix: Matrix | Int16Matrix, out: Rows, numFrames: number, relu: boolean): void {
    const { normalized } = this.room;
    const input = rowsOf(normalized, matrix.length);
    for (let frame = 0; frame < numFrames; frame += ROWS_AT_ONCE) {
      const numRows = Math.min(ROWS_AT_ONCE, numFrames - frame);
      const from = map.address + frame * map.stride;
      this.kernels.raw.scaleShiftRelu({
        out: normalized,
        outStride: input.stride,
        input: from,
        inputStride: map.stride,
        scale,
        shift,
        rows: numRows,
        channels: matrix.length,
      });
      const to = { address: out.address + frame * out.stride, stride: out.stride };
      if (isInt16(matrix)) this.int16!.multiply({ out: to, input, matrix, numRows, relu });
      else this.kernels.multiply({ out: to, input, matrix, offsets: this.noOffset, numRows, relu });
    }
  }

  /** Packs a convolution with one tap and many inputs. */
  private packWide(convolution: Convolution, numIn: number): Matrix | Int16Matrix {
    if (!this.int16) return packPointwise(this.kernels, convolution, numIn);
    expectPointwise(convolution, numIn);
    return packInt16(this.kernels, convolution.weight, convolution.numOut, convolution.bias);
  }

  private packLayer({ normalization, bottleneck, context, local }: DenseLayer, numIn: number): Layer {
    const { heap } = this.kernels;
    const [taps = 0] = local.taps;
    const [reach = 0] = local.pads;
    const centered = taps % 2 === 1 && taps > 1 && local.strides[0] === 1 && 2 * reach === (taps - 1) * local.dilations[0]!;
    if (!centered || reach > FRAME_ROOM || local.taps.length !== 1) throw unlike('its local taps are not centered on their frame');
    expectChannels(local, bottleneck.numOut);
    if (context[1].numOut !== local.numOut) throw unlike(`it has ${context[1].numOut} gates for ${local.numOut} channels`);
    const { numOut, weight, bias } = local;
    const packed = packPanels({ weight, numOut, numIn: local.numIn, numTaps: taps });
    return {
      normalization: this.packScaling(normalization, numIn),
      bottleneck: this.packWide(bottleneck, numIn),
      context: [
        packPointwise(this.kernels, context[0], bottleneck.numOut),
        packPointwise(this.kernels, context[1], context[0].numOut),
      ],
      local: { address: heap.store(packed), bias: heap.store(bias), numColumns: numOut, length: local.numIn, numSegments: taps },
      reach,
      numIn,
    };
  }

  private packScaling({ scale, shift }: Normalization, numChannels: number): Scaling {
    if (scale.length !== numChannels) throw unlike(`a normalization has ${scale.length} channels instead of ${numChannels}`);
    return { scale: this.kernels.heap.store(scale), shift: this.kernels.heap.store(shift) };
  }
}

/**
 * Packs a convolution with one tap into the heap.
 *
 * @throws VoxlaneError `model-invalid` for other convolutions
 */
export function packPointwise({ heap }: Kernels, convolution: Omit<Convolution, 'dilations'>, numIn: number): Matrix {
  const { weight, numOut, bias } = convolution;
  expectPointwise(convolution, numIn);
  const address = heap.store(packPanels({ weight, numOut, numIn, numTaps: 1 }));
  return { address, bias: heap.store(bias), numColumns: numOut, length: numIn, numSegments: 1 };
}

function expectPointwise(convolution: Omit<Convolution, 'dilations'>, numIn: number): void {
  const { taps, strides, pads } = convolution;
  if ([taps, strides, pads].map(String).join(' ') !== '1 1 0') throw unlike('a convolution has more than one tap, a stride or padding');
  expectChannels(convolution, numIn);
}

/** @throws VoxlaneError `model-invalid` */
export function expectChannels({ numIn, numOut }: Pick<Convolution, 'numIn' | 'numOut'>, expectedIn: number): void {
  if (numIn === expectedIn && numIn % LANES === 0 && numOut % PANEL_COLUMNS === 0) return;
  throw unlike(`a convolution has ${numIn} input and ${numOut} output channels, instead of ${expectedIn} inputs (a multiple of 4) and a multiple of 8 outputs`);
}

/** Contiguous rows. */
export const rowsOf = (address: number, numColumns: number): Rows => ({ address, stride: numColumns * FLOAT_BYTES });

/** The rows of a map. */
export interface MapRows {
  readonly rows: Rows;
  readonly numFrames: number;
  readonly numChannels: number;
  /** Maps a channel of the graph to its column; identity if absent. */
  readonly orderOf?: (channel: number) => number;
}

/** Returns a map in the graph's order, axes (batch, channel, frame). */
export function channelsFirst({ heap }: Kernels, { rows: { address, stride }, numFrames, numChannels, orderOf = identity }: MapRows): FloatTensor {
  const data = new Float32Array(numChannels * numFrames);
  for (let frame = 0; frame < numFrames; frame++) {
    const row = heap.floats(address + frame * stride, numChannels);
    for (let channel = 0; channel < numChannels; channel++) data[channel * numFrames + frame] = row[orderOf(channel)]!;
  }
  return { data, shape: [1, numChannels, numFrames] };
}

/** Writes a map in the graph's order, axes (batch, channel, frame), to its rows. */
export function setChannelsFirst({ heap }: Kernels, { rows: { address, stride }, numFrames, numChannels, orderOf = identity }: MapRows, { data }: FloatTensor): void {
  for (let frame = 0; frame < numFrames; frame++) {
    const row = heap.floats(address + frame * stride, numChannels);
    for (let channel = 0; channel < numChannels; channel++) row[orderOf(channel)] = data[channel * numFrames + frame]!;
  }
}

const identity = (channel: number): number => channel;
