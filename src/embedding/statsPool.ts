import { type CommandTarget, compileKernel, computeLayout, inComputePass } from '../gpu/compile';
import { readBack } from '../gpu/context';
import type { PooledHead } from '../onnx/pooled';
import { usedFrames } from './mask';
import linearCode from './statsLinear.wgsl?raw';
import poolCode from './statsPool.wgsl?raw';

/** The network's feature map of one window, before pooling. */
export interface FrameMap {
  /** Axes (channel, frame), row-major. Channels and frequencies are merged into one axis, channels first. */
  readonly data: Float32Array;
  readonly numFrames: number;
}

/** pyannote's epsilon. It prevents division by zero for an empty mask and for a mask of a single frame. */
const EPSILON = 1e-8;

/**
 * Weight of each frame of a map for a mask: 1 if the nearest mask frame is active.
 *
 * Matches `F.interpolate(mode='nearest')` in `StatsPool.forward` of pyannote.audio 4.0.7.
 *
 * @param mask axes (mask frame), 0 or 1
 * @param numFrames of the map
 * @returns axes (frame)
 */
export function frameWeights(mask: Uint8Array, numFrames: number): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(numFrames);
  for (const frame of usedFrames(mask, numFrames)) weights[frame] = 1;
  return weights;
}

/** Whether a mask has no frame, so its embedding is NaN. */
const isEmpty = (weights: Float32Array): boolean => weights.every((weight) => weight === 0);

/** Divisors of a mask's mean and variance. */
interface Divisors {
  readonly mean: number;
  readonly variance: number;
}

/**
 * Computes the divisors of the weighted mean and the unbiased weighted variance, as in pyannote. With `v1 = Σ w + ε`
 * and `v2 = Σ w²`, the variance is divided by `v1 - v2 / v1 + ε`, which is the number of frames minus one if all
 * weights are 1. In float32 as in pyannote: ε is lost next to a whole frame, so the deviation of a single frame is 0.
 */
function divisorsOf(weights: Float32Array): Divisors {
  const sum = Math.fround(weights.reduce((total, weight) => total + weight, 0) + EPSILON);
  const squares = Math.fround(weights.reduce((total, weight) => total + weight * weight, 0));
  return { mean: sum, variance: Math.fround(Math.fround(sum - Math.fround(squares / sum)) + EPSILON) };
}

/**
 * Computes the weighted mean and standard deviation of each channel.
 *
 * Matches `StatsPool` of pyannote.audio 4.0.7 with two exceptions: sums are in float64, and a mask without frames
 * returns NaN. In pyannote, ε turns it into zeros, so all speakers without speech would have the same embedding.
 *
 * @param weights for each mask, axes (frame), not negative
 * @returns axes (mask, statistic): the means of all channels, then their deviations
 */
export function statsPool({ data, numFrames }: FrameMap, weights: readonly Float32Array[]): Float64Array {
  const numChannels = data.length / numFrames;
  const statistics = new Float64Array(weights.length * 2 * numChannels).fill(NaN);
  weights.forEach((own, mask) => {
    if (isEmpty(own)) return;
    const divisors = divisorsOf(own);
    const first = mask * 2 * numChannels;
    for (let channel = 0; channel < numChannels; channel++) {
      const frames = data.subarray(channel * numFrames, (channel + 1) * numFrames);
      const mean = weightedSum(frames, own, (value) => value) / divisors.mean;
      const variance = weightedSum(frames, own, (value) => (value - mean) ** 2) / divisors.variance;
      statistics[first + channel] = mean;
      statistics[first + numChannels + channel] = Math.sqrt(variance);
    }
  });
  return statistics;
}

function weightedSum(values: Float32Array, weights: Float32Array, term: (value: number) => number): number {
  let sum = 0;
  for (let frame = 0; frame < values.length; frame++) sum += weights[frame]! * term(values[frame]!);
  return sum;
}

/**
 * Computes the embedding of each mask: the network's last layer applied to its statistics, minus the mean vector.
 *
 * @param weights as in {@link statsPool}
 * @returns axes (mask, dimension); NaN for a mask without frames
 */
export function poolEmbeddings(map: FrameMap, weights: readonly Float32Array[], head: PooledHead): Float32Array<ArrayBuffer> {
  const { weight, embeddingSize, numChannels } = head;
  const numStatistics = 2 * numChannels;
  const statistics = statsPool(map, weights);
  const offsets = headOffsets(head);
  return Float32Array.from({ length: weights.length * embeddingSize }, (_, index) => {
    const mask = Math.floor(index / embeddingSize);
    const dimension = index % embeddingSize;
    let sum = offsets[dimension]!;
    for (let i = 0; i < numStatistics; i++) sum += weight[dimension * numStatistics + i]! * statistics[mask * numStatistics + i]!;
    return sum;
  });
}

/** Offset after the matrix product, axes (dimension): the bias minus the mean vector. */
function headOffsets({ bias, meanVector }: PooledHead): Float32Array<ArrayBuffer> {
  return Float32Array.from(bias, (value, dimension) => value - (meanVector?.[dimension] ?? 0));
}

/** Channels per workgroup, as in the kernel. */
const CHANNELS = 8;

/** Number of values of a mask before its weights, as in the kernel. */
const MASK_HEADER = 2;

