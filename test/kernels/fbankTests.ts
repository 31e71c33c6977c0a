/**
 * Shared tests for both filterbanks: Vitest runs them with the CPU version, Playwright with the GPU version in a browser.
 * Signals, goldens and comparisons stay in Node; only samples and features are transferred.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseManifest, type FbankSpec } from '../../src/store/manifest';
import { countFrames, Fbank, fbankGeometry } from '../../src/features/fbank';
import { makeSignal, noise, readGoldens } from './fixtures/goldens';

/** Filterbank for windows of equal length: axes (window, sample) to axes (window, frame, mel). */
export type ComputeFbank = (facts: FbankSpec, samples: Float32Array, numWindows: number) => Promise<Float32Array>;

/** Comparison of features with a reference. */
export interface Comparison {
  /** Maximum absolute difference where the reference is above the floor. */
  readonly maxDifference: number;
  /** Maximum value where the reference is at the floor; -Infinity if it never is. */
  readonly maxAtFloor: number;
  /** Minimum cosine over the frames. */
  readonly minCosine: number;
}

/** Options for the extent of the suite and for reporting its figures. */
export interface FbankTestOptions {
  readonly report?: (signal: string, comparison: Comparison) => void;
  /** Each length runs two filterbanks on up to ten seconds. */
  readonly numRandomLengths?: number;
}

/** Natural logarithm of the float32 epsilon: Kaldi's floor. */
const FLOOR = Math.log(2 ** -23);
/** Values above the floor by this margin count as above. */
const FLOOR_MARGIN = 1e-3;
/** At the floor, values depend on float32 rounding. If torchaudio is at the floor, ours may be slightly above. */
const FLOOR_SLACK = 0.1;

const MAX_DIFFERENCE = 2e-3;
const MIN_COSINE = 0.99999;

/** The filterbank options that the suite varies. */
export const { fbank: FACTS, sampleRate: SAMPLE_RATE } = parseManifest(
  'embedding',
  JSON.parse(readFileSync(new URL('../../models/campplus-zh-en/manifest.json', import.meta.url), 'utf8')),
  'campplus-zh-en',
);

/** Both have axes (frame, mel). */
function compareFeatures(actual: Float32Array, expected: Float32Array, numMelBins: number): Comparison {
  assert.equal(actual.length, expected.length, 'number of features');
  let maxDifference = 0;
  let maxAtFloor = -Infinity;
  let minCosine = 1;
  for (let first = 0; first < expected.length; first += numMelBins) {
    let [dot, actualSquares, expectedSquares] = [0, 0, 0];
    for (let i = first; i < first + numMelBins; i++) {
      const [a, e] = [actual[i]!, expected[i]!];
      // NaN compares false with everything and must not pass.
      if (Number.isNaN(a)) maxDifference = Infinity;
      if (e > FLOOR + FLOOR_MARGIN) maxDifference = Math.max(maxDifference, Math.abs(a - e));
      else maxAtFloor = Math.max(maxAtFloor, a);
      dot += a * e;
      actualSquares += a * a;
      expectedSquares += e * e;
    }
    minCosine = Math.min(minCosine, dot / Math.sqrt(actualSquares * expectedSquares));
  }
  return { maxDifference, maxAtFloor, minCosine };
}

/** Merges the worse figures of both. */
export function worse(a: Comparison, b: Comparison): Comparison {
  return {
    maxDifference: Math.max(a.maxDifference, b.maxDifference),
    maxAtFloor: Math.max(a.maxAtFloor, b.maxAtFloor),
    minCosine: Math.min(a.minCosine, b.minCosine),
  };
}

function assertClose({ maxDifference, maxAtFloor, minCosine }: Comparison): void {
  assert.ok(maxDifference <= MAX_DIFFERENCE, `differs by ${maxDifference}`);
  assert.ok(maxAtFloor < FLOOR + FLOOR_SLACK, `${maxAtFloor} where the reference is at the floor`);
  assert.ok(minCosine >= MIN_COSINE, `cosine of a frame ${minCosine}`);
}

