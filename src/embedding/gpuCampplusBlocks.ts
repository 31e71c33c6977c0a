import { destroyAll, uploadBuffer } from '../gpu/buffers';
import type { Own } from '../gpu/context';
import { type GpuWeights, packWeights, type PackedWeights, type ProductKernels, type RowPlaces } from '../gpu/product';
import type { Program } from '../gpu/program';
import type { Convolution, Normalization } from '../onnx/values';
import { type CampplusGraph, type DenseLayer, unlike } from './campplusGraph';
import { type GateShape, GpuGates, packGates } from './gpuGates';

/** A product of normalized inputs. */
interface Normalized {
  readonly weights: GpuWeights;
  /** Axes (channel, [center, scale, shift, slope]). */
  readonly factors: GPUBuffer;
}

interface Layer {
  readonly bottleneck: Normalized;
  readonly gates: { readonly first: GPUBuffer; readonly second: GPUBuffer };
  readonly local: GpuWeights;
  readonly numTaps: number;
  readonly dilation: number;
  /** Number of input channels. The layer's own output channels follow them. */
  readonly numIn: number;
}

interface Block {
  readonly layers: readonly Layer[];
  readonly transit: Normalized;
  readonly transitRelu: boolean;
}

/** Buffers of the blocks. */
export interface BlockBuffers {
  /** Axes (row, channel), with {@link GpuCampplusBlocks.maxChannels} values per row; used alternately by the blocks. */
  readonly maps: readonly [GPUBuffer, GPUBuffer];
  /** Axes (row, channel of a bottleneck). */
  readonly hidden: GPUBuffer;
  /** Scratch of the gates, axes (gate row, channel of a bottleneck). */
  readonly sums: GPUBuffer;
  /** Axes (gate row, gate). */
  readonly gates: GPUBuffer;
  /** Axes (row): 0 in gaps, otherwise 1 + the gate row. */
  readonly rowTable: GPUBuffer;
  /** Axes (item, [first row, number of rows, first gate row, 0]). */
  readonly items: GPUBuffer;
}

/** Dispatches of a layer: bottleneck, gates, local convolution. */
const LAYER_DISPATCHES = 3;

/**
 * CAM++'s dense blocks on the GPU. Each block is one map to which every layer appends its channels, so nothing is
 * concatenated. Normalization and ReLU are applied where a product reads its input, and gates where it is stored.
 */
export class GpuCampplusBlocks {
  private readonly blocks: readonly Block[];
  /** Of all layers. */
  readonly shape: GateShape;
  readonly maxChannels: number;
  /** Maximum number of rows that local taps reach to either side. */
  readonly reach: number;
  private kernel: GpuGates | null = null;

  /**
   * @param upload copies weights to the GPU
   * @param own registers other buffers
   * @throws VoxlaneError `model-invalid` for unsupported layers
   */
  constructor(
    private readonly device: GPUDevice,
    private readonly products: ProductKernels,
    private readonly network: CampplusGraph,
    private readonly upload: (packed: PackedWeights) => GpuWeights,
    private readonly own: Own,
  ) {
    let numChannels = network.tdnn.numOut;
    let maxChannels = 0;
    this.blocks = network.blocks.map(({ layers, normalization, transit, transitRelu }) => {
      const packed = layers.map((layer) => {
        const packedLayer = this.packLayer(layer, numChannels);
        numChannels += layer.local.numOut;
        return packedLayer;
      });
      const block = { layers: packed, transit: this.packNormalized(transit, normalization, numChannels), transitRelu };
      maxChannels = Math.max(maxChannels, numChannels, transit.numOut);
      numChannels = transit.numOut;
      return block;
    });
    this.maxChannels = maxChannels;
    const layers = network.blocks.flatMap((block) => block.layers);
    const { context } = layers[0]!;
    this.shape = { numChannels: context[0].numIn, numInner: context[0].numOut, numGates: context[1].numOut };
    const shapes = layers.map(({ bottleneck, context: [first, second], local }) => [bottleneck.numOut, local.numIn, first.numIn, first.numOut, second.numOut, local.numOut].join());
    const { numChannels: width, numInner, numGates } = this.shape;
    if (shapes.some((shape) => shape !== [width, width, width, numInner, numGates, numGates].join())) throw unlike('its dense layers have different numbers of channels');
    this.reach = Math.max(...layers.map(({ local }) => local.pads[0]!));
  }

  /** Number of output channels. */
  get numOutputs(): number {
    return this.network.blocks.at(-1)!.transit.numOut;
  }

  /** Number of groups of channels that are checked by themselves: the inputs of each block, and the output of each layer. */
  get numGroups(): number {
    return this.blocks.reduce((sum, { layers }) => sum + 1 + layers.length, 0);
  }

  /** Number of dispatches of a batch. */
  get numDispatches(): number {
    return this.blocks.reduce((sum, { layers }) => sum + LAYER_DISPATCHES * layers.length + 1, 0);
  }

  /** @throws VoxlaneError `backend-failed` if a kernel does not compile */
  async open(): Promise<void> {
    const all = this.blocks.flatMap(({ layers, transit }) => [transit.weights, ...layers.flatMap(({ bottleneck, local }) => [bottleneck.weights, local])]);
    await Promise.all(all.map((weights) => this.products.open(weights)));
    this.kernel = await GpuGates.open(this.device, this.shape);
  }