/** One window's map on the GPU. */
interface GpuFrameMap {
  /** Axes (channel, frame), float32, at the buffer's start; usage STORAGE. */
  readonly buffer: GPUBuffer;
  readonly numFrames: number;
}

/** Buffers of {@link GpuStatsPool.encode}. The caller must destroy them after the commands have been submitted. */
export interface PoolScratch {
  readonly masks: GPUBuffer;
  /** Axes (mask, statistic), float32; usage COPY_SRC. */
  readonly statistics: GPUBuffer;
}

/** A kernel with the layout of its bindings. */
interface Kernel {
  readonly layout: GPUBindGroupLayout;
  readonly pipeline: GPUComputePipeline;
}

/**
 * Pools a map's statistics and computes embeddings on the GPU, like `poolEmbeddings`, without reading the map back.
 */
export class GpuStatsPool {
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
    const kernel = async (label: string, code: string, numInputs: number, constants: Record<string, number>): Promise<Kernel> => {
      const inputs = Array<GPUBufferBindingType>(numInputs).fill('read-only-storage');
      const layout = computeLayout(device, label, [...inputs, 'storage']);
      return { layout, pipeline: await compileKernel(device, { label, code, layout, constants }) };
    };
    const pooling = await kernel('statsPool', poolCode, 2, { NUM_CHANNELS: head.numChannels });
    const linear = await kernel('statsLinear', linearCode, 3, { NUM_STATISTICS: 2 * head.numChannels });
    return new GpuStatsPool(device, head, pooling, linear, upload(device, head.weight), upload(device, headOffsets(head)));
  }

  /**
   * Records two dispatches for all masks.
   *
   * @param weights for each mask, axes (frame), as returned by `frameWeights`
   * @param output written: axes (mask, dimension), float32; undefined for a mask without frames; usage STORAGE
   */
  encode(target: CommandTarget, map: GpuFrameMap, weights: readonly Float32Array[], output: GPUBuffer): PoolScratch {
    const { numChannels, embeddingSize } = this.head;
    const masks = upload(this.device, maskValues(weights, map.numFrames));
    const statistics = this.device.createBuffer({
      label: 'statistics',
      size: 4 * weights.length * 2 * numChannels,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    const mapPart = { buffer: map.buffer, size: 4 * numChannels * map.numFrames };
    const outputPart = { buffer: output, size: 4 * weights.length * embeddingSize };
    inComputePass(target, 'statsPool', (pass) => {
      const pooled = [mapPart, { buffer: masks }, { buffer: statistics }];
      this.dispatch(pass, this.pooling, pooled, [Math.ceil(numChannels / CHANNELS), weights.length]);
      const embedded = [{ buffer: statistics }, { buffer: this.weight }, { buffer: this.offset }, outputPart];
      this.dispatch(pass, this.linear, embedded, [embeddingSize, weights.length]);
    });
    return { masks, statistics };
  }

  /**
   * Pools, submits and reads back, for tests.
   *
   * @returns statistics, axes (mask, statistic), and embeddings, axes (mask, dimension); NaN for a mask without
   *   frames
   */
  async pool(
    map: GpuFrameMap,
    weights: readonly Float32Array[],
  ): Promise<{ statistics: Float32Array; embeddings: Float32Array }> {
    const { device } = this;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    const output = device.createBuffer({ label: 'embeddings', size: 4 * weights.length * this.head.embeddingSize, usage });
    const encoder = device.createCommandEncoder({ label: 'statsPool' });
    const { masks, statistics } = this.encode(encoder, map, weights, output);
    device.queue.submit([encoder.finish()]);
    try {
      return {
        statistics: withoutEmpty(await readBack(device, statistics), weights),
        embeddings: withoutEmpty(await readBack(device, output), weights),
      };
    } finally {
      for (const buffer of [output, masks, statistics]) buffer.destroy();
    }
  }

  /** Frees the weights on the GPU. */
  destroy(): void {
    this.weight.destroy();
    this.offset.destroy();
  }

  private dispatch(
    pass: GPUComputePassEncoder,
    { layout, pipeline }: Kernel,
    resources: readonly GPUBufferBinding[],
    workgroups: [number, number],
  ): void {
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(...workgroups);
  }
}

/**
 * Sets the GPU's results to NaN for masks without frames. Shaders may assume that there are no NaN, so this is done
 * on the CPU.
 *
 * @param values axes (mask, …), changed
 * @param weights as in {@link GpuStatsPool.encode}
 */
export function withoutEmpty(values: Float32Array, weights: readonly Float32Array[]): Float32Array {
  const size = values.length / weights.length;
  weights.forEach((own, mask) => {
    if (isEmpty(own)) values.fill(NaN, mask * size, (mask + 1) * size);
  });
  return values;
}

/** Binding 1 of the pooling kernel. */
function maskValues(weights: readonly Float32Array[], numFrames: number): Float32Array {
  const stride = MASK_HEADER + numFrames;
  const values = new Float32Array(weights.length * stride);
  weights.forEach((own, mask) => {
    const { mean, variance } = divisorsOf(own);
    // Zeros for an empty mask keep the kernel's values finite.
    const factors = isEmpty(own) ? [0, 0] : [1 / mean, 1 / variance];
    values.set([...factors, ...own], mask * stride);
  });
  return values;
}

function upload(device: GPUDevice, values: Float32Array): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label: 'statistics pooling', size: values.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
  return buffer;
}
