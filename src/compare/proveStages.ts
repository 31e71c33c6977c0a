import { VoxlaneError } from '../util/errors';
import { tensorNamed, type GoldenStage } from './bundle';
import { compareTensors, judge, type Tolerance } from './compare';

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
  /** What computed it: a GPU, our kernels on WASM (`kernels`), or ONNX Runtime on WASM (`wasm`). */
  readonly backend: 'webgpu' | 'kernels' | 'wasm';
  /** In the order of the graph. */
  readonly stages: readonly StageProof[];
  /** Whether every stage passed. */
  readonly passed: boolean;
  /** Seconds of the golden input; of a segmentation model the second time, because the first one compiles. */
  readonly seconds: number;
}

/** Compares the output of a stage with the expected values. */
export type CompareStage = (stage: string, actual: Float32Array) => void;

/**
 * Features agree with the reference to float32's rounding of a logarithm; Hamming in place of povey, or another sample
 * scale, is 0.1 and more away.
 */
const REFERENCE_FBANK: Tolerance = { maxAbs: 2e-3, cosine: 0.99999 };
/** Embeddings are compared by angle, at cosine distances of 1e-3 and coarser: an order of magnitude below. */
const REFERENCE_COSINE = 0.9999;
/** Share of the greatest value of an embedding that rounding through the whole network stays far below. */
const REFERENCE_SHARE = 0.01;
/**
 * Tolerance of log-probabilities, as for the golden outputs. Classes are not compared: in a synthetic sound, many frames are
 * near ties, which rounding decides.
 */
const REFERENCE_SCORES: Tolerance = { maxAbs: 1e-2, cosine: 0.999 };

/** Mel features that WASM gave. @param data axes (frame, mel) */
export const featureStage = (name: string, data: Float32Array): GoldenStage => stageOf(name, data, REFERENCE_FBANK);

/** Scores of the segmentation that WASM gave. @param data axes (window, frame, class) */
export const scoreStage = (name: string, data: Float32Array): GoldenStage => stageOf(name, data, REFERENCE_SCORES);

/** Embeddings that WASM gave. @param data axes (voice, dimension) */
export function embeddingStage(name: string, data: Float32Array): GoldenStage {
  const greatest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return stageOf(name, data, { maxAbs: REFERENCE_SHARE * greatest, cosine: REFERENCE_COSINE });
}

function stageOf(name: string, data: Float32Array, tolerance: Tolerance): GoldenStage {
  return { name, value: null, axes: ['value'], shape: [data.length], data, tolerance };
}

/**
 * Runs and compares. A device that is lost or out of memory throws, because that does not concern its arithmetic. Values so
 * wrong that the run stops, and a kernel that WebAssembly stops, are failures: the stages before show where it began.
 *
 * @param runs number of runs; the last one counts
 * @param bundle expected outputs
 */
export async function prove(
  { model, backend }: Pick<ModelProof, 'model' | 'backend'>,
  runs: number,
  run: (compare: CompareStage) => Promise<void>,
  bundle: { readonly stages: readonly GoldenStage[] },
): Promise<ModelProof> {
  let stages: StageProof[] = [];
  let seconds = 0;
  try {
    for (let count = 0; count < runs; count++) {
      stages = [];
      const start = performance.now();
      await run((stage, actual) => {
        stages.push(compareStage(bundle.stages, stage, actual));
      });
      seconds = (performance.now() - start) / 1000;
    }
    return { model, backend, stages, passed: stages.every(({ passed }) => passed), seconds };
  } catch (error) {
    const problem = wrongness(error);
    if (problem === null) throw error;
    return { model, backend, stages: [...stages, brokenStage(bundle.stages, stages.length, problem)], passed: false, seconds };
  }
}

/** Description of an error that means wrong arithmetic; null for other errors. */
function wrongness(error: unknown): string | null {
  if (error instanceof WebAssembly.RuntimeError) return `the kernel stopped: ${error.message}`;
  const isWrong = error instanceof VoxlaneError && (error.code === 'gpu-wrong' || error.code === 'model-output');
  return isWrong ? error.problem : null;
}

/** Stages of a golden bundle that are compared, in order. The others are inside the network. */
const COMPARED = /^(classifier|fbank|embedding)\b/;

/** A stage at which the run stopped because of its values. There are no measures of it. */
function brokenStage(stages: readonly GoldenStage[], numCompared: number, problem: string): StageProof {
  const names = stages.map(({ name }) => name).filter((name) => COMPARED.test(name));
  const stage = names[numCompared];
  return {
    stage: stage === undefined ? problem : `${stage} (${problem})`,
    maxAbs: Number.MAX_VALUE,
    cosine: 0,
    tolerance: { maxAbs: 0, cosine: 1 },
    passed: false,
  };
}

/**
 * Stricter than a comparison with a golden bundle: no error above `maxAbs` passes as rounding, and NaN or infinity fails even
 * if the expected values have it in the same place.
 */
function compareStage(stages: readonly GoldenStage[], stage: string, actual: Float32Array): StageProof {
  const { data, axes, shape, tolerance } = tensorNamed(stages, stage);
  const comparison = compareTensors(actual, data, { axes, shape });
  const { cosine, argmaxAgreement, nanCount, infCount } = comparison;
  const allFinite = nanCount + infCount === 0;
  const passed = allFinite && judge(comparison, { ...tolerance, isMaxAbsStrict: true }) === 'pass';
  return { stage, maxAbs: allFinite ? comparison.maxAbs : NaN, cosine, argmaxAgreement, tolerance, passed };
}
