import type { Features } from '../fbank/fbank';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { maskedFeatures, windowMasks } from './mask';

/** One window's local speakers, to be embedded. */
export interface EmbeddingInput {
  /** Of the whole window, axes (frame, mel). */
  readonly features: Features;
  /** Axes (frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  readonly numSpeakers: number;
  readonly windowSamples: number;
}

/**
 * One embedding per local speaker of a window.
 *
 * @returns axes (local speaker, dimension); NaN for a speaker with fewer than `minFrames` mel frames
 * @throws VoxlaneError `backend-failed`, `model-output`
 */
export async function embed(graph: Graph, manifest: EmbeddingManifest, input: EmbeddingInput): Promise<Float32Array> {
  const { embeddingSize, fbank, minFrames, minSamples } = manifest;
  const { activity, numSpeakers, windowSamples, features } = input;
  const embeddings = new Float32Array(numSpeakers * embeddingSize).fill(NaN);
  for (const [speaker, mask] of windowMasks(activity, numSpeakers, windowSamples, minSamples).entries()) {
    const data = maskedFeatures(features, mask, fbank.subtractMean);
    const numFrames = data.length / fbank.numMelBins;
    if (numFrames < minFrames) continue;
    // One at a time: speakers have different frame counts, and the network pools over all frames it is given.
    const embedding = await graph.run({ data, shape: [1, numFrames, fbank.numMelBins] });
    embeddings.set(embedding.data, speaker * embeddingSize);
  }
  return embeddings;
}
