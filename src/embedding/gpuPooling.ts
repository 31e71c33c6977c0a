import { fbankGeometry } from '../features/fbank';
import type { GpuFeatures } from '../features/gpuFbank';
import { type GpuContext, readBack } from '../gpu/context';
import type { EmbeddingManifest } from '../store/manifest';
import { concatenate, healthy } from '../util/values';
import { GpuFeatureStage, tensorUsage } from './gpuFeatures';
import { GpuGather } from './gpuGather';
import { divideJobs, type GpuPooledNetwork, type PoolFeatures } from './gpuPooledNetwork';
import { withoutEmpty } from './gpuStatsPool';
import { EVERY_FRAME, framesVary, usedFrames } from './mask';
import type { PooledBackend, PooledWindows, PoolJob } from './pooledBackend';
import { isEmpty } from './statsPool';

/**
 * Features, network and pooling on one GPU device. Samples are uploaded, embeddings are read back, and the feature
 * maps stay on the GPU. Windows are computed in batches.
 */
export class GpuPooling implements PooledBackend {
  private constructor(
    private readonly gpu: GpuContext,
    private readonly network: GpuPooledNetwork,
    private readonly manifest: EmbeddingManifest,
    private readonly features: GpuFeatureStage,
    private readonly gather: GpuGather,
  ) {}

  /** @throws VoxlaneError `backend-failed` if a kernel does not compile, `model-invalid` */
  static async create(gpu: GpuContext, network: GpuPooledNetwork, manifest: EmbeddingManifest): Promise<GpuPooling> {
    const features = await GpuFeatureStage.create(gpu, manifest);
    const gather = await GpuGather.create(gpu.device, manifest.fbank.subtractMean);
    return new GpuPooling(gpu, network, manifest, features, gather);
  }

  async open(samples: Float32Array, numWindows: number, numSpeakers: number): Promise<PooledWindows> {
    const features = await this.features.compute(samples, numWindows);
    const { fbank, sampleRate } = this.manifest;
    const geometry = fbankGeometry(fbank, sampleRate);
    const used = usedFrames(EVERY_FRAME, features.numFrames);
    const numSamples = samples.length / numWindows;
    const varies = Array.from({ length: numWindows }, (_, window) =>
      framesVary(samples.subarray(window * numSamples, (window + 1) * numSamples), used, geometry));
    return {
      numFrames: features.numFrames,
      read: (window) => this.read(features, window),
      pool: (jobs) => this.pool({ ...features, varies, numSpeakers }, jobs),
    };
  }

  async close(): Promise<void> {
    this.features.destroy();
    await this.network.release();
  }

  /** Embeddings of all masks, computed in batches. */
  private async pool(features: PoolFeatures, jobs: readonly PoolJob[]): Promise<Float32Array> {
    const { embeddingSize, output } = this.manifest;
    const parts: Float32Array[] = [];
    for (const batch of divideJobs(jobs, this.network.maxWindows(features.numFrames))) {
      const { embeddings, masks } = await this.network.embed(features, batch, (encoder, buffer, bytes) => {
        this.features.health.mark(encoder, buffer, bytes);
      });
      for (const [mask, { weights }] of masks.entries()) {
        if (!isEmpty(weights)) healthy(embeddings.subarray(mask * embeddingSize, (mask + 1) * embeddingSize), output.name, 'gpu-wrong');
      }
      parts.push(withoutEmpty(embeddings, masks));
    }
    return concatenate(parts);
  }

  /** The whole window's features, with the mean subtracted, axes (frame, mel). */
  private async read(features: GpuFeatures, window: number): Promise<Float32Array> {
    const { device } = this.gpu;
    const size = 4 * features.numFrames * features.numMelBins;
    const input = device.createBuffer({ label: 'embedding input', size, usage: tensorUsage() });
    try {
      const encoder = device.createCommandEncoder();
      const upload = this.gather.encode(encoder, features, [{ window, used: usedFrames(EVERY_FRAME, features.numFrames), output: input }]);
      device.queue.submit([encoder.finish()]);
      upload?.destroy();
      return await this.gpu.guard(() => readBack(device, input));
    } finally {
      input.destroy();
    }
  }
}
