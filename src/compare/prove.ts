import type { Embedder } from '../embedding/embedder';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest, SegmentationManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { readBundle, tensorNamed, type GoldenBundle } from './bundle';
import { compareTensors, judge } from './compare';

/** How one stage's output on this backend compares with the golden one. */
export interface StageProof {
  readonly stage: string;
  readonly maxAbs: number;
  readonly cosine: number;
  /** Share of frames with the same class, of a stage that has classes. */
  readonly argmaxAgreement?: number | undefined;
  readonly tolerance: { readonly maxAbs: number; readonly cosine: number; readonly argmaxAgreement?: number | undefined };
  readonly passed: boolean;
}

/** Whether a backend computes a model as its golden bundle says. */
export interface ModelProof {
  readonly model: string;
  readonly stages: readonly StageProof[];
  readonly passed: boolean;
  /** Seconds of the golden input; of a segmentation model the second time, because the first one compiles. */
  readonly seconds: number;
}

/**
 * Runs the golden input of a segmentation model.
 *
 * @param goldensBase address of the folder with `<model id>.zip`, with a slash at its end
 * @throws VoxlaneError `model-missing`, `format`, `backend-failed`, `gpu-lost`, `gpu-memory`
 */
export async function proveSegmentation(
  graph: Graph,
  { id }: SegmentationManifest,
  goldensBase: string,
): Promise<ModelProof> {
  const bundle = await fetchBundle(id, goldensBase);
  const { data, shape } = tensorNamed(bundle.inputs, 'waveform');
  return prove(id, 2, async (compare) => {
    compare('classifier', (await graph.run({ data, shape })).data);
  }, bundle);
}

/** The same for an embedding model with its filterbank. */
export async function proveEmbedding(
  embedder: Embedder,
  { id }: EmbeddingManifest,
  goldensBase: string,
): Promise<ModelProof> {
  const bundle = await fetchBundle(id, goldensBase);
  const { data } = tensorNamed(bundle.inputs, 'waveform');
  // Once: only the segmentation's time decides between backends.
  return prove(id, 1, async (compare) => {
    const embedding = await embedder.embedStretch(data, (features) => {
      compare('fbank', features);
    });
    compare('embedding', embedding);
  }, bundle);
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

async function fetchBundle(id: string, base: string): Promise<GoldenBundle> {
  const address = new URL(`${id}.zip`, base).href;
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) {
    throw new VoxlaneError({
      code: 'model-missing',
      problem: `The golden outputs ${address} could not be fetched`,
      expected: 'the folder goldens/ of this release at that address',
      remedy: 'Check the `goldens` option and that the server serves the folder',
    });
  }
  return readBundle(new Uint8Array(await response.arrayBuffer()));
}
