/**
 * Nemotron 3 Diarization in full size with seeded weights, on WASM, in each mode, against the reference class: features, states, stages
 * and decisions of the steps that change the speaker cache. See models/nemotron-3-diarization/full_goldens.py.
 *
 * With VOXLANE_NEMOTRON_GOLDENS, the folder of full.json and full.bin of a longer recording: `full_goldens.py --seconds 600 --out FOLDER`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cosineDistance } from '../../src/clustering/linearAlgebra';
import type { StreamStep } from '../../src/sortformer/chunkLoop';
import type { GraphNetwork } from '../../src/sortformer/graphNetwork';
import { cpuFrontEnd } from '../../src/sortformer/melFrontEnd';
import type { StreamNetwork } from '../../src/sortformer/network';
import { stream } from '../../src/sortformer/speakerStream';
import { STREAMING_MODES, type StreamMode } from '../../src/store/streamModes';
import { uniform } from '../../src/util/uniform';
import { concatenate } from '../../src/util/values';
import type golden from '../../src/sortformer/fixtures/full.json';
import { variedSpeech } from '../nemotron/variedSpeech';
import { NEMOTRON } from '../seededNemotron';
import { inflatedFrom, MIN_EQUAL_SHARE, pieces, type Place, sampleRecording, settings, StateHasher } from '../sortformerPipelineGoldens';
import { openSeeded } from '../sortformerNetworkTests';

/** The bounds of the issue. */
const MAX_FEATURE_ERROR = 2e-3;
const MIN_COSINE = 0.99999;
const MAX_LOGIT_SHARE = 1e-3;
/**
 * Greatest error of a sum over the state, as a share of the spread of such sums: the bound of the issue for logits. Frames in another
 * order, or another frame, change a sum by about a tenth of its spread or more.
 */
const MAX_SUM_SHARE = 1e-3;
/** Ten minutes in one mode take this long on a machine with other work. */
const TIMEOUT_MS = 3_000_000;

const folder = process.env.VOXLANE_NEMOTRON_GOLDENS ?? 'src/sortformer/fixtures';
const goldens = JSON.parse(readFileSync(join(folder, 'full.json'), 'utf8')) as typeof golden;
const inflated = inflatedFrom(join(folder, 'full.bin'));
const floats = (place: Place): Float32Array<ArrayBuffer> => new Float32Array(inflated(place).buffer);
const { numSpeakers, melFramesPerEncoderFrame } = settings;

type Case = (typeof goldens.cases)[number];
type Step = Case['steps'][number];

/** Axes (sample). */
function audio(numSamples: number): Float32Array {
  const recording = sampleRecording();
  const blocks = Array.from({ length: Math.ceil(numSamples / recording.length) }, (_, block) => variedSpeech(recording, block));
  return concatenate(blocks).subarray(0, numSamples);
}

/** The greater of two errors. NaN compares false with everything and must not pass. */
const worse = (most: number, error: number): number => (Number.isNaN(error) ? Infinity : Math.max(most, error));

const greatestError = (actual: Float32Array, expected: Float32Array): number =>
  expected.reduce((most, value, i) => worse(most, Math.abs(value - actual[i]!)), 0);

/** Every `rowStride`th row of values with axes (frame, channel), and of it every `columnStride`th channel. */
function sampled(values: Float32Array, numColumns: number, rowStride: number, columnStride: number): Float32Array {
  const isKept = (index: number): boolean => Math.floor(index / numColumns) % rowStride === 0 && (index % numColumns) % columnStride === 0;
  return values.filter((_, index) => isKept(index));
}

/** The error of a weighted sum, as a share of the spread of such sums. */
function sumError(expected: number, seed: number, values: Float32Array): number {
  if (values.length === 0) return Math.abs(expected);
  const weights = uniform(seed, values.length);
  let sum = 0;
  let squares = 0;
  for (const [index, value] of values.entries()) {
    sum += weights[index]! * value;
    squares += value * value;
  }
  // Independent weights with a uniform distribution in [-1, 1) have a variance of a third.
  return Math.abs(sum - expected) / Math.sqrt(squares / 3);
}

/** Compares the steps of one recording with the goldens. */
class Checker {
  readonly melFrames: Float32Array[] = [];
  readonly cosines = new Map<string, number>();
  numDiffering = 0;
  numDecisions = 0;
  logitShare = 0;
  sumShare = 0;
  private readonly steps: ReadonlyMap<number, Step>;

  constructor(one: Case) {
    this.steps = new Map(one.steps.map((step) => [step.index, step]));
  }

  isComputed(index: number): boolean {
    return this.steps.has(index);
  }

