import {
  FLOAT_BYTES,
  type Kernels,
  type Matrix,
  packPanels,
  packWinograd,
  PANEL_COLUMNS,
  type Rows,
  WINOGRAD_OUTPUTS,
  WINOGRAD_PRODUCTS,
} from '../nn/kernels';
import { type CampplusGraph, unlike } from './campplusGraph';
import type { Convolution } from '../onnx/values';

/** A map with the axes (frequency, frame, channel), with room for padding before and after the frames. */
interface Image {
  /** Address of frame 0 of frequency 0. */
  readonly address: number;
  /** Distance between frequencies in bytes. */
  readonly rowStride: number;
  /** Distance between frames in bytes. */
  readonly frameStride: number;
}

/** A convolution with 3 × 3 taps as Winograd products along the frames, summed over three frequencies. */
interface Winograd {
  /** One matrix per product. Its segments are the frequency taps. */
  readonly products: readonly Matrix[];
  readonly bias: number;
  readonly numIn: number;
  readonly numOut: number;
  /** Stride along the frequencies. */
  readonly stride: number;
}

interface Residual {
  readonly first: Winograd;
  readonly second: Winograd;
  readonly shortcut: { readonly matrix: Matrix; readonly stride: number } | null;
}

/** Additional frames on each side of a row, for padding and for whole tiles. */
const ROOM = 16;
/** Number of frequency taps, and of rows kept as Winograd inputs. Three output rows use each input row. */
const TAPS = 3;
/** Inputs of a segment of the first convolution: its three taps, and a zero to make the number even. */
const STEM_INPUTS = 4;

/** The residual network at the start of CAM++: from features to rows of (frame, frequency × channel). */
export class CampplusHead {
  private readonly stem: Matrix;
  private readonly blocks: readonly Residual[];
  private readonly end: Winograd;
  private readonly noOffset: number;
  /** Winograd inputs of three frequencies, axes (frequency modulo 3, product, tile, channel), and their products. */
  private ring = { address: 0, offsets: 0, plane: 0, products: 0 };
  private stemOffsets = 0;
  private features: Image = { address: 0, rowStride: 0, frameStride: FLOAT_BYTES };
  /**
   * Two maps that blocks start and end with, used alternately, and between them one for intermediate values of a
   * block.
   */
  private images: readonly [Image, Image, Image] = [this.features, this.features, this.features];

  /** @throws VoxlaneError `model-invalid` for unsupported convolutions */
  constructor(
    private readonly kernels: Kernels,
    { stem, residualBlocks, headEnd }: CampplusGraph,
    private readonly numMelBins: number,
  ) {
    const { heap } = kernels;
    if (stem.numIn !== 1 || stem.strides.join() !== '1,1') throw unlike('its first convolution is not a filter of the features');
    expectTaps(stem);
    const { numOut, bias } = stem;
    const packed = packPanels({ weight: widened(stem.weight), numOut, numIn: STEM_INPUTS, numTaps: TAPS });
    this.stem = { address: heap.store(packed), bias: heap.store(bias), numColumns: numOut, length: STEM_INPUTS, numSegments: TAPS };
    this.noOffset = heap.storeIntegers([0]);
    this.blocks = residualBlocks.map(({ first, second, shortcut }) => ({
      first: this.pack(first),
      second: this.pack(second),
      shortcut: shortcut && this.packShortcut(shortcut),
    }));
    this.end = this.pack(headEnd);
    const all = [this.end, ...this.blocks.flatMap(({ first, second }) => [first, second])];
    if (all.some((own) => own.numIn !== numOut || own.numOut !== numOut)) throw unlike('the number of channels in its head changes');
    const fitting = this.blocks.every(({ first, second, shortcut }) => second.stride === 1 && first.stride === (shortcut?.stride ?? 1));
    if (!fitting) throw unlike('the stride of a shortcut in its head differs from that of its block');
  }

  /** Number of output channels per frequency. */
  get numChannels(): number {
    return this.end.numOut;
  }

  /** Number of output frequencies. */
  get numFrequencies(): number {
    const strides = [...this.blocks.map(({ first }) => first.stride), this.end.stride];
    return strides.reduce(outputSize, this.numMelBins);
  }

