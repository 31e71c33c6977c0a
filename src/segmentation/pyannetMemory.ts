/** GPU memory of a batch of PyanNet: buffers that are kept from batch to batch. */
import { maxBindingBytes } from '../gpu/adapter';
import { destroyAll, Staging, storageBuffer } from '../gpu/buffers';
import type { MapGuard } from '../gpu/mapGuard';
import { POOLED_ROWS } from '../gpu/product';
import type { PyannetGraph } from './pyannetGraph';

/** Buffers of batches up to a size. */
export interface PyannetRoom {
  readonly maxWindows: number;
  readonly maxSamples: number;
  /** Values of the levels: the samples, then the pooled map of each filter layer, axes (window, row, channel). */
  readonly levels: readonly GPUBuffer[];
  /** Axes (window, [first row, number of rows]) of each level. */
  readonly items: readonly GPUBuffer[];
  /** Norm of each level, axes (window, channel, [center, scale, shift, slope]). */
  readonly factors: readonly GPUBuffer[];
  /** Products of a recurrent layer's inputs, axes (window, frame, direction, unit, gate). */
  readonly gates: GPUBuffer;
  /** Outputs of the recurrent layers, axes (window, frame, direction, unit), used alternately. */
  readonly states: readonly [GPUBuffer, GPUBuffer];
  /** Axes (window, frame, output) of each linear layer. */
  readonly linears: readonly GPUBuffer[];
  /** Axes (window, frame, class). */
  readonly scores: GPUBuffer;
  readonly staging: Staging;
}

/** Allocates the memory of batches. */
export class PyannetMemory {
  private room: PyannetRoom | null = null;
  /** Number of samples for which the items of the room are valid. */
  private itemSamples = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly network: PyannetGraph,
    private readonly guard: MapGuard,
  ) {}

  /** Number of rows of each filter layer's map; less than 1 if there are too few samples. */
  sizes(numSamples: number): number[] {
    let size = numSamples;
    return this.network.filters.map(({ convolution: { taps, strides } }) => {
      size = Math.floor((Math.floor((size - taps[0]!) / strides[0]!) + 1) / POOLED_ROWS);
      return size;
    });
  }

  /** Number of windows whose largest map fits a binding, at least 1. */
  windowsAtOnce(numSamples: number): number {
    const { levels, gates } = this.lengths(numSamples);
    return Math.max(1, Math.floor(maxBindingBytes(this.device.limits) / 4 / Math.max(...levels, gates)));
  }

  /**
   * The memory for a batch.
   *
   * @param onReplace called before existing buffers are destroyed
   * @throws VoxlaneError `gpu-memory` for a window whose maps do not fit a binding
   */
  roomFor(numWindows: number, numSamples: number, onReplace: () => void): PyannetRoom {
    if (!this.room || numWindows > this.room.maxWindows || numSamples > this.room.maxSamples) {
      const [maxWindows, maxSamples] = [Math.max(numWindows, this.room?.maxWindows ?? 0), Math.max(numSamples, this.room?.maxSamples ?? 0)];
      onReplace();
      this.free();
      const fits = maxWindows <= this.windowsAtOnce(maxSamples);
      this.room = this.layOut(fits ? maxWindows : numWindows, fits ? maxSamples : numSamples);
    }
    if (numSamples !== this.itemSamples) this.setItems(this.room, numSamples);
    return this.room;
  }

  free(): void {
    this.itemSamples = 0;
    this.guard.free();
    if (!this.room) return;
    const { levels, items, factors, gates, states, linears, scores, staging } = this.room;
    destroyAll(...levels, ...items, ...factors, gates, ...states, ...linears, scores, staging);
    this.room = null;
  }

  /** Numbers of values per window: of each level, and of the gates of a recurrent layer. */
  private lengths(numSamples: number): { levels: number[]; gates: number; numFrames: number } {
    const sizes = this.sizes(numSamples);
    const numFrames = sizes.at(-1)!;
    const levels = [numSamples, ...this.network.filters.map(({ convolution }, index) => sizes[index]! * convolution.numOut)];
    const columns = this.network.lstms.map(({ input: { shape } }) => shape[0]! * shape[1]!);
    return { levels, gates: numFrames * Math.max(...columns), numFrames };
  }

  private layOut(maxWindows: number, maxSamples: number): PyannetRoom {
    const { filters, lstms, linears, classifier } = this.network;
    const { levels, gates, numFrames } = this.lengths(maxSamples);
    const buffer = (label: string, lengthPerWindow: number): GPUBuffer => storageBuffer(this.device, `segmentation ${label}`, maxWindows * lengthPerWindow);
    const stateLength = numFrames * Math.max(...lstms.map(({ recurrent: { shape } }) => shape[0]! * shape[2]!));
    const numClasses = classifier.bias.length;
    const channels = [1, ...filters.map(({ convolution }) => convolution.numOut)];
    // Maps and factors of the filters, both directions of recurrent layers, and linear layers.
    this.guard.layOut(maxWindows * (2 * filters.length + 2 * lstms.length + linears.length));
    return {
      maxWindows,
      maxSamples,
      levels: levels.map((length) => buffer('map', length)),
      items: levels.map(() => buffer('items', 2)),
      factors: channels.map((numChannels) => buffer('factors', 4 * numChannels)),
      gates: buffer('gates', gates),
      states: [buffer('states', stateLength), buffer('states', stateLength)],
      linears: linears.map(({ bias }) => buffer('linear', numFrames * bias.length)),
      scores: buffer('scores', numFrames * numClasses),
      staging: new Staging(this.device, maxWindows * numFrames * numClasses),
    };
  }

  private setItems({ items, maxWindows }: PyannetRoom, numSamples: number): void {
    for (const [level, numRows] of [numSamples, ...this.sizes(numSamples)].entries()) {
      const places = Uint32Array.from({ length: 2 * maxWindows }, (_, i) => (i % 2 === 0 ? (i >> 1) * numRows : numRows));
      this.device.queue.writeBuffer(items[level]!, 0, places);
    }
    this.itemSamples = numSamples;
  }
}
