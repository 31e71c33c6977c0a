/** Golden outputs at the lengths of a run, for kernels that are not compared with others: int16 on WASM. */
import type { Embedder } from '../embedding/embedder';
import type { Graph } from '../ort/graph';
import type { Tolerance } from './compare';
import { type GoldenBundle, type GoldenStage, tensorNamed } from './files/bundle';
import { type ModelCheck, selfCheck } from './modelCheck';
import embeddings from './windowEmbeddings.json';
import scores from './windowScores.json';

/** Identifies the golden input of a set of values. */
interface WindowGoldens {
  /** SHA-256 of the checkpoint. */
  readonly checkpoint: string;
  /** Sum of the golden waveform in steps of 16 bits, which identifies the waveform. */
  readonly inputSum: number;
  /** Step of the values, which are whole numbers. */
  readonly step: number;
}

/**
 * Gains of the repetitions of the golden waveform, which is shorter than a window. No two windows of a batch have the same order, so
 * swapped windows are noticed.
 */
const GAINS = [1, 0.5, 0.25, 0.8, 0.35, 0.65, 0.15];

/** Repeats a waveform to a length, each time with another gain. @param first index of the first gain */
export function repeatedWaveform(waveform: Float32Array, numSamples: number, first: number): Float32Array {
  return Float32Array.from({ length: numSamples }, (_, i) =>
    waveform[i % waveform.length]! * GAINS[(first + Math.floor(i / waveform.length)) % GAINS.length]!);
}

/** Windows of the segmentation check, axes (window, sample). */
export function scoredWindows(waveform: Float32Array): Float32Array {
  const { numWindows, numSamples } = scores;
  const windows = new Float32Array(numWindows * numSamples);
  for (let window = 0; window < numWindows; window++) windows.set(repeatedWaveform(waveform, numSamples, window), window * numSamples);
  return windows;
}

/** The compared rows of scores: a part, because the values are in each worker. @param data axes (window, frame, class) */
export function comparedScores(data: Float32Array): Float32Array {
  const { numClasses, rowStep } = scores;
  return data.filter((_, index) => Math.floor(index / numClasses) % rowStep === 0);
}

/**
 * Adds a batch of whole windows to the check of a segmentation model.
 *
 * @param check of the golden input; returned as it is if it failed, or if there are no values for this model
 * @param bundle the golden input
 * @throws VoxlaneError `backend-failed`
 */
export async function withWindows(check: ModelCheck, graph: Graph, bundle: GoldenBundle): Promise<ModelCheck> {
  const waveform = waveformFor(scores, check, bundle);
  if (!waveform) return check;
  const { numWindows, numSamples, values } = scores;
  // Without the share of equal classes: the compared part has too few frames for it.
  const { maxAbs, cosine } = tensorNamed(bundle.stages, 'classifier').tolerance;
  const name = `classifier (${numWindows} × ${numSamples / scores.sampleRate} s)`;
  const data = scoredWindows(waveform);
  return joined(check, await selfCheck(check, 1, async (compare) => {
    compare(name, comparedScores((await graph.run({ data, shape: [numWindows, 1, numSamples] })).data));
  }, { stages: [stageOf(name, valuesOf(scores, values), { maxAbs, cosine })] }));
}

/**
 * Adds segments of a whole window, and of the part of a window that `fast` embeds, to the check of an embedding model. Parameters and
 * errors as for {@link withWindows}, and `model-output`.
 */
export async function withSegments(check: ModelCheck, embedder: Embedder, bundle: GoldenBundle): Promise<ModelCheck> {
  const waveform = waveformFor(embeddings, check, bundle);
  if (!waveform) return check;
  const { tolerance } = tensorNamed(bundle.stages, 'embedding');
  const segments = embeddings.segments.map(({ numSamples, values }, index) => ({
    samples: repeatedWaveform(waveform, numSamples, index),
    stage: stageOf(`embedding (${numSamples / embeddings.sampleRate} s)`, valuesOf(embeddings, values), tolerance),
  }));
  return joined(check, await selfCheck(check, 1, async (compare) => {
    for (const { samples, stage } of segments) compare(stage.name, await embedder.embedSegment(samples, () => undefined));
  }, { stages: segments.map(({ stage }) => stage) }));
}

/** The golden waveform; null if the check failed or the values belong to another model or waveform. */
function waveformFor({ checkpoint, inputSum }: WindowGoldens, { passed }: ModelCheck, { source, inputs }: GoldenBundle): Float32Array | null {
  if (!passed || source.checkpoint_sha256 !== checkpoint) return null;
  const { data } = tensorNamed(inputs, 'waveform');
  return sumOf(data) === inputSum ? data : null;
}

/** Sum of samples in steps of 16 bits. */
export const sumOf = (waveform: Float32Array): number => waveform.reduce((sum, value) => sum + Math.round(32768 * value), 0);

const valuesOf = ({ step }: WindowGoldens, values: readonly number[]): Float32Array => Float32Array.from(values, (value) => step * value);

function stageOf(name: string, data: Float32Array, tolerance: Tolerance): GoldenStage {
  return { name, value: null, axes: ['value'], shape: [data.length], data, tolerance };
}

/** The time stays that of the golden input, which decides between backends. */
const joined = (check: ModelCheck, more: ModelCheck): ModelCheck => ({ ...check, passed: more.passed, stages: [...check.stages, ...more.stages] });
