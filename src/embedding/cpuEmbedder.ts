import { Fbank } from '../fbank/fbank';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { embed } from './embed';
import type { EmbedBatch, Embedder, EmbedResult } from './embedder';
import { EVERY_FRAME, maskedFeatures } from './mask';

/** Features by the plain filterbank, embeddings by a session on WASM. */
export class CpuEmbedder implements Embedder {
  private readonly fbank: Fbank;

  constructor(
    private readonly graph: Graph,
    private readonly manifest: EmbeddingManifest,
  ) {
    this.fbank = new Fbank(manifest.fbank, manifest.sampleRate);
  }

  close(): Promise<void> {
    return this.graph.release();
  }

  async embed({ windows, activity, numWindows, numSpeakers }: EmbedBatch): Promise<EmbedResult> {
    const windowSamples = windows.length / numWindows;
    const cells = activity.length / numWindows;
    const rowsPerWindow = numSpeakers * this.manifest.embeddingSize;
    const embeddings = new Float32Array(numWindows * rowsPerWindow);
    let fbankMs = 0;
    const start = performance.now();
    for (let window = 0; window < numWindows; window++) {
      const before = performance.now();
      const features = this.fbank.compute(windows.subarray(window * windowSamples, (window + 1) * windowSamples));
      fbankMs += performance.now() - before;
      const own = activity.subarray(window * cells, (window + 1) * cells);
      const input = { features, activity: own, numSpeakers, windowSamples };
      embeddings.set(await embed(this.graph, this.manifest, input), window * rowsPerWindow);
    }
    return { embeddings, fbankSeconds: fbankMs / 1000, embeddingSeconds: (performance.now() - start - fbankMs) / 1000 };
  }

  async embedStretch(samples: Float32Array, onFeatures: (features: Float32Array) => void): Promise<Float32Array> {
    const raw = this.fbank.compute(samples);
    const features = maskedFeatures(raw, EVERY_FRAME, this.manifest.fbank.subtractMean);
    onFeatures(features);
    return (await this.graph.run({ data: features, shape: [1, raw.numFrames, raw.numMelBins] })).data;
  }
}
