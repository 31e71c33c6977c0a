import { GpuFbank, type GpuFeatures } from '../fbank/gpuFbank';
import { gpuMemory, type GpuContext } from '../gpu/context';
import { spoil, type FaultInjector } from '../gpu/faults';
import { HealthGuard } from '../gpu/health';
import type { EmbeddingManifest } from '../store/manifest';

/** The stage fbank on a GPU: features that stay there, and a word about whether they are sound. */
export class GpuFeatureStage {
  /** Has looked at the features that were computed last. */
  readonly health: HealthGuard;

  private constructor(
    private readonly gpu: GpuContext,
    private readonly fbank: GpuFbank,
    private readonly faults: FaultInjector,
  ) {
    this.health = new HealthGuard(gpu.device);
  }

  /** @throws VoxlaneError `backend-failed` where the kernel does not compile, `model-invalid` */
  static async create(gpu: GpuContext, manifest: EmbeddingManifest, faults: FaultInjector): Promise<GpuFeatureStage> {
    return new GpuFeatureStage(gpu, await GpuFbank.create(gpu.device, manifest.fbank, manifest.sampleRate), faults);
  }

  /**
   * Waits for the GPU, so that the time is the stage's own and a fault is told where it happened.
   *
   * @param windows axes (window, sample)
   * @returns the caller's to destroy
   * @throws VoxlaneError `gpu-lost`, `gpu-memory`, `backend-failed`
   */
  async compute(windows: Float32Array, numWindows: number): Promise<GpuFeatures> {
    let features: GpuFeatures | undefined;
    try {
      return await this.gpu.guard(() => {
        this.gpu.meter.enter('fbank');
        features = this.fbank.compute(windows, numWindows);
        return this.inspect(features, numWindows);
      });
    } catch (error) {
      features?.buffer.destroy();
      this.fbank.forgetBuffers();
      throw error;
    }
  }

  private async inspect(features: GpuFeatures, numWindows: number): Promise<GpuFeatures> {
    const { device } = this.gpu;
    if (this.faults.exceedsMemory(numWindows)) throw gpuMemory('simulated');
    this.applyFault(features.buffer);
    // Nothing shorter than a frame can be looked at, or embedded.
    if (features.numFrames === 0) return features;
    const encoder = device.createCommandEncoder();
    this.health.look(encoder, features.buffer, features.buffer.size);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return features;
  }

  private applyFault(buffer: GPUBuffer): void {
    const kind = this.faults.next();
    if (kind === 'lost') this.gpu.device.destroy();
    if (kind === null || kind === 'lost' || kind === 'memory') return;
    // Half of the frames only: the mean over frames would take out what all have in common.
    const values = Float32Array.from({ length: buffer.size / 8 }, (_, i) => (i % 7) - 8);
    this.gpu.device.queue.writeBuffer(buffer, 0, spoil(kind === 'perturb' ? values : new Float32Array(buffer.size / 4), kind));
  }
}

/** What ONNX Runtime wants of a buffer that it takes as an input. */
export function tensorUsage(): GPUBufferUsageFlags {
  // Not a constant: `GPUBufferUsage` does not exist where this module may be imported but never used.
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
}
