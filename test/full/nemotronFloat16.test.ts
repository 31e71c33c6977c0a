/**
 * Nemotron 3 Diarization on our own WGSL kernels with float16 weights against float32 weights over ten minutes, on Dawn in Node: with
 * two narrow layers, and a last layer that is fitted to planted speakers.
 */
import { expect } from 'vitest';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import type { StreamNetwork } from '../../src/sortformer/network';
import type { SeededTensor } from '../../src/sortformer/seededNetwork';
import { blobSource } from '../../src/store/byteSource';
import { NO_MIN_DURATIONS } from '../../src/timeline/minDurations';
import { concatenate } from '../../src/util/values';
import type { WeightsForm } from '../../src/weights/convert';
import { expectedWeights } from '../../src/weights/expected';
import { installDawn } from '../gpu/dawn';
import { NARROW, narrowGraph, narrowTensors, plantedTalk, withFittedLast, withRandomErrors } from '../nemotron/fittedNarrow';
import { runOffline } from '../nemotron/offlineRun';
import { converted } from '../weights/converted';
import { buildWeights } from '../weights/safetensorsFile';
import { itUnless } from '../skips';

const missing = await installDawn();

const NUM_LAYERS = 2;
const SAMPLE_RATE = 16_000;
const SECONDS = 600;
/** The last layer is fitted to this part. */
const FITTED_SECONDS = 200;
/** Chunks of that part with a complete look-ahead: 340 frames of 80 ms each, and 40 more. */
const FULL_CHUNKS = 7;
const { numSpeakers, offline: { chunkFrames, fifoFrames } } = nemotron.streaming;
/** A narrow model's logits cross zero several times at the edges of a turn, so the turns have minimum durations, which users can set. */
const MIN_DURATIONS = { minDurationOn: 0.25, minDurationOff: 0.5 };

const graph = narrowGraph(NUM_LAYERS);

/** Opens the network with these weights, which are converted like a download. */
async function openNarrow(gpu: GpuContext, tensors: ReadonlyMap<string, SeededTensor>, form: WeightsForm, options: Partial<Parameters<typeof GpuNetwork.open>[1]> = {}): Promise<GpuNetwork> {
  const file = blobSource(new Blob([buildWeights(Object.fromEntries(tensors))]), 'narrow.safetensors');
  const { model, weights } = await converted(file, graph, form);
  return GpuNetwork.open(gpu, { model, weights, manifest: NARROW, ...options });
}

interface Run {
  /** Axes (mel frame, speaker). */
  readonly logits: Float32Array;
  readonly numRawTurns: number;
  readonly numTurns: number;
}

/** Runs the recording in offline mode. @returns the logits, and the number of turns without and with minimum durations */
async function run(network: StreamNetwork, samples: Float32Array): Promise<Run> {
  const { logits, turns: [raw = [], turns = []] } = await runOffline(network, NARROW, samples, [NO_MIN_DURATIONS, MIN_DURATIONS]);
  return { logits, numRawTurns: raw.length, numTurns: turns.length };
}

itUnless(missing)('float16 weights change few decisions over ten minutes, and no number of turns', { timeout: 1_200_000 }, async () => {
  const gpu = await openGpu();
  const { samples, activity } = plantedTalk(SECONDS * SAMPLE_RATE);
  const seeded = narrowTensors(graph);

  // The values before the last layers, in the steps of a stream.
  const heads: Float32Array[] = [];
  const tapped = await openNarrow(gpu, seeded, 'float32', {
    taps: ['head'],
    onValues: (values) => { heads.push(values.get('head')!.data.slice()); },
  });
  const headsOfChunks: StreamNetwork = {
    numMelBins: tapped.numMelBins,
    silence: tapped.silence,
    embed: (frames) => tapped.embed(frames),
    async logits(input) {
      const logits = await tapped.logits(input);
      // Without the speaker cache and FIFO before the chunk and the look-ahead after it. FIFO frames are scored again.
      const all = heads.pop()!;
      const frameLength = all.length / input.numFrames;
      const start = input.firstScoredFrame === 0 ? 0 : input.firstScoredFrame + fifoFrames;
      heads.push(all.slice(start * frameLength, Math.min(input.numFrames, start + chunkFrames) * frameLength));
      return logits;
    },
  };
  await run(headsOfChunks, samples.subarray(0, FITTED_SECONDS * SAMPLE_RATE));
  await tapped.release();
  const fitted = withFittedLast(seeded, concatenate(heads), activity);

  const runWith = async (tensors: ReadonlyMap<string, SeededTensor>, form: WeightsForm, seconds: number): Promise<Run> => {
    const network = await openNarrow(gpu, tensors, form);
    const result = await run(network, samples.subarray(0, seconds * SAMPLE_RATE));
    await network.release();
    return result;
  };
  const full = await runWith(fitted, 'float32', SECONDS);
  const half = await runWith(fitted, 'float16', SECONDS);
  // Float16 has 11 bits, so it rounds a weight by at most 2^-11 of it, and by half of that if its mantissa is almost 2.
  const matrices = expectedWeights(graph).filter(({ channelAxis }) => channelAxis !== null).map(({ name }) => name);
  const random = await runWith(withRandomErrors(fitted, matrices, 2 ** -11), 'float32', FITTED_SECONDS);
  expect(half.logits).toHaveLength(full.logits.length);

  const numLogits = full.logits.length;
  const countOf = (isWanted: (logit: number, index: number) => boolean): number => full.logits.reduce((count, logit, i) => count + Number(isWanted(logit, i)), 0);
  const different = countOf((logit, i) => logit > 0 !== half.logits[i]! > 0) / numLogits;
  const planted = countOf((logit, i) => logit > 0 === (activity[i] === 1)) / numLogits;
  const [error, randomError] = [relativeError(half.logits, full.logits, numLogits), relativeError(random.logits, full.logits, FULL_CHUNKS * chunkFrames * 8 * numSpeakers)];
  const percent = (share: number): string => `${(100 * share).toFixed(3)} %`;
  console.log(
    `${NUM_LAYERS} narrow layers, ${SECONDS} s: ${(10_000 * different).toFixed(2)} of 10,000 decisions differ with float16 weights, error ${percent(error)} of the spread of the logits, ${percent(randomError)} with random errors; ` +
      `${full.numTurns} turns with float32, ${half.numTurns} with float16, without minimum durations ${full.numRawTurns} and ${half.numRawTurns}; ${percent(planted)} of the decisions are the planted ones`,
  );
  // As those of a trained model: the test would show nothing if the speakers were not found.
  expect(planted).toBeGreaterThan(0.95);
  expect(full.numTurns).toBeGreaterThan(100);
  expect(error).toBeGreaterThan(0);
  expect(error).toBeLessThan(randomError);
  // Normally distributed logits have other signs in this share. Those of clear decisions are less often near zero.
  expect(different).toBeLessThan(randomError / Math.PI);
  expect(half.numTurns).toBe(full.numTurns);
});

/** Root mean square of the differences of the first `length` logits, as a share of their spread. */
function relativeError(actual: Float32Array, expected: Float32Array, length: number): number {
  let [errors, sum, squares] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    errors += (actual[i]! - expected[i]!) ** 2;
    sum += expected[i]!;
    squares += expected[i]! ** 2;
  }
  return Math.sqrt(errors / length / (squares / length - (sum / length) ** 2));
}
