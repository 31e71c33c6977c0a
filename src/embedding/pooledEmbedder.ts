import { encodeOnnx, parseOnnx } from '../onnx/model';
import { splitAtPooling, type PooledHead } from '../onnx/pooled';
import { openGraph, type Graph, type GraphOptions } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import type { EmbedBatch, Embedder, EmbedResult } from './embedder';
import { EVERY_FRAME, usedFrames, windowMasks } from './mask';
import { CpuPooling } from './pooledCpu';
import { GpuPooling } from './pooledGpu';

/** Features of a batch of windows on one backend, ready to be embedded. */
export interface PooledWindows {
  /** Mel frames of each window; 0 where a window is shorter than one. */
  readonly numFrames: number;
  /** What the network takes of a window, axes (frame, mel). */
  read(window: number): Promise<Float32Array>;
  /**
   * Runs the backbone once on a window, and pools its map once for all masks.
   *
   * @param masks for each voice, axes (mask frame), 0 or 1
   * @returns axes (voice, dimension); NaN for a mask that no frame of the map falls into
   */
  pool(window: number, masks: readonly Uint8Array[]): Promise<Float32Array>;
  /** Frees the features. */
  close(): void;
}

/** The features and the pooling of one backend. */
export interface PooledBackend {
  /** @param samples axes (window, sample), float32 in [-1, 1] */
  open(samples: Float32Array, numWindows: number): Promise<PooledWindows>;
  /** Frees the session and its memory on the GPU. Do not call the backend afterwards. */
  close(): Promise<void>;
}

/**
 * Embeds all local speakers of a window from one run of the network: its frames are the same whoever speaks, and only
 * the statistics at its end are each speaker's own. As pyannote.audio's `WeSpeakerResNet34` does with weights.
 */
export class PooledEmbedder implements Embedder {
  private runs = 0;

  constructor(
    private readonly backend: PooledBackend,
    private readonly manifest: EmbeddingManifest,
  ) {}

  /** How often the backbone was run so far: once for each window in which somebody speaks. */
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
    try {
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
    } finally {
      opened.close();
    }
    return {
      embeddings,
      fbankSeconds: (fbankEnd - start) / 1000,
      embeddingSeconds: (performance.now() - fbankEnd) / 1000,
    };
  }

  async embedStretch(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array> {
    const opened = await this.backend.open(samples, 1);
    try {
      onFeatures(await opened.read(0));
      this.runs++;
      return await opened.pool(0, [EVERY_FRAME]);
    } finally {
      opened.close();
    }
  }

  close(): Promise<void> {
    return this.backend.close();
  }

  /** Local speakers of a window with enough speech, and the frames that theirs are pooled from. */
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
 * Opens a model that pools statistics: takes its graph apart and makes a session of the part before the pooling.
 *
 * @param bytes the ONNX file
 * @throws VoxlaneError `model-invalid` where the graph has no such pooling or another embedding than the manifest says,
 *   `backend-failed`
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
    expected: `${manifest.embeddingSize}, as the manifest of ${manifest.id} says`,
    remedy: 'Take one of the files that the manifest lists',
  });
}
