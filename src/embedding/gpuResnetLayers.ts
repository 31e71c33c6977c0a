import { destroyAll, storageBuffer } from '../gpu/buffers';
import type { GpuWeights, PackedWeights, ProductKernels, ProductStep } from '../gpu/product';
import type { Program } from '../gpu/program';
import type { Convolution } from '../onnx/values';
import { packImageFilter } from './imageFilter';
import { firstPlace, frameLength, mapLength, pairSizes, windowLength } from './imageLayout';
import { type MapSize, type ResnetGraph, TAPS } from './resnetGraph';

/** A convolution on the GPU. */
interface Filter {
  readonly weights: GpuWeights;
  /** Along both axes. */
  readonly stride: number;
  readonly numTaps: number;
}

interface Block {
  readonly first: Filter;
  readonly second: Filter;
  readonly shortcut: Filter | null;
}

/** A map of a batch on the GPU, in the layout of imageLayout.ts. */
export interface Image extends MapSize {
  readonly buffer: GPUBuffer;
}

/** Two maps of the same size: the end of a block, and the map between its convolutions. */
interface Pair {
  readonly end: Image;
  readonly between: Image;
}

/** The convolutions of a ResNet on the GPU, as tiled products with fused bias, ReLU and addition of the shortcut. */
export class GpuResnetLayers {
  private readonly stem: Filter;
  private readonly blocks: readonly Block[];
  private pairs: readonly Pair[] = [];

  /** @param upload copies weights to the GPU */
  constructor(
    private readonly device: GPUDevice,
    private readonly products: ProductKernels,
    private readonly graph: ResnetGraph,
    private readonly numMelBins: number,
    upload: (packed: PackedWeights) => GpuWeights,
  ) {
    const filterOf = (convolution: Convolution): Filter =>
      ({ weights: upload(packImageFilter(convolution)), stride: convolution.strides[0]!, numTaps: convolution.taps[0]! });
    this.stem = filterOf(graph.stem);
    this.blocks = graph.blocks.map(({ first, second, shortcut }) => ({ first: filterOf(first), second: filterOf(second), shortcut: shortcut && filterOf(shortcut) }));
  }

  /** Number of convolutions, which is the number of dispatches of a batch and of the maps that {@link add} reports. */
  get numConvolutions(): number {
    return this.filters.length;
  }

  /** The last map. Call {@link layOut} before. */
  get output(): Image {
    return this.pairs.at(-1)!.end;
  }

  /** @throws VoxlaneError `backend-failed` if a kernel does not compile */
  async open(): Promise<void> {
    await Promise.all(this.filters.map(({ weights }) => this.products.open(weights)));
  }

  /** Allocates the maps of batches of windows of one length. Padding is 0 in new memory and stays 0. */
  layOut(numWindows: number, numFrames: number): void {
    this.free();
    const image = (size: MapSize): Image => ({ ...size, buffer: storageBuffer(this.device, 'embedding map', mapLength(size, numWindows)) });
    this.pairs = pairSizes(this.graph, numFrames, this.numMelBins).map((size) => ({ end: image(size), between: image(size) }));
  }

  /**
   * Adds the dispatches of a batch to a program.
   *
   * @param features padded windows
   * @param onMap called after each convolution with its output, and after the stem and the last convolution of a block, with the index in
   *   `layerValues`; otherwise null
   */
  add(program: Program, features: Image, numWindows: number, onMap: (map: Image, index: number | null) => void): void {
    let pair = 0;
    let { end, between } = this.pairs[pair]!;
    const convolve = (filter: Filter, input: Image, out: Image, more: Pick<ProductStep<never, never>, 'slope' | 'accumulate'> = {}): void => {
      this.convolve(program, filter, input, out, numWindows, more);
    };
    convolve(this.stem, features, end);
    onMap(end, 0);
    for (const [index, { first, second, shortcut }] of this.blocks.entries()) {
      const input = end;
      if (shortcut) ({ end, between } = this.pairs[++pair]!);
      convolve(first, input, between);
      onMap(between, null);
      if (shortcut) {
        convolve(shortcut, input, end, { slope: 1 });
        onMap(end, null);
      }
      convolve(second, between, end, { accumulate: true });
      onMap(end, index + 1);
    }
  }

  free(): void {
    destroyAll(...this.pairs.flatMap(({ end, between }) => [end.buffer, between.buffer]));
    this.pairs = [];
  }

  destroy(): void {
    this.free();
    for (const { weights: { weights, bias } } of this.filters) destroyAll(weights, bias);
  }

  private get filters(): Filter[] {
    return [this.stem, ...this.blocks.flatMap(({ first, second, shortcut }) => (shortcut ? [first, second, shortcut] : [first, second]))];
  }

  /** A convolution with ReLU, unless `more` has another slope. */
  private convolve(
    program: Program,
    { weights, stride, numTaps }: Filter,
    input: Image,
    out: Image,
    numWindows: number,
    more: Pick<ProductStep<never, never>, 'slope' | 'accumulate'>,
  ): void {
    const width = frameLength(input);
    this.products.add(program, weights, {
      input: input.buffer,
      // Taps start one frame and one frequency before their own; the padding is part of the map.
      inputRows: { base: numTaps === TAPS ? 0 : firstPlace(input), itemStride: windowLength(input), outerStride: stride * width, innerStride: stride * input.numChannels },
      tapLength: numTaps * input.numChannels,
      tapStride: width,
      out: out.buffer,
      outRows: { base: firstPlace(out), itemStride: windowLength(out), outerStride: frameLength(out), innerStride: out.numChannels },
      innerRows: out.numFrequencies,
      numRows: out.numFrames * out.numFrequencies,
      numItems: numWindows,
      slope: 0,
      ...more,
    });
  }
}
