import type { GpuFeatures } from '../fbank/gpuFbank';
import type { GpuContext } from '../gpu/context';
import { readBack } from '../gpu/readback';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import type { EmbedBatch, Embedder, EmbedResult } from './embedder';
import { GpuFeatureStage, tensorUsage } from './gpuFeatures';
import { GpuGather } from './gpuGather';
import { EVERY_FRAME, usedFrames, windowMasks } from './mask';

/** A local speaker with enough speech to be embedded. */
interface Voice {
  readonly window: number;
  readonly speaker: number;
  readonly used: Uint32Array;
}

/**
 * Features, gathering and embeddings on one GPU device: samples go up once per window, one embedding per voice comes
 * back, and nothing in between leaves the GPU.
 */
export class GpuEmbedder implements Embedder {
  private constructor(
    private readonly gpu: GpuContext,
    private readonly graph: Graph,
    private readonly manifest: EmbeddingManifest,
    private readonly features: GpuFeatureStage,
    private readonly gather: GpuGather,
  ) {}

  /** @throws VoxlaneError `backend-failed` where a kernel does not compile, `model-invalid` */
  static async create(
    gpu: GpuContext,
    graph: Graph,
    manifest: EmbeddingManifest,
  ): Promise<GpuEmbedder> {
    const features = await GpuFeatureStage.create(gpu, manifest);
    const gather = await GpuGather.create(gpu.device, manifest.fbank.subtractMean);
    return new GpuEmbedder(gpu, graph, manifest, features, gather);
  }

  async embed(batch: EmbedBatch): Promise<EmbedResult> {
    const { windows, numWindows, numSpeakers } = batch;
    const { embeddingSize, minFrames } = this.manifest;
    const embeddings = new Float32Array(numWindows * numSpeakers * embeddingSize).fill(NaN);
    const start = performance.now();
    const features = await this.features.compute(windows, numWindows);
    const fbankEnd = performance.now();
    try {
      const voices = voicesOf(batch, features.numFrames, this.manifest).filter(({ used }) => used.length >= minFrames);
      for (const voice of voices) {
        const row = (voice.window * numSpeakers + voice.speaker) * embeddingSize;
        embeddings.set(await this.embedVoice(features, voice), row);
      }
    } finally {
      features.buffer.destroy();
    }
    return {
      embeddings,
      fbankSeconds: (fbankEnd - start) / 1000,
      embeddingSeconds: (performance.now() - fbankEnd) / 1000,
    };
  }

  async embedStretch(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array> {
    const features = await this.features.compute(samples, 1);
    try {
      const used = usedFrames(EVERY_FRAME, features.numFrames);
      return await this.embedVoice(features, { window: 0, speaker: 0, used }, onFeatures);
    } finally {
      features.buffer.destroy();
    }
  }

  close(): Promise<void> {
    this.features.destroy();
    return this.graph.release();
  }

  private async embedVoice(
    features: GpuFeatures,
    { window, used }: Voice,
    onFeatures?: (features: Float32Array) => void,
  ): Promise<Float32Array> {
    const { device, meter } = this.gpu;
    const { numMelBins } = features;
    meter.enter('embedding');
    const bytes = 4 * used.length * numMelBins;
    const input = device.createBuffer({ label: 'embedding input', size: bytes, usage: tensorUsage() });
    try {
      const encoder = device.createCommandEncoder();
      const upload = this.gather.encode(encoder, features, [{ window, used, output: input }]);
      device.queue.submit([encoder.finish()]);
      upload?.destroy();
      if (onFeatures) onFeatures(await this.gpu.guard(() => readBack(device, input, bytes)));
      const { data } = await this.graph.run({ buffer: input, shape: [1, used.length, numMelBins] }, (pass, output, size) => {
        this.features.health.mark(pass, output, size);
      });
      return data;
    } finally {
      input.destroy();
    }
  }
}

function voicesOf(
  { windows, activity, numWindows, numSpeakers }: EmbedBatch,
  numFeatureFrames: number,
  { minSamples }: EmbeddingManifest,
): Voice[] {
  const cells = activity.length / numWindows;
  return Array.from({ length: numWindows }, (_, window) => {
    const own = activity.subarray(window * cells, (window + 1) * cells);
    const masks = windowMasks(own, numSpeakers, windows.length / numWindows, minSamples);
    return masks.map((mask, speaker) => ({ window, speaker, used: usedFrames(mask, numFeatureFrames) }));
  }).flat();
}
