import { Fbank, fbankGeometry } from '../features/fbank';
import type { GpuFeatures } from '../features/gpuFbank';
import { type GpuContext, readBack } from '../gpu/context';
import { OverlapFbank } from '../features/overlapFbank';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { healthy } from '../util/values';
import type { Core } from './core';
import { GpuCampplus } from './gpuCampplus';
import { GpuFeatureStage, tensorUsage } from './gpuFeatures';
import { GpuGather } from './gpuGather';
import { EVERY_FRAME, framesVary, gatheredFeatures, maskedFeatures, usedFrames, windowMasks } from './mask';

/** A batch of windows with their local speakers. */
export interface EmbedBatch {
  /** Axes (window, sample), float32 in [-1, 1]. */
  readonly windows: Float32Array;
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  readonly numWindows: number;
  readonly numSpeakers: number;
  /**
   * Axes (window): only these frames of each window are embedded; absent: all. Ignored by models that pool over masks,
   * because their time does not depend on the number of frames.
   */
  readonly cores?: readonly Core[];
}

export interface EmbedResult {
  /** Axes (window, local speaker, dimension), float32; NaN if there was too little speech. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  readonly fbankSeconds: number;
  readonly embeddingSeconds: number;
}

/** The stages fbank and embedding on one backend. */
export interface Embedder {
  /** @throws VoxlaneError `backend-failed`, `model-output`, `gpu-lost`, `gpu-memory`, `gpu-wrong` */
  embed(batch: EmbedBatch): Promise<EmbedResult>;
  /**
   * Embeds all frames of `samples` as one speaker, for the self-check. Slower than {@link embed}, because the
   * features are also read back.
   *
   * @param onFeatures receives the model's input, axes (frame, mel), before the model runs
   * @returns axes (dimension)
   */
  embedSegment(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array>;
  /** Frees the session and its GPU memory. Do not call the embedder afterward. */
  close(): Promise<void>;
}

/** The local speakers of one window. */
interface EmbeddingInput {
  /** Axes (sample), float32 in [-1, 1]. */
  readonly samples: Float32Array;
  /** Axes (frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  readonly numSpeakers: number;
  /** The frames to embed; absent: all. */
  readonly core?: Core | undefined;
}

/** Features from the CPU filterbank, embeddings from a session on WASM. */
export class CpuEmbedder implements Embedder {
  private readonly fbank: Fbank;
  private readonly overlapFbank: OverlapFbank;

  constructor(
    private readonly graph: Graph,
    private readonly manifest: EmbeddingManifest,
  ) {
    const { fbank, sampleRate } = manifest;
    this.fbank = new Fbank(fbank, sampleRate);
    // Windows start at whole seconds.
    this.overlapFbank = new OverlapFbank(this.fbank, sampleRate, fbankGeometry(fbank, sampleRate).hopSamples);
  }

  close(): Promise<void> {
    return this.graph.release();
  }

  async embed({ windows, activity, numWindows, numSpeakers, cores }: EmbedBatch): Promise<EmbedResult> {
    const windowSamples = windows.length / numWindows;
    const cells = activity.length / numWindows;
    const rowsPerWindow = numSpeakers * this.manifest.embeddingSize;
    const embeddings = new Float32Array(numWindows * rowsPerWindow);
    let fbankSeconds = 0;
    let embeddingSeconds = 0;
    for (let window = 0; window < numWindows; window++) {
      const result = await this.embedWindow({
        samples: windows.subarray(window * windowSamples, (window + 1) * windowSamples),
        activity: activity.subarray(window * cells, (window + 1) * cells),
        numSpeakers,
        core: cores?.[window],
      });
      embeddings.set(result.embeddings, window * rowsPerWindow);
      fbankSeconds += result.fbankSeconds;
      embeddingSeconds += result.embeddingSeconds;
    }
    return { embeddings, fbankSeconds, embeddingSeconds };
  }

  /**
   * Computes one embedding per local speaker of a window.
   *
   * @returns `embeddings`: axes (local speaker, dimension); NaN for a speaker with fewer than `minFrames` mel frames
   */
  private async embedWindow({ samples, activity, numSpeakers, core }: EmbeddingInput): Promise<EmbedResult> {
    const { embeddingSize, fbank, minFrames, minSamples } = this.manifest;
    const start = performance.now();
    const numFrames = this.fbank.countFrames(samples.length);
    const voices = windowMasks(activity, numSpeakers, samples.length, minSamples, core)
      .map((mask, speaker) => ({ speaker, used: usedFrames(mask, numFrames) }))
      .filter(({ used }) => used.length >= minFrames);
    // Frames that no speaker uses are not computed.
    const wanted = new Uint8Array(numFrames);
    for (const { used } of voices) for (const frame of used) wanted[frame] = 1;
    const features = this.overlapFbank.compute(samples, wanted);
    const fbankEnd = performance.now();
    const embeddings = new Float32Array(numSpeakers * embeddingSize).fill(NaN);
    for (const { speaker, used } of voices) {
      const data = gatheredFeatures(features, used, fbank.subtractMean);
      // One at a time: speakers have different numbers of frames, and the network pools over all its input frames.
      const embedding = await this.graph.run({ data, shape: [1, used.length, fbank.numMelBins] });
      embeddings.set(embedding.data, speaker * embeddingSize);
    }
    return { embeddings, fbankSeconds: (fbankEnd - start) / 1000, embeddingSeconds: (performance.now() - fbankEnd) / 1000 };
  }

