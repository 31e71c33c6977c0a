import { destroyAll, storageBuffer, uploadBuffer } from '../gpu/buffers';
import { readBack } from '../gpu/context';
import { type Kernel, openKernel, Program } from '../gpu/program';
import type { PooledHead } from '../onnx/pooled';
import linearCode from './statsLinear.wgsl?raw';
import { divisorsOf, headOffsets, isEmpty } from './statsPool';
import poolCode from './statsPool.wgsl?raw';

/** Channels per workgroup, as in the kernel. */
const CHANNELS = 8;

/** Number of values of a mask before its weights, as in the kernel. */
const MASK_HEADER = 3;

/** Dispatches of {@link GpuStatsPool.add}. */
export const POOLING_DISPATCHES = 2;

/** Maps of a batch of windows on the GPU. Channel c is at (c / inner) · outerStride + (c % inner) · innerStride. */
export interface GpuFrameMaps {
  /** Any layout, float32; usage STORAGE. */
  readonly buffer: GPUBuffer;
  /** Of each window. */
  readonly numFrames: number;
  /** Place of the first channel of the first frame, in values, like the strides. */
  readonly base: number;
  readonly windowStride: number;
  readonly frameStride: number;
  readonly inner: number;
  readonly outerStride: number;
  readonly innerStride: number;
}

/** Maps with the axes (window, channel, frame). */
export const mapsByChannel = (buffer: GPUBuffer, numFrames: number, numChannels: number): GpuFrameMaps =>
  ({ buffer, numFrames, base: 0, windowStride: numChannels * numFrames, frameStride: 1, inner: 1, outerStride: numFrames, innerStride: 0 });

/** A mask of a window of the batch. */
export interface WindowMask {
  /** Index in the batch. */
  readonly window: number;
  /** Axes (frame of the map), as returned by `frameWeights`. */
  readonly weights: Float32Array;
}

/** Buffers of a batch, kept for later batches that are not larger. */
export interface PoolRoom {
  readonly numMasks: number;
  /** Of the map of a window. */
  readonly numFrames: number;
  /** Axes (mask, value). */
  readonly values: Float32Array<ArrayBuffer>;
  readonly masks: GPUBuffer;
  /** Axes (mask, statistic). */
  readonly statistics: GPUBuffer;
  /** Axes (mask, dimension). */
  readonly embeddings: GPUBuffer;
}

/** Pools the statistics of maps and computes embeddings on the GPU, like `poolEmbeddings`, without reading the maps back. */
export class GpuStatsPool {
  private room: PoolRoom | null = null;

  private constructor(
    private readonly device: GPUDevice,
    private readonly head: PooledHead,
    private readonly pooling: Kernel,
    private readonly linear: Kernel,
    private readonly weight: GPUBuffer,
    private readonly offset: GPUBuffer,
  ) {}

  /** @throws VoxlaneError `backend-failed` if a kernel does not compile */
  static async create(device: GPUDevice, head: PooledHead): Promise<GpuStatsPool> {
    const read = 'read-only-storage';
    const [pooling, linear] = await Promise.all([
      openKernel(device, { label: 'statsPool', code: poolCode, buffers: [read, read, 'storage'] }),
      openKernel(device, { label: 'statsLinear', code: linearCode, buffers: [read, read, read, 'storage'] }),
    ]);
    const upload = (values: Float32Array): GPUBuffer => uploadBuffer(device, 'statistics pooling', values as Float32Array<ArrayBuffer>);
    return new GpuStatsPool(device, head, pooling, linear, upload(head.weight), upload(headOffsets(head)));
  }

  /**
   * The memory for a batch.
   *
   * @param onReplace called before existing buffers are destroyed
   * @throws VoxlaneError `gpu-memory`
   */
  roomFor(numMasks: number, numFrames: number, onReplace: () => void): PoolRoom {
    const own = this.room;
    if (own && own.numMasks >= numMasks && own.numFrames >= numFrames) return own;
    const sizes = { numMasks: Math.max(numMasks, own?.numMasks ?? 0), numFrames: Math.max(numFrames, own?.numFrames ?? 0) };
    onReplace();
    this.free();
    const { numChannels, embeddingSize } = this.head;
    const buffer = (label: string, perMask: number): GPUBuffer => storageBuffer(this.device, label, sizes.numMasks * perMask);
    const perMask = MASK_HEADER + sizes.numFrames;
    return (this.room = {
      ...sizes,
      values: new Float32Array(sizes.numMasks * perMask),
      masks: buffer('masks', perMask),
      statistics: buffer('statistics', 2 * numChannels),
      embeddings: buffer('embeddings', embeddingSize),
    });
  }

