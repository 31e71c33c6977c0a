import type { Embedder } from '../embedding/embedder';
import { testConversation, testSpeech } from '../embedding/testSpeech';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest, SegmentationManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { concatenate } from '../util/values';
import { compareTensors, judge, type Tolerance } from './compare';
import { fetchGoldens, type GoldenBundle, type GoldenStage, readBundle, tensorNamed } from './files/bundle';
import { broken } from './files/zip';
import type { BackendName } from './report';

/** How the output of a stage on this backend compares with the golden output. */
export interface StageCheck {
  /** Name in the golden bundle. */
  readonly stage: string;
  /** Maximum absolute difference between two values. */
  readonly maxAbs: number;
  /** Cosine similarity of the two outputs, each taken as one vector. */
  readonly cosine: number;
  /** Share of frames with the same class; undefined for a stage without classes. */
  readonly argmaxAgreement?: number | undefined;
  /** Limits from the bundle. */
  readonly tolerance: {
    /** Maximum allowed absolute difference. */
    readonly maxAbs: number;
    /** Minimum cosine similarity. */
    readonly cosine: number;
    /** Minimum share of frames with the same class; absent for a stage without classes. */
    readonly argmaxAgreement?: number | undefined;
  };
  /** True if every measure is within its limit. */
  readonly passed: boolean;
}

/** Verdict on a backend: does it compute a model as its golden bundle expects? */
export interface ModelCheck {
  /** Id of the model. */
  readonly model: string;
  /** What computed the model: a GPU (`webgpu`), our kernels on WASM (`kernels`), or ONNX Runtime on WASM (`wasm`). */
  readonly backend: 'webgpu' | 'kernels' | 'wasm';
  /** In graph order. */
  readonly stages: readonly StageCheck[];
  /** True if every stage passed. */
  readonly passed: boolean;
  /**
   * Seconds to compute the golden input. For a segmentation model, this is the second run, because the first one compiles.
   */
  readonly seconds: number;
}

/** Compares the output of a stage with the expected values. */
export type CompareStage = (stage: string, actual: Float32Array) => void;

/**
 * Float32 rounding of a logarithm stays below this bound. A Hamming window in place of Povey, or a wrong sample scale,
 * changes features by 0.1 or more.
 */
const REFERENCE_FBANK: Tolerance = { maxAbs: 2e-3, cosine: 0.99999 };
/** Embeddings are compared by angle, at cosine distances of 1e-3 and more. This bound is ten times stricter. */
const REFERENCE_COSINE = 0.9999;
/** Share of an embedding's greatest value. Rounding through the whole network stays far below it. */
const REFERENCE_SHARE = 0.01;
/**
 * Tolerance for log-probabilities, as for the golden outputs. Classes are not compared: in synthetic sound, many frames are
 * near ties, and rounding decides those.
 */
const REFERENCE_SCORES: Tolerance = { maxAbs: 1e-2, cosine: 0.999 };

/** Mel features computed on WASM. @param data axes (frame, mel) */
export const featureStage = (name: string, data: Float32Array): GoldenStage => stageOf(name, data, REFERENCE_FBANK);

/** Segmentation scores computed on WASM. @param data axes (window, frame, class) */
export const scoreStage = (name: string, data: Float32Array): GoldenStage => stageOf(name, data, REFERENCE_SCORES);

/** Embeddings computed on WASM. @param data axes (embedding, dimension) */
export function embeddingStage(name: string, data: Float32Array): GoldenStage {
  const greatest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return stageOf(name, data, { maxAbs: REFERENCE_SHARE * greatest, cosine: REFERENCE_COSINE });
}

function stageOf(name: string, data: Float32Array, tolerance: Tolerance): GoldenStage {
  return { name, value: null, axes: ['value'], shape: [data.length], data, tolerance };
}

/**
 * Runs a model and compares its stages. Throws if the device is lost or out of memory, because neither is evidence about
 * its arithmetic. If wrong values stop the run, or WebAssembly traps in a kernel, the check fails; the stages before show
 * where the fault began.
 *
 * @param runs number of runs; the last one counts
 * @param bundle expected outputs
 */