  async embedSegment(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array> {
    const raw = this.fbank.compute(samples);
    const features = maskedFeatures(raw, EVERY_FRAME, this.manifest.fbank.subtractMean);
    onFeatures(features);
    return (await this.graph.run({ data: features, shape: [1, raw.numFrames, raw.numMelBins] })).data;
  }
}

/** A local speaker with enough speech for an embedding. */
interface Voice {
  readonly window: number;
  readonly speaker: number;
  readonly used: Uint32Array;
  /** Whether its features certainly differ between its frames. */
  readonly varies: boolean;
}

/**
 * Features, gathering and embeddings on one GPU device. Samples are uploaded once per window, one embedding per
 * speaker is read back, and intermediate values stay on the GPU.
 */
export class GpuEmbedder implements Embedder {
  private constructor(
    private readonly gpu: GpuContext,
    private readonly graph: Graph,
    private readonly manifest: EmbeddingManifest,
    private readonly features: GpuFeatureStage,
    private readonly gather: GpuGather,
  ) {}

  /** @throws VoxlaneError `backend-failed` if a kernel does not compile, `model-invalid` */
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
    const voices = voicesOf(batch, features.numFrames, this.manifest).filter(({ used }) => used.length >= minFrames);
    const found = this.graph instanceof GpuCampplus ? await this.embedTogether(this.graph, { ...features, numSpeakers }, voices) : null;
    for (const [index, voice] of voices.entries()) {
      const row = (voice.window * numSpeakers + voice.speaker) * embeddingSize;
      embeddings.set(found?.[index] ?? (await this.embedVoice(features, voice)), row);
    }
    return {
      embeddings,
      fbankSeconds: (fbankEnd - start) / 1000,
      embeddingSeconds: (performance.now() - fbankEnd) / 1000,
    };
  }

  async embedSegment(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array> {
    const features = await this.features.compute(samples, 1);
    const used = usedFrames(EVERY_FRAME, features.numFrames);
    return this.embedVoice(features, { window: 0, used }, onFeatures);
  }

  close(): Promise<void> {
    this.features.destroy();
    return this.graph.release();
  }

  /** All speakers in one batch. */
  private async embedTogether(network: GpuCampplus, features: Parameters<GpuCampplus['embed']>[0], voices: readonly Voice[]): Promise<Float32Array[]> {
    const { fbank: { subtractMean }, output, embeddingSize } = this.manifest;
    const beforeReadback = (encoder: GPUCommandEncoder, buffer: GPUBuffer, bytes: number): void => {
      this.features.health.mark(encoder, buffer, bytes);
    };
    const all = await network.embed(features, voices, { subtractMean, beforeReadback });
    return voices.map((_, index) => healthy(all.subarray(index * embeddingSize, (index + 1) * embeddingSize), output.name, 'gpu-wrong'));
  }

  private async embedVoice(
    features: GpuFeatures,
    { window, used }: Pick<Voice, 'window' | 'used'>,
    onFeatures?: (features: Float32Array) => void,
  ): Promise<Float32Array> {
    const { device } = this.gpu;
    const { numMelBins } = features;
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
  { windows, activity, numWindows, numSpeakers, cores }: EmbedBatch,
  numFeatureFrames: number,
  { minSamples, fbank, sampleRate }: EmbeddingManifest,
): Voice[] {
  const cells = activity.length / numWindows;
  const numSamples = windows.length / numWindows;
  const geometry = fbankGeometry(fbank, sampleRate);
  return Array.from({ length: numWindows }, (_, window) => {
    const own = activity.subarray(window * cells, (window + 1) * cells);
    const masks = windowMasks(own, numSpeakers, numSamples, minSamples, cores?.[window]);
    const samples = windows.subarray(window * numSamples, (window + 1) * numSamples);
    return masks.map((mask, speaker) => {
      const used = usedFrames(mask, numFeatureFrames);
      return { window, speaker, used, varies: framesVary(samples, used, geometry) };
    });
  }).flat();
}
