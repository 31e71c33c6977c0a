import { destroyAll, storageBuffer } from '../gpu/buffers';
import type { GpuWeights, PackedWeights, ProductKernels, ProductStep, Survey } from '../gpu/product';
import type { Program } from '../gpu/program';
import type { Convolution } from '../onnx/values';
import { type CampplusGraph, unlike } from './campplusGraph';
import type { BatchLayout } from './campplusLayout';
import { packImageFilter } from './imageFilter';
import { PADDING_COLUMNS } from './imageLayout';

/** Taps along each axis. */
const TAPS = 3;

/** A map of a slice, axes (frame, padded frequency, channel). The first and last frequency stay 0. */
interface Image {
  readonly buffer: GPUBuffer;
  readonly numFrequencies: number;
}

/** A convolution on the GPU. */
interface Filter {
  readonly weights: GpuWeights;
  /** Along the frequencies. */
  readonly stride: number;
  readonly numTaps: number;
}

interface Residual {
  readonly first: Filter;
  readonly second: Filter;
  readonly shortcut: Filter | null;
}

/** Buffers of the head. */
interface HeadBuffers {
  /** Axes (frame, mel + 2). */
  readonly features: GPUBuffer;
  /** Axes (frame): 0 in gaps, otherwise 1 + the item. */
  readonly table: GPUBuffer;
  /** Written: axes (item, surveyed map): 1 if the map of the item has a value other than zero. Must be 0 before. */
  readonly found: GPUBuffer;
  /** Written: axes (frame, frequency × channel). */
  readonly out: GPUBuffer;
}

/** The residual network at the start of CAM++: from features to rows of (frame, frequency × channel). */
export class GpuCampplusHead {
  private readonly stem: Filter;
  private readonly blocks: readonly Residual[];
  private readonly end: Filter;
  /** Of the maps between convolutions. */
  readonly numChannels: number;
  private images: readonly Image[] = [];

  /**
   * @param upload copies weights to the GPU
   * @throws VoxlaneError `model-invalid` for unsupported convolutions
   */
  constructor(
    private readonly device: GPUDevice,
    private readonly products: ProductKernels,
    { stem, residualBlocks, headEnd }: CampplusGraph,
    private readonly numMelBins: number,
    upload: (packed: PackedWeights) => GpuWeights,
  ) {
    this.numChannels = stem.numOut;
    const filterOf = (convolution: Convolution, numIn: number, numTaps = TAPS): Filter => packFilter(convolution, { numIn, numOut: this.numChannels, numTaps }, upload);
    this.stem = filterOf(stem, 1);
    this.blocks = residualBlocks.map(({ first, second, shortcut }) => ({
      first: filterOf(first, this.numChannels),
      second: filterOf(second, this.numChannels),
      shortcut: shortcut && filterOf(shortcut, this.numChannels, 1),
    }));
    this.end = filterOf(headEnd, this.numChannels);
    const fitting = this.blocks.every(({ first, second, shortcut }) => second.stride === 1 && first.stride === (shortcut?.stride ?? 1));
    if (!fitting || this.stem.stride !== 1) throw unlike('the stride of a shortcut in its head differs from that of its block');
  }

  /** Number of output values of a frame. */
  get numOutputs(): number {
    return this.numChannels * [...this.blocks.map(({ first }) => first.stride), this.end.stride].reduce(outputSize, this.numMelBins);
  }

  /** Values per frame of the largest map. */
  get frameLength(): number {
    return (this.numMelBins + PADDING_COLUMNS) * this.numChannels;
  }

  /** Number of dispatches of a slice. */
  get numDispatches(): number {
    return 2 + this.blocks.reduce((sum, { shortcut }) => sum + (shortcut ? 3 : 2), 0);
  }

  /**
   * Number of maps of {@link add} that are surveyed: the input of each convolution but the first and the shortcuts, and the earlier values
   * to which the second convolution of a block adds.
   */
  get numSurveyed(): number {
    return 3 * this.blocks.length + 1;
  }

  /** @throws VoxlaneError `backend-failed` if a kernel does not compile */
  async open(): Promise<void> {
    await Promise.all(this.filters.map(({ weights }) => this.products.open(weights)));
  }

  /** Allocates maps for slices of up to `maxFrames`. */
  layOut(maxFrames: number): void {
    this.free();
    const image = (numFrequencies: number): Image => ({
      buffer: storageBuffer(this.device, 'embedding head', maxFrames * (numFrequencies + PADDING_COLUMNS) * this.numChannels),
      numFrequencies,
    });
    let size = this.numMelBins;
    const images = [image(size)];
    // Two maps for each number of frequencies: within a block, and at its end.
    if (this.blocks.length > 0 && !this.blocks[0]!.shortcut) images.push(image(size));
    for (const { first, shortcut } of this.blocks) {
      if (!shortcut) continue;
      size = outputSize(size, first.stride);
      images.push(image(size), image(size));
    }
    this.images = images;
  }

