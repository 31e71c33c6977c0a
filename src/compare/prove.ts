import type { Embedder } from '../embedding/embedder';
import { testSpeech } from '../embedding/testSpeech';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest, SegmentationManifest } from '../store/manifest';
import type { FileBase } from '../util/fileBase';
import { readBundle, tensorNamed, type GoldenBundle, type GoldenStage } from './bundle';
import { fetchGoldens } from './fetchGoldens';
import { broken } from './files/broken';
import { embeddingStage, featureStage, prove, type CompareStage, type ModelProof } from './proveStages';
import type { BackendName } from './report';

export type { ModelProof, StageProof } from './proveStages';

/** A model to check. */
export interface Proven<Manifest> {
  readonly manifest: Manifest;
  /** What computes the model. */
  readonly backend: BackendName;
}

/**
 * Runs the golden input of a segmentation model.
 *
 * @param goldensBase holds `<model id>.zip`
 * @throws VoxlaneError `model-missing`; `format`, also for golden outputs of another model; `backend-failed`, `gpu-lost`,
 *   `gpu-memory`
 */
export async function proveSegmentation(
  graph: Graph,
  { manifest, backend }: Proven<SegmentationManifest>,
  goldensBase: FileBase,
): Promise<ModelProof> {
  const bundle = await goldensOf(manifest, goldensBase);
  const { data, shape } = tensorNamed(bundle.inputs, 'waveform');
  return prove({ model: manifest.id, backend }, 2, async (compare) => {
    compare('classifier', (await graph.run({ data, shape })).data);
  }, bundle);
}

/** The same for an embedding model with its filterbank. */
export async function proveEmbedding(
  embedder: Embedder,
  { manifest, backend }: Proven<EmbeddingManifest>,
  goldensBase: FileBase,
): Promise<ModelProof> {
  const bundle = await goldensOf(manifest, goldensBase);
  const { data } = tensorNamed(bundle.inputs, 'waveform');
  // Once: only the segmentation's time decides between backends.
  return prove({ model: manifest.id, backend }, 1, (compare) => embedAndCompare(embedder, data, compare), bundle);
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
  return prove({ model: id, backend: 'webgpu' }, 1, (compare) => embedAndCompare(embedder, data, compare), { stages });
}

/**
 * Fetches the golden outputs of a model.
 *
 * @throws VoxlaneError `format` for those of another checkpoint: users may serve their own models under the names of the bundled
 *   ones
 */
async function goldensOf({ id, origin }: SegmentationManifest | EmbeddingManifest, base: FileBase): Promise<GoldenBundle> {
  const bundle = readBundle(await fetchGoldens(id, base));
  const checkpoint = bundle.source.checkpoint_sha256;
  if (checkpoint === undefined || checkpoint === origin.sha256) return bundle;
  throw broken(`The golden outputs of ${id} are of another checkpoint: ${JSON.stringify(checkpoint)}`, `those of ${origin.sha256}`);
}

async function embedAndCompare(embedder: Embedder, samples: Float32Array, compare: CompareStage): Promise<void> {
  const embedding = await embedder.embedStretch(samples, (features) => {
    compare('fbank', features);
  });
  compare('embedding', embedding);
}
