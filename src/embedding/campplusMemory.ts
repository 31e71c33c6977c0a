/** GPU memory of a batch of CAM++: buffers that are kept from batch to batch, and the tables that fill them. */
import { maxBindingBytes } from '../gpu/adapter';
import { destroyAll, Staging, storageBuffer } from '../gpu/buffers';
import type { MapGuard } from '../gpu/mapGuard';
import { type BatchLayout, fillTables, roomOf, type RowGeometry, SLICE_FRAMES } from './campplusLayout';
import type { GpuCampplusBlocks } from './gpuCampplusBlocks';
import type { GpuCampplusHead } from './gpuCampplusHead';
import { JOB_VALUES, packJobs } from './gpuGatherBatch';
import { PADDING_COLUMNS } from './imageLayout';

/** Features on the GPU. */
export interface FeatureSource {
  /** Axes (window, frame, mel), float32; usage STORAGE. */
  readonly buffer: GPUBuffer;
  /** Of each window. */
  readonly numFrames: number;
  /** Of the largest batch, for which memory is reserved. Default: 1 each. */
  readonly numWindows?: number;
  readonly numSpeakers?: number;
}

/** One speaker of one window. */
export interface EmbeddingJob {
  readonly window: number;
  /** Frames of the window to use, at least one, in ascending order. */
  readonly used: Uint32Array;
  /** Whether the features certainly differ between these frames, so they are not zero without their mean. Default: no. */
  readonly varies?: boolean;
}

/** Limits the memory of a batch: 128 MiB of maps. */
const MAX_ROWS = 16_384;

/** Sizes of the buffers of a batch. */
interface Sizes {
  readonly items: number;
  readonly rows: number;
  readonly gateRows: number;
  readonly sliceFrames: number;
}

/** Buffers of batches up to a size, and the arrays that fill them. */
export interface CampplusRoom {
  readonly sizes: Sizes;
  readonly buffers: Readonly<Record<(typeof ROOM)[number], GPUBuffer>>;
  readonly arrays: Readonly<Record<'jobs' | 'used' | 'rows' | 'frames' | 'stats' | 'gates', Uint32Array<ArrayBuffer>>>;
  readonly staging: Staging;
}
const ROOM = ['jobs', 'used', 'rowTable', 'frameTable', 'statsItems', 'gateItems', 'features', 'found', 'head', 'mapA', 'mapB', 'hidden', 'sums', 'gates', 'statistics', 'embeddings'] as const;

/** The network's parts and numbers, on which the sizes depend. */
interface Network {
  readonly geometry: RowGeometry;
  readonly numMelBins: number;
  readonly head: GpuCampplusHead;
  readonly blocks: GpuCampplusBlocks;
  readonly guard: MapGuard;
  /** Length of an embedding. */
  readonly dimension: number;
}

/** Allocates the memory of batches, and fills it. */
export class CampplusMemory {
  private room: CampplusRoom | null = null;

  constructor(
    private readonly device: GPUDevice,
    private readonly network: Network,
  ) {}

  /** Number of values that a binding can have. */
  private get maxLength(): number {
    return Math.floor(maxBindingBytes(this.device.limits) / 4);
  }

  /** Rows of the largest batch. */
  get maxRows(): number {
    return Math.min(MAX_ROWS, Math.floor(this.maxLength / this.network.blocks.maxChannels));
  }

  /** Frames of the largest slice. */
  get maxSliceFrames(): number {
    return Math.floor(this.maxLength / this.network.head.frameLength);
  }