  /**
   * Adds the dispatches of all slices to a program.
   * Each slice overwrites the maps of the one before, so each map is surveyed by the convolution that reads it.
   */
  add(program: Program, layout: BatchLayout, { features, table, found, out }: HeadBuffers): void {
    const numMaps = this.numSurveyed;
    for (const { firstFrame, numFrames } of layout.slices) {
      const common = { table, tableBase: firstFrame };
      const convolve = (filter: Filter, input: Image, to: Image, more: Partial<ProductStep<GPUBuffer, GPUBuffer>> = {}): void => {
        this.convolve(program, filter, input, numFrames, { ...common, ...imageRows(to, this.numChannels), innerRows: to.numFrequencies, slope: 0, ...more });
      };
      const [largest, ...others] = this.images as [Image, ...Image[]];
      let input = largest;
      this.filterFeatures(program, features, firstFrame, numFrames, { ...common, ...imageRows(input, this.numChannels) });
      let between = input;
      for (const [block, { first, second, shortcut }] of this.blocks.entries()) {
        const survey = (map: number): { survey: Survey<GPUBuffer> } => ({ survey: { found, numMaps, map: 3 * block + map } });
        if (shortcut || between === input) between = others.shift()!;
        convolve(first, input, between, survey(0));
        let end = input;
        if (shortcut) {
          end = others.shift()!;
          convolve(shortcut, input, end, { slope: 1 });
        }
        convolve(second, between, end, { accumulate: true, ...survey(1) });
        input = end;
      }
      const numFrequencies = outputSize(input.numFrequencies, this.end.stride);
      const width = numFrequencies * this.numChannels;
      this.convolve(program, this.end, input, numFrames, {
        ...common,
        out,
        outRows: { base: firstFrame * width, outerStride: width, innerStride: this.numChannels },
        innerRows: numFrequencies,
        slope: 0,
        survey: { found, numMaps, map: numMaps - 1 },
      });
    }
  }

  free(): void {
    destroyAll(...this.images.map(({ buffer }) => buffer));
    this.images = [];
  }

  destroy(): void {
    this.free();
    for (const { weights: { weights, bias } } of this.filters) destroyAll(weights, bias);
  }

  private get filters(): Filter[] {
    const inBlocks = this.blocks.flatMap(({ first, second, shortcut }) => (shortcut ? [first, second, shortcut] : [first, second]));
    return [this.stem, ...inBlocks, this.end];
  }

  private convolve(
    program: Program,
    { weights, stride, numTaps }: Filter,
    { buffer, numFrequencies }: Image,
    numFrames: number,
    step: Omit<ProductStep<GPUBuffer, GPUBuffer>, 'input' | 'inputRows' | 'numRows'> & { readonly innerRows: number },
  ): void {
    const width = (numFrequencies + PADDING_COLUMNS) * this.numChannels;
    // Taps start one frame and one frequency before their own; the padding is part of the map.
    const base = numTaps === TAPS ? -width : this.numChannels;
    const inputRows = { base, outerStride: width, innerStride: stride * this.numChannels };
    const taps = { tapLength: numTaps * this.numChannels, tapStride: width };
    this.products.add(program, weights, { ...step, ...taps, input: buffer, inputRows, numRows: numFrames * step.innerRows });
  }

  private filterFeatures(
    program: Program,
    features: GPUBuffer,
    firstFrame: number,
    numFrames: number,
    step: Pick<ProductStep<GPUBuffer, GPUBuffer>, 'out' | 'outRows' | 'table' | 'tableBase'>,
  ): void {
    const width = this.numMelBins + PADDING_COLUMNS;
    this.products.add(program, this.stem.weights, {
      ...step,
      input: features,
      inputRows: { base: (firstFrame - 1) * width, outerStride: width, innerStride: 1 },
      numRows: numFrames * this.numMelBins,
      innerRows: this.numMelBins,
      tapLength: TAPS,
      tapStride: width,
      slope: 0,
    });
  }
}

const imageRows = ({ buffer, numFrequencies }: Image, numChannels: number): Pick<ProductStep<GPUBuffer, GPUBuffer>, 'out' | 'outRows'> => ({
  out: buffer,
  outRows: { base: numChannels, outerStride: (numFrequencies + PADDING_COLUMNS) * numChannels, innerStride: numChannels },
});

/** Number of output frequencies for three taps with a padding of one. */
const outputSize = (inputSize: number, stride: number): number => Math.floor((inputSize - 1) / stride) + 1;

function packFilter(
  convolution: Convolution,
  expected: { readonly numIn: number; readonly numOut: number; readonly numTaps: number },
  upload: (packed: PackedWeights) => GpuWeights,
): Filter {
  const { numIn, numOut, taps, strides, pads, dilations } = convolution;
  const { numTaps } = expected;
  const pad = (numTaps - 1) / 2;
  const sound = `${taps.join()} ${pads.join()} ${dilations.join()}` === `${numTaps},${numTaps} ${pad},${pad} 1,1` && strides[1] === 1;
  if (!sound || numIn !== expected.numIn || numOut !== expected.numOut) {
    throw unlike(`a convolution in its head does not have ${numTaps} × ${numTaps} taps, ${expected.numIn} inputs and ${expected.numOut} outputs`);
  }
  return { weights: upload(packImageFilter(convolution)), stride: strides[0]!, numTaps };
}
