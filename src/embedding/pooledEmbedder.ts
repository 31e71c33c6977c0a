import { Fbank } from '../features/fbank';
import type { GpuFeatures } from '../features/gpuFbank';
import { type GpuContext, readBack } from '../gpu/context';
import { HealthGuard } from '../gpu/health';
import { encodeOnnx, parseOnnx } from '../onnx/model';
import { type PooledHead, splitAtPooling } from '../onnx/pooled';
import { type Graph, type GraphOptions, openGraph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import type { EmbedBatch, Embedder, EmbedResult } from './embedder';
import { GpuFeatureStage, tensorUsage } from './gpuFeatures';
import { GpuGather } from './gpuGather';
import { EVERY_FRAME, maskedFeatures, usedFrames, windowMasks } from './mask';
import { GpuStatsPool, type PoolScratch, withoutEmpty } from './gpuStatsPool';
import { frameWeights, poolEmbeddings } from './statsPool';

/** Features from the CPU filterbank, the backbone in a session on WASM, pooling in float64. */
export class CpuPooling implements PooledBackend {
  private readonly fbank: Fbank;

  /** @param graph the backbone */
  constructor(
    private readonly graph: Graph,
    private readonly head: PooledHead,
    private readonly manifest: EmbeddingManifest,
  ) {
    this.fbank = new Fbank(manifest.fbank, manifest.sampleRate);
  }

  close(): Promise<void> {
    return this.graph.release();
  }

  open(samples: Float32Array, numWindows: number): Promise<PooledWindows> {
    const numSamples = samples.length / numWindows;
    const { numMelBins, subtractMean } = this.manifest.fbank;
    // The mean is over the whole window, including other speakers, as in pyannote.
    const features = Array.from({ length: numWindows }, (_, window) => {
      const raw = this.fbank.compute(samples.subarray(window * numSamples, (window + 1) * numSamples));
      return maskedFeatures(raw, EVERY_FRAME, subtractMean);
    });
    const numFrames = (features[0]?.length ?? 0) / numMelBins;
    return Promise.resolve({
      numFrames,
      read: (window) => Promise.resolve(features[window]!),
      pool: async (window, masks) => {
        const { data } = await this.graph.run({ data: features[window]!, shape: [1, numFrames, numMelBins] });
        const map = { data, numFrames: data.length / this.head.numChannels };
        return poolEmbeddings(map, masks.map((mask) => frameWeights(mask, map.numFrames)), this.head);
      },
    });
  }
}

/**
 * Features, backbone and pooling on one GPU device. Samples are uploaded, embeddings are read back, and the feature
 * map stays on the GPU.
 */
class GpuPooling implements PooledBackend {
  private constructor(
    private readonly gpu: GpuContext,
    private readonly graph: Graph,
    private readonly head: PooledHead,
    private readonly features: GpuFeatureStage,
    private readonly gather: GpuGather,
    private readonly statistics: GpuStatsPool,
    /** Checks the feature map. The features have their own guard, which covers all windows of a batch. */
    private readonly health: HealthGuard,
  ) {}

  /**
   * @param graph the backbone
   * @throws VoxlaneError `backend-failed` if a kernel does not compile, `model-invalid`
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
    };
  }

  close(): Promise<void> {
    this.features.destroy();
    this.statistics.destroy();
    this.health.destroy();
    return this.graph.release();
  }

  /** Calls `use` with the whole window's features, with the mean subtracted, axes (frame, mel). */
  private async withInput<Result>(
    features: GpuFeatures,
    window: number,
    use: (input: GPUBuffer) => Promise<Result>,
  ): Promise<Result> {
    const { device } = this.gpu;
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
          // Statistics of a broken map can look plausible: with zeros, every speaker would get the bias of the last
          // layer.
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

/** Features of a batch of windows on one backend, valid until the next batch. */
interface PooledWindows {
  /** Mel frames of each window; 0 if a window is shorter than a frame. */
  readonly numFrames: number;
  /** The network's input for a window, axes (frame, mel). */
  read(window: number): Promise<Float32Array>;
  /**
   * Runs the backbone once on a window, and pools its map for all masks together.
   *
   * @param masks for each speaker, axes (mask frame), 0 or 1
   * @returns axes (speaker, dimension); NaN for a mask without a frame of the map
   */
  pool(window: number, masks: readonly Uint8Array[]): Promise<Float32Array>;
}

/** The features and the pooling of one backend. */
interface PooledBackend {
  /** @param samples axes (window, sample), float32 in [-1, 1] */
  open(samples: Float32Array, numWindows: number): Promise<PooledWindows>;
  /** Frees the session and its GPU memory. Do not call the backend afterward. */
  close(): Promise<void>;
}

/**
 * Embeds all local speakers of a window with one run of the network. Its frames do not depend on the speaker; only
 * the final statistics do. Matches pyannote.audio's `WeSpeakerResNet34` with weights.
 */
export class PooledEmbedder implements Embedder {
  private runs = 0;

  constructor(
    private readonly backend: PooledBackend,
    private readonly manifest: EmbeddingManifest,
  ) {}

  /** Number of backbone runs so far: one for each window with speech. */
  get backboneRuns(): number {
    return this.runs;
  }

  async embed(batch: EmbedBatch): Promise<EmbedResult> {
    const { windows, numWindows, numSpeakers } = batch;
    const { embeddingSize } = this.manifest;
    const embeddings = new Float32Array(numWindows * numSpeakers * embeddingSize).fill(NaN);
    const start = performance.now();
    const opened = await this.backend.open(windows, numWindows);
    const fbankEnd = performance.now();
    for (let window = 0; window < numWindows; window++) {
      const voices = this.voicesOf(batch, window, opened.numFrames);
      if (voices.length === 0) continue;
      this.runs++;
      const pooled = await opened.pool(window, voices.map(({ mask }) => mask));
      voices.forEach(({ speaker }, voice) => {
        const row = pooled.subarray(voice * embeddingSize, (voice + 1) * embeddingSize);
        embeddings.set(row, (window * numSpeakers + speaker) * embeddingSize);
      });
    }
    return {
      embeddings,
      fbankSeconds: (fbankEnd - start) / 1000,
      embeddingSeconds: (performance.now() - fbankEnd) / 1000,
    };
  }

  async embedSegment(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array> {
    const opened = await this.backend.open(samples, 1);
    onFeatures(await opened.read(0));
    this.runs++;
    return opened.pool(0, [EVERY_FRAME]);
  }

  close(): Promise<void> {
    return this.backend.close();
  }

  /** Local speakers of a window with enough speech, and the frames for pooling. */
  private voicesOf(
    { windows, activity, numWindows, numSpeakers }: EmbedBatch,
    window: number,
    numFeatureFrames: number,
  ): { speaker: number; mask: Uint8Array }[] {
    const { minFrames, minSamples } = this.manifest;
    const cells = activity.length / numWindows;
    const own = activity.subarray(window * cells, (window + 1) * cells);
    return windowMasks(own, numSpeakers, windows.length / numWindows, minSamples)
      .map((mask, speaker) => ({ speaker, mask }))
      .filter(({ mask }) => usedFrames(mask, numFeatureFrames).length >= minFrames);
  }
}

/**
 * Opens a model with statistics pooling: splits its graph and creates a session for the part before the pooling.
 *
 * @param bytes the ONNX file
 * @throws VoxlaneError `model-invalid` if the graph has no such pooling or its embedding size differs from the
 *   manifest, `backend-failed`
 */
export async function openPooledEmbedder(
  bytes: Uint8Array,
  manifest: EmbeddingManifest,
  options: GraphOptions,
): Promise<PooledEmbedder> {
  const { backbone, input, map, head } = splitAtPooling(parseOnnx(bytes, manifest.id));
  checkSizes(head, manifest);
  const facts = { input: { ...manifest.input, name: input }, output: { ...manifest.output, name: map } };
  const graph: Graph = await openGraph(encodeOnnx(backbone), facts, options);
  const backend = options.gpu
    ? await GpuPooling.create(options.gpu, graph, head, manifest)
    : new CpuPooling(graph, head, manifest);
  return new PooledEmbedder(backend, manifest);
}

function checkSizes({ embeddingSize }: PooledHead, manifest: EmbeddingManifest): void {
  if (embeddingSize === manifest.embeddingSize) return;
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The graph's embeddings have ${embeddingSize} values`,
    expected: `${manifest.embeddingSize}, as in the manifest of ${manifest.id}`,
    remedy: 'Use one of the files listed in the manifest',
  });
}
