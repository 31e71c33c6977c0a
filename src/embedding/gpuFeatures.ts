import { GpuFbank, type GpuFeatures } from '../features/gpuFbank';
import type { GpuContext } from '../gpu/context';
import { HealthGuard } from '../gpu/health';
import type { EmbeddingManifest } from '../store/manifest';

/** The stage fbank on a GPU: features that stay there, and a word about whether they are sound. */
export class GpuFeatureStage {
  /** Has looked at the features that were computed last. */
  readonly health: HealthGuard;

  private constructor(
    private readonly gpu: GpuContext,
    private readonly fbank: GpuFbank,
  ) {
    this.health = new HealthGuard(gpu.device);
  }

  /** @throws VoxlaneError `backend-failed` where the kernel does not compile, `model-invalid` */
  static async create(gpu: GpuContext, manifest: EmbeddingManifest): Promise<GpuFeatureStage> {
    return new GpuFeatureStage(gpu, await GpuFbank.create(gpu.device, manifest.fbank, manifest.sampleRate));
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
        return this.inspect(features);
      });
    } catch (error) {
      features?.buffer.destroy();
      this.fbank.forgetBuffers();
      throw error;
    }
  }

  /** Frees the stage's memory on the GPU. Features that it returned stay valid. */
  destroy(): void {
    this.fbank.destroy();
    this.health.destroy();
  }

  private async inspect(features: GpuFeatures): Promise<GpuFeatures> {
    const { device } = this.gpu;
    // Nothing shorter than a frame can be looked at, or embedded.
    if (features.numFrames === 0) return features;
    const encoder = device.createCommandEncoder();
    this.health.look(encoder, features.buffer, features.buffer.size);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return features;
  }
}

/** What ONNX Runtime wants of a buffer that it takes as an input. */
export function tensorUsage(): GPUBufferUsageFlags {
  // Not a constant: `GPUBufferUsage` does not exist where this module may be imported but never used.
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
}