  /**
   * Uploads the masks, and adds two dispatches for all of them to a program. `room.embeddings` is undefined for a mask without
   * frames.
   *
   * @param isTransient whether the caller destroys the maps after the batch
   */
  add(program: Program, maps: GpuFrameMaps, windowMasks: readonly WindowMask[], { values, masks, statistics, embeddings }: PoolRoom, isTransient = false): void {
    const { numChannels, embeddingSize } = this.head;
    const { buffer, numFrames, base, windowStride, frameStride, inner, outerStride, innerStride } = maps;
    fillMasks(values, windowMasks, numFrames);
    const numMasks = windowMasks.length;
    this.device.queue.writeBuffer(masks, 0, values, 0, numMasks * (MASK_HEADER + numFrames));
    const parameters = [numChannels, numFrames, base, windowStride, frameStride, inner, outerStride, innerStride];
    program.add(this.pooling, [buffer, masks, statistics], parameters, [Math.ceil(numChannels / CHANNELS), numMasks], isTransient);
    program.add(this.linear, [statistics, this.weight, this.offset, embeddings], [2 * numChannels, embeddingSize], [embeddingSize, numMasks]);
  }

  /**
   * Pools, submits and reads back, for tests and comparisons.
   *
   * @returns statistics, axes (mask, statistic), and embeddings, axes (mask, dimension); NaN for a mask without
   *   frames
   */
  async pool(maps: GpuFrameMaps, windowMasks: readonly WindowMask[]): Promise<{ statistics: Float32Array; embeddings: Float32Array }> {
    const { device, head } = this;
    const program = new Program(device, 'statsPool', POOLING_DISPATCHES);
    const room = this.roomFor(windowMasks.length, maps.numFrames, () => undefined);
    this.add(program, maps, windowMasks, room);
    program.upload();
    const encoder = device.createCommandEncoder({ label: 'statsPool' });
    program.encode(encoder);
    device.queue.submit([encoder.finish()]);
    const read = async (buffer: GPUBuffer, perMask: number): Promise<Float32Array> =>
      withoutEmpty(await readBack(device, buffer, 4 * windowMasks.length * perMask), windowMasks);
    try {
      return { statistics: await read(room.statistics, 2 * head.numChannels), embeddings: await read(room.embeddings, head.embeddingSize) };
    } finally {
      program.destroy();
    }
  }

  /** Frees the memory of batches. */
  free(): void {
    if (this.room) destroyAll(this.room.masks, this.room.statistics, this.room.embeddings);
    this.room = null;
  }

  /** Frees all GPU memory. */
  destroy(): void {
    this.free();
    destroyAll(this.weight, this.offset);
  }
}

/**
 * Sets the GPU's results to NaN for masks without frames. Shaders may assume that there are no NaN, so this is done
 * on the CPU.
 *
 * @param values axes (mask, …), changed
 */
export function withoutEmpty(values: Float32Array, masks: readonly Pick<WindowMask, 'weights'>[]): Float32Array {
  const size = values.length / masks.length;
  for (const [mask, { weights }] of masks.entries()) {
    if (isEmpty(weights)) values.fill(NaN, mask * size, (mask + 1) * size);
  }
  return values;
}

/** Binding 2 of the pooling kernel. */
function fillMasks(values: Float32Array, masks: readonly WindowMask[], numFrames: number): void {
  for (const [mask, { window, weights }] of masks.entries()) {
    const { mean, variance } = divisorsOf(weights);
    // Zeros for an empty mask keep the kernel's values finite.
    const factors = isEmpty(weights) ? [0, 0] : [1 / mean, 1 / variance];
    values.set([...factors, window], mask * (MASK_HEADER + numFrames));
    values.set(weights, mask * (MASK_HEADER + numFrames) + MASK_HEADER);
  }
}