/** Selects frames of `features`, axes (frame, mel). */
function pick(features: Float32Array, frames: readonly number[], numMelBins: number): Float32Array {
  const rows = frames.map((frame) => features.subarray(frame * numMelBins, (frame + 1) * numMelBins));
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

/** `count` lengths from one frame to ten seconds, uniform on a logarithmic scale. */
function randomLengths(count: number): number[] {
  return [...noise(count, 7)].map((value) => Math.round(400 * 400 ** (value + 0.5)));
}

/**
 * Registers the tests.
 *
 * @param test test function of the runner
 * @param compute implementation under test
 * @param options.report called with each comparison and the name of the signal
 */
export function fbankTests(
  test: (title: string, body: () => Promise<void>) => void,
  compute: ComputeFbank,
  { report = () => undefined, numRandomLengths = 40 }: FbankTestOptions = {},
): void {
  const geometry = fbankGeometry(FACTS, SAMPLE_RATE);
  const { numMelBins } = FACTS;

  for (const { signal, numSamples, windowType, sampleScale, numFrames, frames, features } of readGoldens()) {
    const title = `${signal}, ${numSamples} samples, ${windowType} × ${sampleScale}`;
    test(`filterbank matches torchaudio: ${title}`, async () => {
      const facts = { ...FACTS, windowType, sampleScale };
      const actual = await compute(facts, makeSignal(signal, numSamples), 1);
      assert.equal(actual.length, numFrames * numMelBins);
      const comparison = compareFeatures(pick(actual, frames, numMelBins), features, numMelBins);
      report(signal, comparison);
      assertClose(comparison);
    });
  }

  test(`filterbank matches the reference on ${numRandomLengths} random lengths`, async () => {
    const speech = makeSignal('speech', 160000);
    const lengths = randomLengths(numRandomLengths);
    assert.ok(Math.min(...lengths) < 1000 && Math.max(...lengths) > 80_000, 'lengths cover the range');
    let worst: Comparison = { maxDifference: 0, maxAtFloor: -Infinity, minCosine: 1 };
    for (const [index, length] of lengths.entries()) {
      // Add noise to the speech to make the samples of each run unique.
      const hiss = noise(length, index + 1);
      const samples = hiss.map((value, i) => 0.01 * value + speech[i]!);
      const facts: FbankSpec = {
        ...FACTS,
        windowType: index % 2 === 0 ? 'povey' : 'hamming',
        sampleScale: index % 4 < 2 ? 1 : 32768,
      };
      const expected = new Fbank(facts, SAMPLE_RATE).compute(samples).data;
      const comparison = compareFeatures(await compute(facts, samples, 1), expected, numMelBins);
      assertClose(comparison);
      worst = worse(worst, comparison);
    }
    report('random lengths', worst);
  });

  test('a DC offset that float32 cannot average exactly is removed completely', async () => {
    const facts = { ...FACTS, sampleScale: 32768 };
    const features = await compute(facts, new Float32Array(1000).fill(0.3), 1);
    assert.ok(features.every((value) => Math.abs(value - FLOOR) < 1e-5));
  });

  test('a batch of windows is bit-identical to single windows', async () => {
    const [numWindows, numSamples] = [5, 4321];
    const samples = noise(numWindows * numSamples, 3);
    const batch = await compute(FACTS, samples, numWindows);
    const alone: number[] = [];
    for (let window = 0; window < numWindows; window++) {
      alone.push(...(await compute(FACTS, samples.slice(window * numSamples, (window + 1) * numSamples), 1)));
    }
    assert.deepEqual(batch, Float32Array.from(alone));
  });

  test('only complete frames count, and features do not depend on their position', async () => {
    for (const length of [0, 1, 399]) assert.equal((await compute(FACTS, noise(length), 1)).length, 0);
    assert.equal((await compute(FACTS, noise(3 * 399), 3)).length, 0);
    for (const length of [400, 559, 560, 720]) {
      assert.equal((await compute(FACTS, noise(length), 1)).length, countFrames(length, geometry) * numMelBins);
    }
    const samples = noise(3200);
    const whole = await compute(FACTS, samples, 1);
    const later = await compute(FACTS, samples.slice(1600), 1);
    assert.deepEqual(later, whole.slice(10 * numMelBins));
  });

  test('matches the reference without DC removal and pre-emphasis, and with other frames and mel bins', async () => {
    const variants: Partial<FbankSpec>[] = [
      // Combine two variants, because compiling each takes seconds on a software adapter.
      { removeDcOffset: false, frameLengthMs: 20, frameShiftMs: 7.5, numMelBins: 23 },
      { preemphasis: 0, frameLengthMs: 32, numMelBins: 128, lowFrequencyHz: 100, highFrequencyHz: -400 },
    ];
    for (const variant of variants) {
      const facts = { ...FACTS, ...variant };
      const samples = makeSignal('speech', 8000);
      const expected = new Fbank(facts, SAMPLE_RATE).compute(samples).data;
      assertClose(compareFeatures(await compute(facts, samples, 1), expected, facts.numMelBins));
    }
  });
}