export async function selfCheck(
  { model, backend }: Pick<ModelCheck, 'model' | 'backend'>,
  runs: number,
  run: (compare: CompareStage) => Promise<void>,
  bundle: { readonly stages: readonly GoldenStage[] },
): Promise<ModelCheck> {
  let stages: StageCheck[] = [];
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

/** Describes an error caused by wrong arithmetic; null for other errors. */
function wrongness(error: unknown): string | null {
  if (error instanceof WebAssembly.RuntimeError) return `the kernel stopped: ${error.message}`;
  const isWrong = error instanceof VoxlaneError && (error.code === 'gpu-wrong' || error.code === 'model-output');
  return isWrong ? error.problem : null;
}

/** Golden stages that are compared, in order. The others are inside the network. */
const COMPARED = /^(classifier|fbank|embedding|stacked|logits)\b/;

/** The stage at which wrong values stopped the run. It has no measures. */
function brokenStage(stages: readonly GoldenStage[], numCompared: number, problem: string): StageCheck {
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
 * Stricter than a comparison with a golden bundle: no error above `maxAbs` counts as rounding, and NaN or infinity fails
 * even if the expected output has it in the same position.
 */
function compareStage(stages: readonly GoldenStage[], stage: string, actual: Float32Array): StageCheck {
  const { data, axes, shape, tolerance } = tensorNamed(stages, stage);
  const comparison = compareTensors(actual, data, { axes, shape });
  const { cosine, argmaxAgreement, nanCount, infCount } = comparison;
  const allFinite = nanCount + infCount === 0;
  const passed = allFinite && judge(comparison, { ...tolerance, isMaxAbsStrict: true }) === 'pass';
  return { stage, maxAbs: allFinite ? comparison.maxAbs : NaN, cosine, argmaxAgreement, tolerance, passed };
}

interface CheckedModel<Manifest> {
  readonly manifest: Manifest;
  /** What computes the model. */
  readonly backend: BackendName;
}

/** Adds stages to the check of a model with its golden input. */
type MoreChecks<Model> = (check: ModelCheck, model: Model, bundle: GoldenBundle) => Promise<ModelCheck>;

/**
 * Checks a segmentation model with its golden input.
 *
 * @param goldensBase holds `<model id>.zip`
 * @param more adds stages to the check
 * @throws VoxlaneError `model-missing`; `format`, also for golden outputs of another model; `backend-failed`, `gpu-lost`,
 *   `gpu-memory`
 */
export async function checkSegmentation(
  graph: Graph,
  { manifest, backend }: CheckedModel<SegmentationManifest>,
  goldensBase: FileBase,
  more?: MoreChecks<Graph>,
): Promise<ModelCheck> {
  const bundle = await goldensOf(manifest, goldensBase);
  const { data, shape } = tensorNamed(bundle.inputs, 'waveform');
  const check = await selfCheck({ model: manifest.id, backend }, 2, async (compare) => {
    compare('classifier', (await graph.run({ data, shape })).data);
  }, bundle);
  return more ? more(check, graph, bundle) : check;
}

/** Checks an embedding model and its filterbank. Parameters and errors as for {@link checkSegmentation}. */
export async function checkEmbedding(
  embedder: Embedder,
  { manifest, backend }: CheckedModel<EmbeddingManifest>,
  goldensBase: FileBase,
  more?: MoreChecks<Embedder>,
): Promise<ModelCheck> {
  const bundle = await goldensOf(manifest, goldensBase);
  const { data } = tensorNamed(bundle.inputs, 'waveform');
  // One run is enough: only the segmentation's time decides between backends.
  const check = await selfCheck({ model: manifest.id, backend }, 1, (compare) => embedAndCompare(embedder, data, compare), bundle);
  return more ? more(check, embedder, bundle) : check;
}

/**
 * Compares a GPU with WASM for models without golden outputs: files from the user, and models that we may not distribute.
 */
export async function checkAgainst(
  reference: Embedder,
  embedder: Embedder,
  { id, sampleRate }: EmbeddingManifest,
): Promise<ModelCheck> {
  const data = testSpeech(sampleRate, 140);
  const stages: GoldenStage[] = [];
  const embedding = await reference.embedSegment(data, (features) => {
    stages.push(featureStage('fbank', features));
  });
  stages.push(embeddingStage('embedding', embedding));
  return selfCheck({ model: id, backend: 'webgpu' }, 1, (compare) => embedAndCompare(embedder, data, compare), { stages });
}

/**
 * Fetches the golden outputs of a model.
 *
 * @throws VoxlaneError `format` if they belong to another checkpoint: users may serve their own models under the names of
 *   the bundled ones
 */
async function goldensOf({ id, origin }: SegmentationManifest | EmbeddingManifest, base: FileBase): Promise<GoldenBundle> {
  const bundle = readBundle(await fetchGoldens(id, base));
  const checkpoint = bundle.source.checkpoint_sha256;
  if (checkpoint === undefined || checkpoint === origin.sha256) return bundle;
  throw broken(`The golden outputs of ${id} belong to another checkpoint: ${JSON.stringify(checkpoint)}`, `those of ${origin.sha256}`);
}

async function embedAndCompare(embedder: Embedder, samples: Float32Array, compare: CompareStage): Promise<void> {
  const embedding = await embedder.embedSegment(samples, (features) => {
    compare('fbank', features);
  });
  compare('embedding', embedding);
}

/**
 * Maximum number of different windows in a batch: WASM needs at least a third of a second for each. The batch repeats them
 * in an aperiodic order, which exposes swapped windows.
 */
const MAX_DIFFERENT = 4;
/** Mask frames per window of an embedding batch: enough for segments shorter than a second. */
const MASK_FRAMES = 64;
/** Mask frames in which the speaker of the first and of the last window talks: others, and more, so that no mix-up is hidden. */
const SPEECH = [[16, 32], [20, 44]] as const;
/**
 * Local speakers of a batch of several windows, all with the same speech. With this number, CAM++ on a GPU computes the batch in more
 * than one slice, as it does in a run. A batch of one window always is one slice.
 */
const BATCH_SPEAKERS = 8;
/** A window in which its speakers talk. */
interface Talk {
  /** Index in the batch. */
  readonly window: number;
  /** First mask frame of the speech, and its end. */
  readonly frames: readonly [begin: number, end: number];
}

/**
 * Checks a GPU at the window length and batch size of a run. The golden input is short and alone in its batch, and a kernel
 * can be wrong only beyond some length or only from the second window of a batch. Compares the scores of a batch with the
 * scores that WASM computes for each window alone.
 *
 * @param reference the same file on WASM
 * @param numWindows batch size
 * @throws VoxlaneError `backend-failed`, `gpu-lost`, `gpu-memory`
 */
export async function checkSegmentationWindows(
  reference: Graph,
  graph: Graph,
  { id, sampleRate, windowSamples }: Pick<SegmentationManifest, 'id' | 'sampleRate' | 'windowSamples'>,
  numWindows: number,
): Promise<ModelCheck> {
  const different = differentWindows(sampleRate, windowSamples, numWindows);
  const scores: Float32Array[] = [];
  for (const data of different) scores.push((await reference.run({ data, shape: [1, 1, windowSamples] })).data);
  const order = aperiodicOrder(numWindows, different.length);
  const name = `classifier (${numWindows} × ${lengthOf(windowSamples, sampleRate)})`;
  const windows = concatenate(order.map((window) => different[window]!));
  return selfCheck(
    { model: id, backend: 'webgpu' },
    1,
    async (compare) => {
      compare(name, (await graph.run({ data: windows, shape: [numWindows, 1, windowSamples] })).data);
    },
    { stages: [scoreStage(name, concatenate(order.map((window) => scores[window]!)))] },
  );
}

/**
 * Compares the features and the embedding of a whole window, and the embeddings of the first and last window of a batch,
 * with those that WASM computes. A network with statistics pooling computes whole windows together, so all windows of its batch are
 * compared. A batch of one window is checked too, because a batch gathers a speaker's frames with another kernel.
 *
 * @param reference the same file on WASM
 * @param windowSamples segmentation window length in samples
 * @param numWindows batch size
 * @throws VoxlaneError `backend-failed`, `model-output`, `gpu-lost`, `gpu-memory`
 */
export async function checkEmbeddingWindows(
  reference: Embedder,
  embedder: Embedder,
  { id, sampleRate, pooling }: Pick<EmbeddingManifest, 'id' | 'sampleRate' | 'pooling'>,
  { windowSamples, numWindows }: { readonly windowSamples: number; readonly numWindows: number },
): Promise<ModelCheck> {
  const length = lengthOf(windowSamples, sampleRate);
  const [fbank, whole, batch] = [`fbank (${length})`, `embedding (${length})`, `embedding (${numWindows} × ${length})`];
  const different = differentWindows(sampleRate, windowSamples, numWindows);
  const order = aperiodicOrder(numWindows, different.length);
  const windows = order.map((window) => different[window]!);
  const last = numWindows - 1;
  const talking = pooling === 'statistics' ? windows.keys() : new Set([0, last]);
  const talks = Array.from(talking, (window): Talk => ({ window, frames: SPEECH[window > 0 && window === last ? 1 : 0] }));

  const stages: GoldenStage[] = [];
  const expected = await reference.embedSegment(windows[0]!, (features) => {
    stages.push(featureStage(fbank, features));
  });
  stages.push(embeddingStage(whole, expected));
  const numSpeakers = numWindows > 1 ? BATCH_SPEAKERS : 1;
  const embeddings: Float32Array[] = [];
  /** By the window and its speech, which repeat in a batch. */
  const known = new Map<string, Float32Array>();
  for (const { window, frames } of talks) {
    const key = `${order[window]} ${frames.join()}`;
    const embedding = known.get(key) ?? (await embedSpeakers(reference, [windows[window]!], [{ window: 0, frames }], 1));
    known.set(key, embedding);
    for (let speaker = 0; speaker < numSpeakers; speaker++) embeddings.push(embedding);
  }
  stages.push(embeddingStage(batch, concatenate(embeddings)));

  return selfCheck(
    { model: id, backend: 'webgpu' },
    1,
    async (compare) => {
      const embedding = await embedder.embedSegment(windows[0]!, (features) => {
        compare(fbank, features);
      });
      compare(whole, embedding);
      compare(batch, await embedSpeakers(embedder, windows, talks, numSpeakers));
    },
    { stages },
  );
}

/**
 * Embeds the speakers of a batch of windows, as a run does. Because all talk at the same time, their frames are used in spite of the
 * overlap.
 *
 * @param talks where the speakers talk; the other windows are silent
 * @returns axes (talk, speaker, dimension)
 */
async function embedSpeakers(embedder: Embedder, windows: readonly Float32Array[], talks: readonly Talk[], numSpeakers: number): Promise<Float32Array> {
  const numWindows = windows.length;
  const activity = new Uint8Array(numWindows * MASK_FRAMES * numSpeakers);
  for (const { window, frames } of talks) {
    const [begin, end] = frames.map((frame) => (window * MASK_FRAMES + frame) * numSpeakers);
    activity.fill(1, begin, end);
  }
  const { embeddings } = await embedder.embed({ windows: concatenate(windows), activity, numWindows, numSpeakers });
  const size = embeddings.length / numWindows;
  return concatenate(talks.map(({ window }) => embeddings.subarray(window * size, (window + 1) * size)));
}

function differentWindows(sampleRate: number, windowSamples: number, numWindows: number): Float32Array[] {
  const count = Math.min(numWindows, MAX_DIFFERENT);
  return Array.from({ length: count }, (_, seed) => testConversation(sampleRate, windowSamples, seed));
}

/** Order of `numDifferent` windows in the batch: each once, then an aperiodic sequence. */
function aperiodicOrder(numWindows: number, numDifferent: number): number[] {
  let state = 1;
  return Array.from({ length: numWindows }, (_, index) => {
    // Park and Miller's generator. Its high bits are random.
    state = (state * 48271) % 2147483647;
    return index < numDifferent ? index : Math.floor((state / 2147483647) * numDifferent);
  });
}

const lengthOf = (samples: number, sampleRate: number): string => `${samples / sampleRate} s`;
