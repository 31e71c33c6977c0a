import type { GpuFeatures } from '../fbank/gpuFbank';
import type { GpuContext } from '../gpu/context';
import { HealthGuard } from '../gpu/health';
import { readBack } from '../gpu/readback';
import type { PooledHead } from '../onnx/pooled';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { GpuFeatureStage, tensorUsage } from './gpuFeatures';
import { GpuGather } from './gpuGather';
import { GpuStatsPool, withoutEmpty, type PoolScratch } from './gpuStatsPool';
import { EVERY_FRAME, usedFrames } from './mask';
import type { PooledBackend, PooledWindows } from './pooledEmbedder';
import { frameWeights } from './statsPool';

/** Features, backbone and pooling on one GPU device: samples go up, embeddings come back, the map stays. */
export class GpuPooling implements PooledBackend {
  private constructor(
    private readonly gpu: GpuContext,
    private readonly graph: Graph,
    private readonly head: PooledHead,
    private readonly features: GpuFeatureStage,
    private readonly gather: GpuGather,
    private readonly statistics: GpuStatsPool,
    /** Of the map; that of the features is theirs, because it speaks for all windows of a batch. */
    private readonly health: HealthGuard,
  ) {}

  /**
   * @param graph the backbone
   * @throws VoxlaneError `backend-failed` where a kernel does not compile, `model-invalid`
   */
  static async create(
    gpu: GpuContext,
    graph: Graph,
    head: PooledHead,
    manifest: EmbeddingManifest,
  ): Promise<GpuPooling> {
    const features = await GpuFeatureStage.create(gpu, manifest);
    const gather = await GpuGather.create(gpu.device, manifest.fbank.subtractMean);
    const statistics = await GpuStatsPool.create(gpu.device, head);
    return new GpuPooling(gpu, graph, head, features, gather, statistics, new HealthGuard(gpu.device));
  }

  async open(samples: Float32Array, numWindows: number): Promise<PooledWindows> {
    const features = await this.features.compute(samples, numWindows);
    const { device } = this.gpu;
    return {
      numFrames: features.numFrames,
      read: (window) => this.withInput(features, window, (input) => this.gpu.guard(() => readBack(device, input))),
      pool: (window, masks) => this.withInput(features, window, (input) => this.pool(input, features, masks)),
      close: () => {
        features.buffer.destroy();
      },
    };
  }

  close(): Promise<void> {
    this.features.destroy();
    this.statistics.destroy();
    this.health.destroy();
    return this.graph.release();
  }

  /** Calls `use` with the whole window's features, the mean subtracted: axes (frame, mel). */
  private async withInput<Result>(
    features: GpuFeatures,
    window: number,
    use: (input: GPUBuffer) => Promise<Result>,
  ): Promise<Result> {
    const { device, meter } = this.gpu;
    meter.enter('embedding');
    const size = 4 * features.numFrames * features.numMelBins;
    const input = device.createBuffer({ label: 'embedding input', size, usage: tensorUsage() });
    try {
      const used = usedFrames(EVERY_FRAME, features.numFrames);
      const encoder = device.createCommandEncoder();
      const upload = this.gather.encode(encoder, features, [{ window, used, output: input }]);
      device.queue.submit([encoder.finish()]);
      upload?.destroy();
      return await use(input);
    } finally {
      input.destroy();
    }
  }

  private async pool(
    input: GPUBuffer,
    { numFrames, numMelBins }: GpuFeatures,
    masks: readonly Uint8Array[],
  ): Promise<Float32Array> {
    const { numChannels, embeddingSize } = this.head;
    const shape = [masks.length, embeddingSize];
    const size = 4 * masks.length * embeddingSize;
    const output = this.gpu.device.createBuffer({ label: 'embeddings', size, usage: tensorUsage() });
    let weights: Float32Array[] = [];
    let scratch: PoolScratch | undefined;
    try {
      const { data } = await this.graph.run(
        { buffer: input, shape: [1, numFrames, numMelBins] },
        (encoder, map, bytes) => {
          const mapFrames = bytes / 4 / numChannels;
          weights = masks.map((mask) => frameWeights(mask, mapFrames));
          scratch = this.statistics.encode(encoder, { buffer: map, numFrames: mapFrames }, weights, output);
          // Statistics of a broken map can look sound: zeros would give every voice the last layer's bias.
          this.features.health.mark(encoder, output, size);
          this.health.look(encoder, map, bytes);
          this.health.mark(encoder, output, size);
        },
        { buffer: output, shape },
      );
      return withoutEmpty(data, weights);
    } finally {
      for (const buffer of [output, scratch?.masks, scratch?.statistics]) buffer?.destroy();
    }
  }
}