  /** Allocates memory for up to `maxFrames` frames on the heap. */
  layOut(maxFrames: number): void {
    const { heap } = this.kernels;
    const image = (numFrequencies: number, numChannels: number): Image => {
      const frameStride = numChannels * FLOAT_BYTES;
      const rowStride = (maxFrames + 2 * ROOM) * frameStride;
      return { address: heap.allocate((numFrequencies * rowStride) / FLOAT_BYTES) + ROOM * frameStride, rowStride, frameStride };
    };
    this.features = image(this.numMelBins, 1);
    const channels = this.numChannels;
    const half = outputSize(this.numMelBins, this.blocks[0]?.first.stride ?? 1);
    this.images = [image(this.numMelBins, channels), image(half, channels), image(half, channels)];
    this.stemOffsets = heap.storeIntegers([0, 1, 2].map((tap) => tap * this.features.rowStride));
    const tiles = Math.ceil(maxFrames / WINOGRAD_OUTPUTS) + ROOM;
    const plane = tiles * channels * FLOAT_BYTES;
    const numFloats = (WINOGRAD_PRODUCTS * plane) / FLOAT_BYTES;
    const slot = WINOGRAD_PRODUCTS * plane;
    this.ring = {
      address: heap.allocate(TAPS * numFloats),
      // Almost two cycles, so three consecutive slots can start at any slot.
      offsets: heap.storeIntegers([0, 1, 2, 0, 1].map((place) => place * slot)),
      plane,
      products: heap.allocate(numFloats),
    };
  }

  /**
   * @param features axes (frame, mel)
   * @param out written: axes (frame, frequency × channel), with room for {@link TAIL_FRAMES} after the last frame
   */
  run(features: Float32Array, numFrames: number, out: Rows): void {
    this.setFeatures(features, numFrames);
    const [a, b, c] = this.images;
    let [input, other] = [a, c];
    let size = this.numMelBins;
    this.filterFeatures(numFrames, input);
    for (const { first, second, shortcut } of this.blocks) {
      const before = size;
      size = this.convolve(first, input, before, numFrames, b);
      const target = shortcut ? other : input;
      if (shortcut) this.takeShortcut(shortcut, input, size, numFrames, target);
      this.convolve(second, b, size, numFrames, target, target);
      if (shortcut) [input, other] = [other, input];
    }
    const rowStride = this.end.numOut * FLOAT_BYTES;
    this.convolve(this.end, input, size, numFrames, { address: out.address, rowStride, frameStride: out.stride });
  }

  /** Transposes (frame, mel) to (mel, frame), with zeros after the last frame. */
  private setFeatures(features: Float32Array, numFrames: number): void {
    const { address, rowStride } = this.features;
    for (let mel = 0; mel < this.numMelBins; mel++) {
      const row = this.kernels.heap.floats(address + mel * rowStride, numFrames + ROOM);
      for (let frame = 0; frame < numFrames; frame++) row[frame] = features[frame * this.numMelBins + mel]!;
      row.fill(0, numFrames);
    }
  }

  private filterFeatures(numFrames: number, out: Image): void {
    const { address, rowStride, frameStride } = this.features;
    for (let frequency = 0; frequency < this.numMelBins; frequency++) {
      const segments = tapsWithin(frequency, 1, this.numMelBins);
      this.kernels.multiply({
        out: rowOf(out, frequency),
        // The taps of one frequency start one frame before the output's.
        input: { address: address + (frequency - 1) * rowStride - frameStride, stride: frameStride },
        matrix: this.stem,
        offsets: this.stemOffsets,
        numRows: numFrames,
        segments,
        relu: true,
      });
      this.clearBehind(out, frequency, numFrames);
    }
  }

  /**
   * Computes relu(convolution + add) for all frequencies.
   *
   * @param inputSize number of frequencies of `input`
   * @returns number of frequencies of `out`
   */
  private convolve(weights: Winograd, input: Image, inputSize: number, numFrames: number, out: Image, add?: Image): number {
    const { raw, zeros } = this.kernels;
    const { address, plane, offsets, products } = this.ring;
    const { numIn, numOut, stride } = weights;
    const slot = WINOGRAD_PRODUCTS * plane;
    const tiles = Math.ceil(numFrames / WINOGRAD_OUTPUTS);
    const size = outputSize(inputSize, stride);
    let numReady = 0;
    for (let frequency = 0; frequency < size; frequency++) {
      const { first, count } = tapsWithin(frequency, stride, inputSize);
      const firstInput = stride * frequency - 1 + first;
      for (; numReady < firstInput + count; numReady++) {
        const from = rowOf(input, numReady).address - input.frameStride;
        raw.toWinograd(address + (numReady % TAPS) * slot, plane, from, tiles, numIn);
      }
      // If taps are omitted, the product skips their offsets as well as their weights.
      const place = (stride * frequency - 1 + TAPS) % TAPS;
      for (const [product, matrix] of weights.products.entries()) {
        this.kernels.multiply({
          out: { address: products + product * plane, stride: numOut * FLOAT_BYTES },
          input: { address: address + product * plane, stride: numIn * FLOAT_BYTES },
          matrix,
          offsets: offsets + place * FLOAT_BYTES,
          numRows: tiles,
          segments: { first, count },
          relu: false,
        });
      }
      const to = rowOf(out, frequency);
      const added = add ? rowOf(add, frequency) : { address: zeros, stride: 0 };
      raw.fromWinograd({
        out: to.address,
        outStride: to.stride,
        products,
        plane,
        tiles,
        channels: numOut,
        bias: weights.bias,
        add: added.address,
        addStride: added.stride,
        relu: true,
      });
      this.clearBehind(out, frequency, numFrames);
    }
    return size;
  }

