import { featureBytes, GpuFbank, type GpuFeatures } from '../features/gpuFbank';
import type { GpuContext } from '../gpu/context';
import { HealthGuard } from '../gpu/health';
import type { EmbeddingManifest } from '../store/manifest';

/** The stage fbank on a GPU. Features stay on the GPU and are checked there. */
export class GpuFeatureStage {
  /** Contains the counts of the last computed features. */
  readonly health: HealthGuard;

  private constructor(
    private readonly gpu: GpuContext,
    private readonly fbank: GpuFbank,
  ) {
    this.health = new HealthGuard(gpu.device);
  }

  /** @throws VoxlaneError `backend-failed` if the kernel does not compile, `model-invalid` */
  static async create(gpu: GpuContext, manifest: EmbeddingManifest): Promise<GpuFeatureStage> {
    return new GpuFeatureStage(gpu, await GpuFbank.create(gpu.device, manifest.fbank, manifest.sampleRate));
  }

  /**
   * Computes features and waits for the GPU, so times and errors belong to this stage.
   *
   * @param windows axes (window, sample)
   * @returns features that are valid until the next call
   * @throws VoxlaneError `gpu-lost`, `gpu-memory`, `backend-failed`
   */
  async compute(windows: Float32Array, numWindows: number): Promise<GpuFeatures> {
    try {
      return await this.gpu.guard(() => this.inspect(this.fbank.compute(windows, numWindows)));
    } catch (error) {
      this.fbank.forgetBuffers();
      throw error;
    }
  }

  /** Frees the stage's GPU memory. */
  destroy(): void {
    this.fbank.destroy();
    this.health.destroy();
  }

  private async inspect(features: GpuFeatures): Promise<GpuFeatures> {
    const { device } = this.gpu;
    // Without a complete frame, there is nothing to check or embed.
    if (features.numFrames === 0) return features;
    const encoder = device.createCommandEncoder();
    this.health.look(encoder, features.buffer, featureBytes(features), features.numWindows);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return features;
  }
}

/** Buffer usage that ONNX Runtime requires for an input. */
export function tensorUsage(): GPUBufferUsageFlags {
  // Not a constant, because `GPUBufferUsage` may not exist where this module is imported but not used.
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
}