  /**
   * The memory for a batch. Batches have different lengths, so the first one reserves memory for whole windows.
   *
   * @param onReplace called before existing buffers are destroyed
   */
  roomFor({ numFrames, numWindows = 1, numSpeakers = 1 }: FeatureSource, layout: BatchLayout, onReplace: () => void): CampplusRoom {
    const { stride, gapRows, segmentRows } = this.network.geometry;
    const needed: Sizes = {
      items: layout.items.length,
      rows: layout.numRows,
      gateRows: layout.numGateRows,
      sliceFrames: Math.max(...layout.slices.map((slice) => slice.numFrames)),
    };
    const own = this.room?.sizes;
    const names = Object.keys(needed) as (keyof Sizes)[];
    if (this.room && own && names.every((name) => own[name] >= needed[name])) return this.room;
    const windowRows = roomOf(numFrames, this.network.geometry);
    const rows = Math.min(this.maxRows, windowRows * numWindows + gapRows);
    const items = numWindows * numSpeakers;
    const reserved: Sizes = {
      items,
      rows,
      gateRows: Math.ceil(rows / segmentRows) + items,
      sliceFrames: Math.min(this.maxSliceFrames, stride * rows, Math.max(SLICE_FRAMES, stride * (windowRows + gapRows))),
    };
    const sizeOf = (name: keyof Sizes): number => Math.max(needed[name], reserved[name], own?.[name] ?? 0);
    onReplace();
    this.free();
    this.room = this.layOut({ items: sizeOf('items'), rows: sizeOf('rows'), gateRows: sizeOf('gateRows'), sliceFrames: sizeOf('sliceFrames') });
    return this.room;
  }

  /** Uploads the tables of a batch. */
  fill({ buffers, arrays }: CampplusRoom, jobs: readonly EmbeddingJob[], layout: BatchLayout): void {
    const { stride } = this.network.geometry;
    const places = layout.items.map(({ index, firstRow, numRows }) => {
      const clearEnd = stride * (firstRow + numRows + this.network.geometry.gapRows);
      return { ...jobs[index]!, firstFrame: stride * firstRow, clearEnd };
    });
    packJobs(places, arrays.jobs, arrays.used);
    fillTables(layout, this.network.geometry, arrays);
    const { queue } = this.device;
    const numItems = layout.items.length;
    const numUsed = places.reduce((sum, { used }) => sum + used.length, 0);
    queue.writeBuffer(buffers.jobs, 0, arrays.jobs, 0, numItems * JOB_VALUES);
    queue.writeBuffer(buffers.used, 0, arrays.used, 0, numUsed);
    queue.writeBuffer(buffers.rowTable, 0, arrays.rows, 0, layout.numRows);
    queue.writeBuffer(buffers.frameTable, 0, arrays.frames, 0, stride * layout.numRows);
    queue.writeBuffer(buffers.statsItems, 0, arrays.stats, 0, 2 * numItems);
    queue.writeBuffer(buffers.gateItems, 0, arrays.gates, 0, 4 * numItems);
  }

  free(): void {
    this.network.head.free();
    this.network.guard.free();
    if (!this.room) return;
    destroyAll(...Object.values(this.room.buffers), this.room.staging);
    this.room = null;
  }

  private layOut(sizes: Sizes): CampplusRoom {
    const { items, rows, gateRows, sliceFrames } = sizes;
    const frames = rows * this.network.geometry.stride;
    const { maxChannels, shape, numOutputs } = this.network.blocks;
    const lengths: Readonly<Record<keyof CampplusRoom['buffers'], number>> = {
      jobs: items * JOB_VALUES,
      used: frames,
      rowTable: rows,
      frameTable: frames,
      statsItems: 2 * items,
      gateItems: 4 * items,
      features: frames * (this.network.numMelBins + PADDING_COLUMNS),
      found: items * this.network.head.numSurveyed,
      head: frames * this.network.head.numOutputs,
      mapA: rows * maxChannels,
      mapB: rows * maxChannels,
      hidden: rows * shape.numChannels,
      sums: gateRows * shape.numChannels,
      gates: gateRows * shape.numGates,
      statistics: 2 * items * numOutputs,
      embeddings: items * this.network.dimension,
    };
    this.network.head.layOut(sliceFrames);
    // The groups of the blocks, the maps in the head, the features, the head, the output of the blocks, and the statistics.
    this.network.guard.layOut(items * (this.network.blocks.numGroups + this.network.head.numSurveyed + 4));
    const buffers = Object.fromEntries(ROOM.map((name) => [name, storageBuffer(this.device, `embedding ${name}`, lengths[name])])) as Record<keyof CampplusRoom['buffers'], GPUBuffer>;
    const array = (name: keyof CampplusRoom['buffers']): Uint32Array<ArrayBuffer> => new Uint32Array(lengths[name]);
    return {
      sizes,
      buffers,
      arrays: { jobs: array('jobs'), used: array('used'), rows: array('rowTable'), frames: array('frameTable'), stats: array('statsItems'), gates: array('gateItems') },
      staging: new Staging(this.device, lengths.embeddings),
    };
  }
}
