import type { Embedder } from '../embedding/embedder';
import { testSpeech } from '../embedding/testSpeech';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest, SegmentationManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { readBundle, tensorNamed, type GoldenBundle, type GoldenStage } from './bundle';
import { compareTensors, judge, type Tolerance } from './compare';
import { fetchGoldens } from './fetchGoldens';

/** How one stage's output on this backend compares with the golden one. */
export interface StageProof {
  /** As the golden bundle calls it. */
  readonly stage: string;
  /** Greatest absolute difference of two values. */
  readonly maxAbs: number;
  /** Cosine of the angle between the two, each taken as one vector. */
  readonly cosine: number;
  /** Share of frames with the same class, of a stage that has classes. */
  readonly argmaxAgreement?: number | undefined;
  /** What the bundle allows. */
  readonly tolerance: {
    /** Greatest absolute difference that is allowed. */
    readonly maxAbs: number;
    /** Least cosine that is allowed. */
    readonly cosine: number;
    /** Least share of frames with the same class; absent of a stage without classes. */
    readonly argmaxAgreement?: number | undefined;
  };
  /** Whether every measure is within the tolerance. */
  readonly passed: boolean;
}

/** Whether a backend computes a model as its golden bundle says. */
export interface ModelProof {
  /** Id of the model. */
  readonly model: string;
  /** In the order of the graph. */
  readonly stages: readonly StageProof[];
  /** Whether every stage passed. */
  readonly passed: boolean;
  /** Seconds of the golden input; of a segmentation model the second time, because the first one compiles. */
  readonly seconds: number;
}

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
 * Features agree with the reference to float32's rounding of a logarithm; Hamming in place of povey, or another sample
 * scale, is 0.1 and more away.
 */
const REFERENCE_FBANK = { maxAbs: 2e-3, cosine: 0.99999 };
/** Embeddings are compared by angle, at cosine distances of 1e-3 and coarser: an order of magnitude below. */
const REFERENCE_COSINE = 0.9999;
/** Share of the greatest value of an embedding that rounding through the whole network stays far below. */
const REFERENCE_SHARE = 0.01;

/**
 * Whether a GPU gives what WASM gives, where nobody can have golden outputs for the file at hand: one that the user
 * brought, or a model whose weights are not ours to ship.
 */
export async function proveAgainst(
  reference: Embedder,
  embedder: Embedder,
  { id, sampleRate }: EmbeddingManifest,
): Promise<ModelProof> {
  const data = testSpeech(sampleRate, 140);
  let features = new Float32Array(0);
  const embedding = await reference.embedStretch(data, (values) => {
    features = values.slice();
  });
  const greatest = embedding.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const stage = (name: string, values: Float32Array, tolerance: Tolerance): GoldenStage => ({
    name,
    value: null,
    axes: ['value'],
    shape: [values.length],
    data: values,
    tolerance,
  });
  const bundle: GoldenBundle = {
    model: id,
    source: { framework: 'WASM on this machine' },
    notes: [],
    graph: null,
    inputs: [{ name: 'waveform', axes: ['sample'], shape: [data.length], data }],
    stages: [
      stage('fbank', features, REFERENCE_FBANK),
      stage('embedding', embedding, { maxAbs: REFERENCE_SHARE * greatest, cosine: REFERENCE_COSINE }),
    ],
  };
  return prove(id, 1, (compare) => embedAndCompare(embedder, data, compare), bundle);
}

async function embedAndCompare(
  embedder: Embedder,
  samples: Float32Array,
  compare: (stage: string, actual: Float32Array) => void,
): Promise<void> {
  const embedding = await embedder.embedStretch(samples, (features) => {
    compare('fbank', features);
  });
  compare('embedding', embedding);
}

/**
 * Runs and compares. A device that is lost or full is no verdict on its arithmetic; wrong values are, and so are values
 * that are so wrong that the run stops: then the stages before tell where it began.
 */
async function prove(
  model: string,
  runs: number,
  run: (compare: (stage: string, actual: Float32Array) => void) => Promise<void>,
  bundle: GoldenBundle,
): Promise<ModelProof> {
  let stages: StageProof[] = [];
  let seconds = 0;
  try {
    for (let count = 0; count < runs; count++) {
      stages = [];
      const start = performance.now();
      await run((stage, actual) => {
        stages.push(compareStage(bundle, stage, actual));
      });
      seconds = (performance.now() - start) / 1000;
    }
    return { model, stages, passed: stages.every(({ passed }) => passed), seconds };
  } catch (error) {
    if (!(error instanceof VoxlaneError) || error.code !== 'gpu-wrong') throw error;
    return { model, stages: [...stages, brokenStage(bundle, stages.length, error.problem)], passed: false, seconds };
  }
}

/** The stages that are compared, in order. */
const COMPARED: readonly string[] = ['classifier', 'fbank', 'embedding'];

/** A stage whose values were so wrong that the run stopped there: no figure can be given. */
function brokenStage({ stages }: GoldenBundle, numCompared: number, problem: string): StageProof {
  const names = COMPARED.filter((name) => stages.some((stage) => stage.name === name));
  const stage = names[numCompared];
  return {
    stage: stage === undefined ? problem : `${stage} (${problem})`,
    maxAbs: Number.MAX_VALUE,
    cosine: 0,
    tolerance: { maxAbs: 0, cosine: 1 },
    passed: false,
  };
}

function compareStage(bundle: GoldenBundle, stage: string, actual: Float32Array): StageProof {
  const golden = tensorNamed(bundle.stages, stage);
  const comparison = compareTensors(actual, golden.data, golden);
  const { maxAbs, cosine, argmaxAgreement } = comparison;
  const passed = judge(comparison, golden.tolerance) === 'pass';
  return { stage, maxAbs, cosine, argmaxAgreement, tolerance: golden.tolerance, passed };
}
