/**
 * The self-check of a GPU at the length and the batch size of a run. Golden outputs are short and alone in their batch; a
 * kernel can be wrong only beyond some length, or only from the second window of a batch on.
 */
import type { Embedder } from '../embedding/embedder';
import { testConversation } from '../embedding/testSpeech';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest, SegmentationManifest } from '../store/manifest';
import type { GoldenStage } from './bundle';
import { embeddingStage, featureStage, prove, scoreStage, type ModelProof } from './proveStages';
import { concatenate } from '../util/concatenate';

/**
 * Limit for different windows of a batch: WASM computes each, in a third of a second or more. The batch repeats them in an
 * order without a period, so that swapped windows are detected.
 */
const MOST_DIFFERENT = 4;
/** Mask frames of the windows of an embedding batch: enough for stretches of less than a second. */
const MASK_FRAMES = 64;

/**
 * Compares the scores of a batch of windows with those that WASM gives for each of the windows alone.
 *
 * @param reference the same file on WASM
 * @param numWindows of the batch
 * @throws VoxlaneError `backend-failed`, `gpu-lost`, `gpu-memory`
 */
export async function proveSegmentationWindows(
  reference: Graph,
  graph: Graph,
  { id, sampleRate, windowSamples }: Pick<SegmentationManifest, 'id' | 'sampleRate' | 'windowSamples'>,
  numWindows: number,
): Promise<ModelProof> {
  const different = differentWindows(sampleRate, windowSamples, numWindows);
  const scores: Float32Array[] = [];
  for (const data of different) scores.push((await reference.run({ data, shape: [1, 1, windowSamples] })).data);
  const order = aperiodicOrder(numWindows, different.length);
  const name = `classifier (${numWindows} × ${lengthOf(windowSamples, sampleRate)})`;
  const windows = concatenate(order.map((window) => different[window]!));
  return prove(
    { model: id, backend: 'webgpu' },
    1,
    async (compare) => {
      compare(name, (await graph.run({ data: windows, shape: [numWindows, 1, windowSamples] })).data);
    },
    { stages: [scoreStage(name, concatenate(order.map((window) => scores[window]!)))] },
  );
}

/**
 * Compares features and embedding of a whole window, and the embeddings of the first and the last window of a batch, with
 * those that WASM gives.
 *
 * @param reference the same file on WASM
 * @param windowSamples of a window of the segmentation
 * @param numWindows of the batch
 * @throws VoxlaneError `backend-failed`, `model-output`, `gpu-lost`, `gpu-memory`
 */
export async function proveEmbeddingWindows(
  reference: Embedder,
  embedder: Embedder,
  { id, sampleRate }: Pick<EmbeddingManifest, 'id' | 'sampleRate'>,
  { windowSamples, numWindows }: { readonly windowSamples: number; readonly numWindows: number },
): Promise<ModelProof> {
  const length = lengthOf(windowSamples, sampleRate);
  const [fbank, whole, batch] = [`fbank (${length})`, `embedding (${length})`, `embedding (${numWindows} × ${length})`];
  const different = differentWindows(sampleRate, windowSamples, numWindows);
  const windows = aperiodicOrder(numWindows, different.length).map((window) => different[window]!);
  const spoken = numWindows > 1 ? [0, numWindows - 1] : [];

  const stages: GoldenStage[] = [];
  const expected = await reference.embedStretch(windows[0]!, (features) => {
    stages.push(featureStage(fbank, features));
  });
  stages.push(embeddingStage(whole, expected));
  const voices: Float32Array[] = [];
  for (const window of spoken) voices.push(await embedVoices(reference, [windows[window]!], [0]));
  if (spoken.length > 0) stages.push(embeddingStage(batch, concatenate(voices)));

  return prove(
    { model: id, backend: 'webgpu' },
    1,
    async (compare) => {
      const embedding = await embedder.embedStretch(windows[0]!, (features) => {
        compare(fbank, features);
      });
      compare(whole, embedding);
      if (spoken.length > 0) compare(batch, await embedVoices(embedder, windows, spoken));
    },
    { stages },
  );
}

/**
 * Embeds one speaker of a batch of windows, as a run does.
 *
 * @param spoken windows in which the speaker talks, in the middle; the others are silent
 * @returns axes (spoken window, dimension)
 */
async function embedVoices(embedder: Embedder, windows: readonly Float32Array[], spoken: readonly number[]): Promise<Float32Array> {
  const numWindows = windows.length;
  const activity = new Uint8Array(numWindows * MASK_FRAMES);
  for (const window of spoken) activity.fill(1, (window + 0.25) * MASK_FRAMES, (window + 0.5) * MASK_FRAMES);
  const { embeddings } = await embedder.embed({ windows: concatenate(windows), activity, numWindows, numSpeakers: 1 });
  const size = embeddings.length / numWindows;
  return concatenate(spoken.map((window) => embeddings.subarray(window * size, (window + 1) * size)));
}

function differentWindows(sampleRate: number, windowSamples: number, numWindows: number): Float32Array[] {
  const count = Math.min(numWindows, MOST_DIFFERENT);
  return Array.from({ length: count }, (_, seed) => testConversation(sampleRate, windowSamples, seed));
}

/** The order of `numDifferent` windows in the batch: each in turn, and then without a period. */
function aperiodicOrder(numWindows: number, numDifferent: number): number[] {
  let state = 1;
  return Array.from({ length: numWindows }, (_, index) => {
    // Park and Miller's generator. Its high bits are random.
    state = (state * 48271) % 2147483647;
    return index < numDifferent ? index : Math.floor((state / 2147483647) * numDifferent);
  });
}

const lengthOf = (samples: number, sampleRate: number): string => `${samples / sampleRate} s`;
