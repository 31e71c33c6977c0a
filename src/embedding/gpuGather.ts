import { Fbank } from '../features/fbank';
import { GpuFbank } from '../features/gpuFbank';
import { type CommandTarget, compileKernel, computeLayout, inComputePass } from '../gpu/compile';
import { type GpuContext, readBack } from '../gpu/context';
import type { FbankSpec } from '../store/manifest';
import code from './gather.wgsl?raw';
import { EVERY_FRAME, maskedFeatures, usedFrames } from './mask';

/** Mel bins per workgroup, as in the kernel. */
const COLUMNS = 8;

/** Number of 32-bit values in the kernel's `Job` before its frames. */
const JOB_HEADER = 3;

/** Features of several windows on the GPU. */
interface GatherSource {
  /** Axes (window, frame, mel), float32; usage STORAGE. */
  readonly buffer: GPUBuffer;
  /** Of each window. */
  readonly numFrames: number;
  readonly numMelBins: number;
}

/** One speaker of one window. */
interface GatherJob {
  readonly window: number;
  /** Frames of the window to copy, at least one, as returned by {@link usedFrames}. */
  readonly used: Uint32Array;
  /** Written: axes (used frame, mel), float32; usage STORAGE. */
  readonly output: GPUBuffer;
}

/** Gathers the embedding model's input on the GPU, like `maskedFeatures`, without reading features back. */
export class GpuGather {
  private constructor(
    private readonly device: GPUDevice,
    private readonly layout: GPUBindGroupLayout,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  /**
   * @param subtractMean whether the mean over the used frames is subtracted from each mel bin
   * @throws VoxlaneError `backend-failed` if the kernel does not compile
   */
  static async create(device: GPUDevice, subtractMean: boolean): Promise<GpuGather> {
    const layout = computeLayout(device, 'gather', ['read-only-storage', 'read-only-storage', 'storage']);
    const constants = { SUBTRACT_MEAN: Number(subtractMean) };
    return new GpuGather(device, layout, await compileKernel(device, { label: 'gather', code, layout, constants }));
  }

  /**
   * Records the gathering of several speakers, one dispatch each, and uploads their frames together.
   *
   * @returns the upload, which must be destroyed after the commands have been submitted; null if there are no jobs
   */
  encode(target: CommandTarget, source: GatherSource, jobs: readonly GatherJob[]): GPUBuffer | null {
    if (jobs.length === 0) return null;
    const { minStorageBufferOffsetAlignment: alignment } = this.device.limits;
    const windowBytes = 4 * source.numFrames * source.numMelBins;
    let end = 0;
    const parts = jobs.map(({ window, used }) => {
      const job = { offset: end, size: 4 * (JOB_HEADER + used.length) };
      end = Math.ceil((end + job.size) / alignment) * alignment;
      // Only this window is bound, because many windows may exceed the device's binding limit.
      const offset = Math.floor((window * windowBytes) / alignment) * alignment;
      return { job, features: { offset, size: (window + 1) * windowBytes - offset }, base: window * windowBytes - offset };
    });
    const values = new Uint32Array(end / 4);
    jobs.forEach(({ used }, index) => {
      const { job, base } = parts[index]!;
      values.set([used.length, source.numMelBins, base / 4], job.offset / 4);
      values.set(used, job.offset / 4 + JOB_HEADER);
    });
    // A new buffer each time: a buffer that is recorded but not submitted must not be overwritten.
    const upload = this.device.createBuffer({
      label: 'gather jobs',
      size: end,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    this.device.queue.writeBuffer(upload, 0, values);
    inComputePass(target, 'gather', (pass) => {
      pass.setPipeline(this.pipeline);
      jobs.forEach(({ used, output }, index) => {
        const { job, features } = parts[index]!;
        const resources: GPUBufferBinding[] = [
          { buffer: upload, ...job },
          { buffer: source.buffer, ...features },
          { buffer: output, size: 4 * used.length * source.numMelBins },
        ];
        const entries = resources.map((resource, binding) => ({ binding, resource }));
        pass.setBindGroup(0, this.device.createBindGroup({ label: 'gather', layout: this.layout, entries }));
        pass.dispatchWorkgroups(Math.ceil(source.numMelBins / COLUMNS));
      });
    });
    return upload;
  }

  /**
   * Gathers and submits one speaker.
   *
   * @param mask axes (mask frame), 0 or 1
   * @returns axes (used frame, mel), usage STORAGE and COPY_SRC, to be destroyed by the caller; null if the mask is
   *   empty
   */
  gather(source: GatherSource, window: number, mask: Uint8Array): { buffer: GPUBuffer; numFrames: number } | null {
    const used = usedFrames(mask, source.numFrames);
    if (used.length === 0) return null;
    const buffer = this.device.createBuffer({
      label: 'gathered',
      size: 4 * used.length * source.numMelBins,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    const encoder = this.device.createCommandEncoder({ label: 'gather' });
    const upload = this.encode(encoder, source, [{ window, used, output: buffer }]);
    this.device.queue.submit([encoder.finish()]);
    upload?.destroy();
    return { buffer, numFrames: used.length };
  }
}

/**
 * Computes the embedding model's input from all frames of a segment with one speaker.
 *
 * @param samples axes (sample), float32 in [-1, 1]
 * @returns axes (frame, mel), with the mean over frames subtracted if the model requires it; empty for less than a
 *   frame
 */
export type SegmentFeatures = (samples: Float32Array) => Promise<Float32Array>;

/** Uses the CPU filterbank. */
export function cpuSegmentFeatures(facts: FbankSpec, sampleRate: number): SegmentFeatures {
  const fbank = new Fbank(facts, sampleRate);
  return (samples) => Promise.resolve(maskedFeatures(fbank.compute(samples), EVERY_FRAME, facts.subtractMean));
}

/**
 * Uses the kernels of the GPU embedder.
 *
 * @throws VoxlaneError `backend-failed` if a kernel does not compile
 */
export async function gpuSegmentFeatures(
  gpu: GpuContext,
  facts: FbankSpec,
  sampleRate: number,
): Promise<SegmentFeatures> {
  const { device } = gpu;
  const fbank = await GpuFbank.create(device, facts, sampleRate);
  const gather = await GpuGather.create(device, facts.subtractMean);
  return (samples) =>
    gpu.guard(async () => {
      const features = fbank.compute(samples, 1);
      const gathered = gather.gather(features, 0, EVERY_FRAME);
      try {
        return gathered ? await readBack(device, gathered.buffer) : new Float32Array(0);
      } finally {
        gathered?.buffer.destroy();
      }
    });
}
