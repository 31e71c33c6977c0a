import type { Embedder } from '../embedding/embedder';
import { testSpeech } from '../embedding/testSpeech';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest, SegmentationManifest } from '../store/manifest';
import type { FileBase } from '../util/fileBase';
import { readBundle, tensorNamed, type GoldenStage } from './bundle';
import { fetchGoldens } from './fetchGoldens';
import { embeddingStage, featureStage, prove, type CompareStage, type ModelProof } from './proveStages';

export type { ModelProof, StageProof } from './proveStages';

/**
 * Runs the golden input of a segmentation model.
 *
 * @param goldensBase holds `<model id>.zip`
 * @throws VoxlaneError `model-missing`, `format`, `backend-failed`, `gpu-lost`, `gpu-memory`
 */
export async function proveSegmentation(
  graph: Graph,
  { id }: SegmentationManifest,
  goldensBase: FileBase,
): Promise<ModelProof> {
  const bundle = readBundle(await fetchGoldens(id, goldensBase));
  const { data, shape } = tensorNamed(bundle.inputs, 'waveform');
  return prove(id, 2, async (compare) => {
    compare('classifier', (await graph.run({ data, shape })).data);
  }, bundle);
}

/** The same for an embedding model with its filterbank. */
export async function proveEmbedding(
  embedder: Embedder,
  { id }: EmbeddingManifest,
  goldensBase: FileBase,
): Promise<ModelProof> {
  const bundle = readBundle(await fetchGoldens(id, goldensBase));
  const { data } = tensorNamed(bundle.inputs, 'waveform');
  // Once: only the segmentation's time decides between backends.
  return prove(id, 1, (compare) => embedAndCompare(embedder, data, compare), bundle);
}

/**
 * Compares a GPU with WASM, for files without golden outputs: a file from the user, or a model that we may not distribute.
 */
export async function proveAgainst(
  reference: Embedder,
  embedder: Embedder,
  { id, sampleRate }: EmbeddingManifest,
): Promise<ModelProof> {
  const data = testSpeech(sampleRate, 140);
  const stages: GoldenStage[] = [];
  const embedding = await reference.embedStretch(data, (features) => {
    stages.push(featureStage('fbank', features));
  });
  stages.push(embeddingStage('embedding', embedding));
  return prove(id, 1, (compare) => embedAndCompare(embedder, data, compare), { stages });
}

async function embedAndCompare(embedder: Embedder, samples: Float32Array, compare: CompareStage): Promise<void> {
  const embedding = await embedder.embedStretch(samples, (features) => {
    compare('fbank', features);
  });
  compare('embedding', embedding);
}