  /** @param values stages of a step; axes (frame, channel) */
  checkStages(index: number, values: ReadonlyMap<string, Float32Array>): void {
    const { numFrames, decisions, spread, stages } = this.steps.get(index)!;
    expect([...values.keys()].toSorted()).toEqual(Object.keys(stages).toSorted());
    for (const [name, place] of Object.entries(stages)) {
      const own = values.get(name)!;
      const isMel = name === 'head' || name === 'logits';
      const numColumns = own.length / numFrames / (isMel ? melFramesPerEncoderFrame : 1);
      expect(Number.isInteger(numColumns), `frames of ${name} in step ${index}`).toBe(true);
      const actual = sampled(own, numColumns, isMel ? goldens.melStride : goldens.encoderStride, name === 'logits' ? 1 : goldens.channelStride);
      const expected = floats(place);
      expect(actual.length, name).toBe(expected.length);
      const cosine = 1 - cosineDistance(actual, expected);
      expect(cosine, `${name} in step ${index}`).toBeGreaterThanOrEqual(MIN_COSINE);
      this.cosines.set(name, Math.min(cosine, this.cosines.get(name) ?? 1));
      if (name === 'logits') this.logitShare = worse(this.logitShare, greatestError(actual, expected) / spread);
    }
    const logits = values.get('logits')!;
    const bits = inflated(decisions);
    expect(bits).toHaveLength(logits.length / numSpeakers);
    this.numDiffering += logits.reduce((sum, logit, i) => sum + (((bits[Math.floor(i / 8)]! >> (7 - (i % 8))) & 1) === (logit > 0 ? 1 : 0) ? 0 : 1), 0);
    this.numDecisions += logits.length;
  }

  checkState({ index, state }: StreamStep): void {
    const step = this.steps.get(index);
    if (!step) return;
    this.sumShare = worse(this.sumShare, sumError(step.embeddingSum, goldens.embeddingSeed, concatenate([state.cache, state.fifo])));
    this.sumShare = worse(this.sumShare, sumError(step.probabilitySum, goldens.probabilitySeed, state.probabilities));
  }
}

let network: GraphNetwork;
const tapped = new Map<string, Float32Array>();

beforeAll(async () => {
  network = await openSeeded(goldens.numLayers, {
    taps: Object.keys(goldens.cases[0]!.steps[0]!.stages).filter((name) => name.startsWith('layer') || name === 'head'),
    onValues: (values) => { for (const [name, { data }] of values) tapped.set(name, data); },
  });
}, TIMEOUT_MS);
afterAll(() => network.release());

it('there is a case for each mode, with a compression of the cache', () => {
  if (process.env.VOXLANE_NEMOTRON_GOLDENS === undefined) {
    expect(goldens.cases.map(({ mode }) => mode)).toEqual(['offline', ...STREAMING_MODES]);
    expect(goldens.numLayers).toBe(NEMOTRON.numLayers);
    expect(Object.keys(goldens.cases[0]!.steps[0]!.stages).toSorted()).toEqual(['head', 'layer1', 'layer16', 'layer24', 'layer31', 'layer8', 'logits', 'stacked']);
  }
  // The first step, the first frames in the cache, their compression, and the step that attends to the result. Offline, two chunks.
  for (const { mode, steps } of goldens.cases) expect(steps.length).toBeGreaterThanOrEqual(mode === 'offline' ? 2 : 4);
});

it.each(goldens.cases.map((one) => [one.mode, one] as const))('matches the reference: %s', { timeout: TIMEOUT_MS }, async (mode, one) => {
  const checker = new Checker(one);
  const hasher = new StateHasher(network.silence.length, network.silence, goldens.hashBytes);
  let index = -1;
  const watched: StreamNetwork = {
    numMelBins: network.numMelBins,
    silence: network.silence,
    embed: (melFrames) => {
      checker.melFrames.push(melFrames.slice());
      return network.embed(melFrames);
    },
    logits: async (input) => {
      index++;
      hasher.before(input);
      // The hashes show that the state does not depend on these logits.
      if (!checker.isComputed(index)) return new Float32Array((input.numFrames - input.firstScoredFrame) * melFramesPerEncoderFrame * numSpeakers).fill(1);
      const logits = await network.logits(input);
      checker.checkStages(index, new Map([...tapped, ['stacked', input.embeddings]]));
      return logits;
    },
  };
  const onStep = (step: StreamStep): void => {
    hasher.after(step);
    checker.checkState(step);
  };
  let numFrames = 0;
  const options = { network: watched, settings, mode: mode as StreamMode, frontEnd: cpuFrontEnd(NEMOTRON), onStep };
  for await (const part of stream('samples', pieces(audio(one.numSamples)), options)) numFrames += part.numFrames;

  expect(numFrames).toBe(Math.floor(one.numSamples / 160));
  expect(Buffer.concat(hasher.hashes).equals(inflated(one.states)), 'states after all steps').toBe(true);
  const features = sampled(concatenate(checker.melFrames).subarray(0, numFrames * network.numMelBins), network.numMelBins, goldens.featureStride, 1);
  const expected = floats(one.features);
  expect(features).toHaveLength(expected.length);
  const featureError = greatestError(features, expected);
  const { numDiffering, numDecisions, logitShare, sumShare } = checker;
  console.log(
    `${mode}, ${hasher.hashes.length} steps, ${one.steps.length} computed: ${numDiffering} of ${numDecisions} decisions differ; logits by ${logitShare.toExponential(1)} of their spread, ` +
      `sums over states by ${sumShare.toExponential(1)}, features by ${featureError.toExponential(1)}; 1 - cosine: ` +
      [...checker.cosines].map(([name, cosine]) => `${name} ${(1 - cosine).toExponential(1)}`).join(', '),
  );
  expect(featureError).toBeLessThanOrEqual(MAX_FEATURE_ERROR);
  expect(logitShare).toBeLessThanOrEqual(MAX_LOGIT_SHARE);
  expect(sumShare).toBeLessThanOrEqual(MAX_SUM_SHARE);
  expect(1 - numDiffering / numDecisions).toBeGreaterThanOrEqual(MIN_EQUAL_SHARE);
});