  private takeShortcut(
    { matrix, stride }: NonNullable<Residual['shortcut']>,
    input: Image,
    size: number,
    numFrames: number,
    out: Image,
  ): void {
    for (let frequency = 0; frequency < size; frequency++) {
      const from = rowOf(input, stride * frequency);
      const to = rowOf(out, frequency);
      this.kernels.multiply({ out: to, input: from, matrix, offsets: this.noOffset, numRows: numFrames, relu: false });
    }
  }

  /**
   * Clears the frames after the last, which are the padding of the next convolution, because whole tiles have been
   * written there.
   */
  private clearBehind(image: Image, frequency: number, numFrames: number): void {
    const { address, stride } = rowOf(image, frequency);
    const { heap } = this.kernels;
    const first = address + numFrames * stride;
    if (stride === this.numChannels * FLOAT_BYTES) heap.floats(first, TAIL_FRAMES * this.numChannels).fill(0);
    // In the last map, the frequencies of a frame are adjacent.
    else for (let frame = 0; frame < TAIL_FRAMES; frame++) heap.floats(first + frame * stride, this.numChannels).fill(0);
  }

  private pack(convolution: Convolution): Winograd {
    const { heap, zeros } = this.kernels;
    const { weight, bias, numIn, numOut, strides } = convolution;
    if (strides[1] !== 1 || numIn % 4 !== 0) throw unlike('a convolution in its head skips frames, or its number of channels is not supported');
    expectTaps(convolution);
    const packed = packWinograd({ weight, numIn, numOut, numTaps: TAPS * TAPS });
    const address = heap.store(packed);
    const bytes = (packed.length / WINOGRAD_PRODUCTS) * FLOAT_BYTES;
    const products = Array.from({ length: WINOGRAD_PRODUCTS }, (_, product) => ({
      address: address + product * bytes,
      bias: zeros,
      numColumns: numOut,
      length: numIn,
      numSegments: TAPS,
    }));
    return { products, bias: heap.store(bias), numIn, numOut, stride: strides[0]! };
  }

  private packShortcut({ weight, bias, numIn, numOut, taps, strides, pads }: Convolution): NonNullable<Residual['shortcut']> {
    const { heap } = this.kernels;
    if (taps.join() !== '1,1' || pads.join() !== '0,0' || strides[1] !== 1 || numOut !== numIn) {
      throw unlike('a shortcut in its head is not a convolution with one tap');
    }
    const address = heap.store(packPanels({ weight, numIn, numOut, numTaps: 1 }));
    return { matrix: { address, bias: heap.store(bias), numColumns: numOut, length: numIn, numSegments: 1 }, stride: strides[0]! };
  }
}

/** Number of frames after the last that a tile may write to, plus one that is read. */
const TAIL_FRAMES = 6;

const rowOf = ({ address, rowStride, frameStride }: Image, frequency: number): Rows => ({
  address: address + frequency * rowStride,
  stride: frameStride,
});

/** Number of output frequencies for three taps with a padding of one. */
const outputSize = (inputSize: number, stride: number): number => Math.floor((inputSize - 1) / stride) + 1;

/** The frequency taps of an output that lie within the input. The others would multiply zeros. */
function tapsWithin(frequency: number, stride: number, inputSize: number): { first: number; count: number } {
  const begin = stride * frequency - 1;
  const first = Math.max(0, -begin);
  return { first, count: Math.min(TAPS, inputSize - begin) - first };
}

/** Pads three consecutive taps with a zero. */
function widened(weight: Float32Array): Float32Array {
  // Reorders the axes from (output channel, frequency tap, frame tap) to (output channel, frame tap and zero,
  // frequency tap).
  const wide = new Float32Array((weight.length / TAPS) * STEM_INPUTS);
  for (let index = 0; index < weight.length; index++) {
    const frame = index % TAPS;
    const frequency = Math.floor(index / TAPS) % TAPS;
    const channel = Math.floor(index / (TAPS * TAPS));
    wide[(channel * STEM_INPUTS + frame) * TAPS + frequency] = weight[index]!;
  }
  return wide;
}

function expectTaps({ taps, dilations, pads, numOut }: Convolution): void {
  if (taps.join() !== '3,3' || dilations.join() !== '1,1' || pads.join() !== '1,1' || numOut % PANEL_COLUMNS !== 0) {
    throw unlike('a convolution in its head does not have 3 × 3 taps and a multiple of 8 channels');
  }
}
