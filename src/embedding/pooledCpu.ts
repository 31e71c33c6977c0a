import { Fbank } from '../fbank/fbank';
import type { PooledHead } from '../onnx/pooled';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { EVERY_FRAME, maskedFeatures } from './mask';
import type { PooledBackend, PooledWindows } from './pooledEmbedder';
import { frameWeights, poolEmbeddings } from './statsPool';

/** Features by the plain filterbank, the backbone by a session on WASM, pooling in float64. */
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
    // Of the whole window, as pyannote does it: what others say in it is part of the mean.
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
      close: () => undefined,
    });
  }
}
