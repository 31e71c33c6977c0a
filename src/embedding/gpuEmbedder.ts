import { GpuFbank, type GpuFeatures } from '../fbank/gpuFbank';
import { gpuMemory, type GpuContext } from '../gpu/context';
import { spoil, type FaultInjector } from '../gpu/faults';
import { HealthGuard } from '../gpu/health';
import { readBack } from '../gpu/readback';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import type { EmbedBatch, Embedder, EmbedResult } from './embedder';
import { GpuGather } from './gpuGather';
import { embeddingMasks, minCleanFrames, usedFrames } from './mask';

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
    private readonly fbank: GpuFbank,
    private readonly gather: GpuGather,
    private readonly health: HealthGuard,
    private readonly faults: FaultInjector,
  ) {}

  /** @throws VoxlaneError `backend-failed` where a kernel does not compile, `model-invalid` */
  static async create(
    gpu: GpuContext,
    graph: Graph,
    manifest: EmbeddingManifest,
    faults: FaultInjector,
  ): Promise<GpuEmbedder> {
    const fbank = await GpuFbank.create(gpu.device, manifest.fbank, manifest.sampleRate);
    const gather = await GpuGather.create(gpu.device, manifest.fbank.subtractMean);
    return new GpuEmbedder(gpu, graph, manifest, fbank, gather, new HealthGuard(gpu.device), faults);
  }

  async embed(batch: EmbedBatch): Promise<EmbedResult> {
    const { windows, numWindows, numSpeakers } = batch;
    const { embeddingSize, minFrames } = this.manifest;
    const embeddings = new Float32Array(numWindows * numSpeakers * embeddingSize).fill(NaN);
    const start = performance.now();
    const features = await this.computeFeatures(windows, numWindows);
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
    const features = await this.computeFeatures(samples, 1);
    try {
      const used = usedFrames(Uint8Array.of(1), features.numFrames);
      return await this.embedVoice(features, { window: 0, speaker: 0, used }, onFeatures);
    } finally {
      features.buffer.destroy();
    }
  }

  /** Waits for the GPU, so that the time is the stage's own and a fault is told where it happened. */
  private async computeFeatures(windows: Float32Array, numWindows: number): Promise<GpuFeatures> {
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
        this.health.mark(pass, output, size);
      });
      return data;
    } finally {
      input.destroy();
    }
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
function tensorUsage(): GPUBufferUsageFlags {
  // Not a constant: `GPUBufferUsage` does not exist where this module may be imported but never used.
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
}

function voicesOf(
  { windows, activity, numWindows, numSpeakers }: EmbedBatch,
  numFeatureFrames: number,
  { minSamples }: EmbeddingManifest,
): Voice[] {
  const cells = activity.length / numWindows;
  const minClean = minCleanFrames(cells / numSpeakers, windows.length / numWindows, minSamples);
  return Array.from({ length: numWindows }, (_, window) => {
    const own = activity.subarray(window * cells, (window + 1) * cells);
    const masks = embeddingMasks(own, numSpeakers, minClean);
    return masks.map((mask, speaker) => ({ window, speaker, used: usedFrames(mask, numFeatureFrames) }));
  }).flat();
}
