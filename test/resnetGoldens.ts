import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBundle, tensorNamed, type GoldenBundle } from '../src/compare/files/bundle';
import { compareTensors } from '../src/compare/compare';
import { parseManifest } from '../src/store/manifest';
import { RESNET34_FIXTURES } from './seededModel';

export const RESNET34 = parseManifest(
  'embedding',
  JSON.parse(readFileSync(join('models', 'wespeaker-resnet34-lm', 'manifest.json'), 'utf8')),
  'wespeaker-resnet34-lm',
);

/** PyTorch's results for a window with the seeded weights. */
export interface ResnetGoldens {
  readonly bundle: GoldenBundle;
  /** Axes (sample), in [-1, 1]. */
  readonly window: Float32Array;
  /** Axes (frame, local speaker), 0 or 1: the masks of the goldens as activity of three speakers. */
  readonly activity: Uint8Array;
  readonly numSpeakers: number;
  /** Embeddings by pyannote's network, run with the mask of each local speaker: axes (local speaker, dimension). */
  readonly embeddings: Float32Array;
}

/** Tolerance for stages in float32 on any backend: sums of some thousand terms in another order through 33 layers. */
export const MIN_COSINE = 0.9999;
/** Maximum difference relative to the standard deviation of the stage's values. */
export const MAX_RELATIVE = 1e-2;

/** Comparison of one stage with its golden. */
export interface StageFigures {
  readonly stage: string;
  readonly cosine: number;
  /** Maximum difference relative to the standard deviation of the golden values. */
  readonly relative: number;
}

/** @param name name of the bundle: one second complete, or ten seconds with sampled values of large stages */
export function readResnetGoldens(name: 'one_second' | 'ten_seconds'): ResnetGoldens {
  const bundle = readBundle(readFileSync(join(RESNET34_FIXTURES, `${name}.zip`)));
  const { data, shape } = tensorNamed(bundle.inputs, 'masks');
  const [numSpeakers = 0, numFrames = 0] = shape;
  return {
    bundle,
    window: readSample(Number(bundle.source.start_seconds), Number(bundle.source.seconds)),
    activity: Uint8Array.from(data, (_, i) => data[(i % numSpeakers) * numFrames + Math.floor(i / numSpeakers)]!),
    numSpeakers,
    embeddings: tensorNamed(bundle.stages, 'masked_embedding').data,
  };
}

/** The sample recording; canonical 16-bit mono at 16 kHz. */
function readSample(startSeconds: number, seconds: number): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8 + 2 * startSeconds * RESNET34.sampleRate;
  const length = seconds * RESNET34.sampleRate;
  return Float32Array.from({ length }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

/**
 * Compares results of a backend with the goldens.
 *
 * @param actual values by stage name; complete values are sampled like the golden
 */
export function compareStages(actual: ReadonlyMap<string, Float32Array>, { bundle }: ResnetGoldens): StageFigures[] {
  return Array.from(actual, ([stage, values]) => {
    const golden = tensorNamed(bundle.stages, stage);
    const stride = golden.axes.length === 1 ? Number(bundle.source.stride) : 1;
    const { cosine, maxAbs } = compareTensors(values.filter((_, i) => i % stride === 0), golden.data);
    return { stage, cosine, relative: maxAbs / deviation(golden.data) };
  });
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** One readable line. */
export const figuresText = ({ stage, cosine, relative }: StageFigures): string =>
  `${stage}: max |Δ| ${relative.toExponential(1)} of its spread, 1 - cosine ${(1 - cosine).toExponential(1)}`;
