import { type CommandTarget, compileKernel, computeLayout, inComputePass } from '../gpu/compile';
import { readBack } from '../gpu/context';
import type { PooledHead } from '../onnx/pooled';
import linearCode from './statsLinear.wgsl?raw';
import { divisorsOf, headOffsets, isEmpty } from './statsPool';
import poolCode from './statsPool.wgsl?raw';

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