  /**
   * Adds all dispatches to a program.
   *
   * @param onBlock called before each block's transit, when its map is complete, with the number of its channels and of
   *   those before its first layer
   * @returns the map with the output
   */
  add(
    program: Program,
    buffers: BlockBuffers,
    { numRows, numItems }: { readonly numRows: number; readonly numItems: number },
    onBlock: (map: GPUBuffer, numChannels: number, numInputs: number) => void,
  ): GPUBuffer {
    for (const [index, { layers, transit, transitRelu }] of this.blocks.entries()) {
      const [map, next] = [buffers.maps[index % 2]!, buffers.maps[(index + 1) % 2]!];
      for (const layer of layers) this.addLayer(program, layer, map, buffers, numRows, numItems);
      onBlock(map, transit.weights.numInputs, layers[0]!.numIn);
      const { weights, factors } = transit;
      const slope = transitRelu ? 0 : 1;
      const rows = this.rowsFrom(0);
      this.products.add(program, weights, { input: map, inputRows: rows, out: next, outRows: rows, factors, channels: weights.numInputs, numRows, slope });
    }
    return buffers.maps[this.blocks.length % 2]!;
  }

  destroy(): void {
    const destroyNormalized = ({ weights: { weights, bias }, factors }: Normalized): void => { destroyAll(weights, bias, factors); };
    for (const { layers, transit } of this.blocks) {
      destroyNormalized(transit);
      for (const { bottleneck, gates, local } of layers) {
        destroyNormalized(bottleneck);
        destroyAll(gates.first, gates.second, local.weights, local.bias);
      }
    }
  }

  private addLayer(program: Program, layer: Layer, map: GPUBuffer, buffers: BlockBuffers, numRows: number, numItems: number): void {
    const { bottleneck, gates, local, numTaps, dilation, numIn } = layer;
    const { hidden, sums, gates: gateRows, rowTable, items } = buffers;
    const width = this.shape.numChannels;
    this.products.add(program, bottleneck.weights, {
      input: map,
      inputRows: this.rowsFrom(0),
      factors: bottleneck.factors,
      channels: numIn,
      out: hidden,
      outRows: { base: 0, outerStride: width },
      numRows,
      slope: 0,
      // Gaps are zeros, which are the padding of the local taps.
      table: rowTable,
    });
    const segmentRows = this.network.segmentFrames;
    this.kernel!.add(program, { hidden, items, numItems, segmentRows, ...gates, sums, gates: gateRows });
    const step = dilation * width;
    this.products.add(program, local, {
      input: hidden,
      inputRows: { base: (-step * (numTaps - 1)) / 2, outerStride: width },
      tapLength: width,
      tapStride: step,
      out: map,
      outRows: this.rowsFrom(numIn),
      numRows,
      table: rowTable,
      gates: gateRows,
    });
  }

  private rowsFrom(channel: number): RowPlaces {
    return { base: channel, outerStride: this.maxChannels };
  }

  private packLayer({ normalization, bottleneck, context, local }: DenseLayer, numIn: number): Layer {
    const { weight, numIn: width, numOut, bias, taps, strides, pads, dilations } = local;
    const [[numTaps = 0], [pad = 0], [dilation = 1]] = [taps, pads, dilations];
    const centered = taps.length === 1 && numTaps % 2 === 1 && strides[0] === 1 && 2 * pad === (numTaps - 1) * dilation;
    if (!centered) throw unlike('its local taps are not centered on their frame');
    const { first, second } = packGates(context);
    return {
      bottleneck: this.packNormalized(bottleneck, normalization, numIn),
      gates: { first: this.uploadFloats(first), second: this.uploadFloats(second) },
      local: this.upload(packWeights({ numInputs: numTaps * width, numColumns: numOut, bias }, tapWeights(weight, width, numTaps))),
      numTaps,
      dilation,
      numIn,
    };
  }

  private packNormalized({ weight, numIn, numOut, bias, taps, strides, pads }: Convolution, { scale, shift }: Normalization, expectedIn: number): Normalized {
    if ([taps, strides, pads].map(String).join(' ') !== '1 1 0') throw unlike('a convolution has more than one tap, a stride or padding');
    if (numIn !== expectedIn || scale.length !== expectedIn) throw unlike(`a convolution has ${numIn} input channels instead of ${expectedIn}`);
    const factors = Float32Array.from({ length: 4 * numIn }, (_, i) => [0, scale[i >> 2]!, shift[i >> 2]!, 0][i % 4]!);
    const packed = packWeights({ numInputs: numIn, numColumns: numOut, bias }, tapWeights(weight, numIn, 1));
    return { weights: this.upload(packed), factors: this.uploadFloats(factors) };
  }

  private uploadFloats(values: Float32Array<ArrayBuffer>): GPUBuffer {
    return this.own(uploadBuffer(this.device, 'embedding weights', values));
  }
}

/** Weights with the file's axes (output, input, tap) for inputs with the axes (tap, input). */
export const tapWeights =
  (weight: Float32Array, numIn: number, numTaps: number, orderOf = (input: number): number => input) =>
  (k: number, column: number): number =>
    weight[(column * numIn + orderOf(k % numIn)) * numTaps + Math.floor(k / numIn)]!;
