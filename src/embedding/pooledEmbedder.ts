import { Fbank } from '../features/fbank';
import type { GpuContext } from '../gpu/context';
import { encodeOnnx, graphOf, parseOnnx } from '../onnx/model';
import { type PooledHead, type PooledNetwork, splitAtPooling } from '../onnx/pooled';
import { type Graph, type GraphOptions, openGraph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { concatenate } from '../util/values';
import type { EmbedBatch, Embedder, EmbedResult } from './embedder';
import { GpuPooling } from './gpuPooling';
import { GpuResnet } from './gpuResnet';
import { GpuRuntimePooling } from './gpuRuntimePooling';
import { EVERY_FRAME, maskedFeatures, usedFrames, windowMasks } from './mask';
import type { PooledBackend, PooledWindows } from './pooledBackend';
import { readResnet } from './resnetGraph';
import { framesOfMap, frameWeights, poolEmbeddings } from './statsPool';

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
      pool: async (jobs) => {
        const pooled: Float32Array[] = [];
        for (const { window, masks } of jobs) {
          const { data, shape } = await this.graph.run({ data: features[window]!, shape: [1, numFrames, numMelBins] });
          const map = { data, numFrames: framesOfMap(shape, this.head) };
          pooled.push(poolEmbeddings(map, masks.map((mask) => frameWeights(mask, map.numFrames)), this.head));
        }
        return concatenate(pooled);
      },
    });
  }
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
    const opened = await this.backend.open(windows, numWindows, numSpeakers);
    const fbankEnd = performance.now();
    const voices = Array.from({ length: numWindows }, (_, window) => this.voicesOf(batch, window, opened.numFrames));
    const jobs = voices.flatMap((own, window) => (own.length > 0 ? [{ window, masks: own.map(({ mask }) => mask) }] : []));
    this.runs += jobs.length;
    const pooled = jobs.length > 0 ? await opened.pool(jobs) : null;
    for (const [voice, { window, speaker }] of voices.flatMap((own, window) => own.map(({ speaker }) => ({ window, speaker }))).entries()) {
      const row = pooled!.subarray(voice * embeddingSize, (voice + 1) * embeddingSize);
      embeddings.set(row, (window * numSpeakers + speaker) * embeddingSize);
    }
    return {
      embeddings,
      fbankSeconds: (fbankEnd - start) / 1000,
      embeddingSeconds: (performance.now() - fbankEnd) / 1000,
    };
  }

  async embedSegment(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array> {
    const opened = await this.backend.open(samples, 1, 1);
    onFeatures(await opened.read(0));
    this.runs++;
    return opened.pool([{ window: 0, masks: [EVERY_FRAME] }]);
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
 * Opens a model with statistics pooling, which is split before the pooling. On a GPU, our own kernels compute a supported ResNet. ONNX
 * Runtime computes other graphs, and all on WASM.
 *
 * @param bytes the ONNX file
 * @param options `ownKernels`: default true
 * @throws VoxlaneError `model-invalid` if the graph has no such pooling or its embedding size differs from the
 *   manifest, `backend-failed`
 */
export async function openPooledEmbedder(
  bytes: Uint8Array,
  manifest: EmbeddingManifest,
  options: GraphOptions & { readonly ownKernels?: boolean },
): Promise<PooledEmbedder> {
  const network = splitAtPooling(parseOnnx(bytes, manifest.id));
  checkSizes(network.head, manifest);
  const { gpu, ownKernels = true } = options;
  const openBackbone = (): Promise<Graph> => {
    const facts = { input: { ...manifest.input, name: network.input }, output: { ...manifest.output, name: network.map } };
    return openGraph(encodeOnnx(network.backbone), facts, options);
  };
  if (!gpu) return new PooledEmbedder(new CpuPooling(await openBackbone(), network.head, manifest), manifest);
  const pooling = (ownKernels ? await openOwn(gpu, network, manifest) : null)
    ?? (await GpuRuntimePooling.open(gpu, await openBackbone(), network, manifest, mapChannelsOf(network)));
  return new PooledEmbedder(await GpuPooling.create(gpu, pooling, manifest), manifest);
}

/** Our own kernels; null for a graph that they do not compute, or if they do not compile. */
async function openOwn(gpu: GpuContext, network: PooledNetwork, { fbank }: EmbeddingManifest): Promise<GpuResnet | null> {
  try {
    return await GpuResnet.open(gpu, network, fbank);
  } catch (error) {
    if (error instanceof VoxlaneError && (error.code === 'model-invalid' || error.code === 'backend-failed')) return null;
    throw error;
  }
}

/** Channels of a ResNet's first map; null for another graph, or if its batch size is fixed. */
function mapChannelsOf(network: PooledNetwork): number | null {
  const type = graphOf(network.backbone).input.find(({ name }) => name === network.input)?.type?.value;
  const batch = type?.case === 'tensorType' ? type.value.shape?.dim[0]?.value : undefined;
  if (batch?.case === 'dimValue') return null;
  try {
    return readResnet(network).stem.numOut;
  } catch (error) {
    if (error instanceof VoxlaneError && error.code === 'model-invalid') return null;
    throw error;
  }
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
