/**
 * One body of tests for both filterbanks: Vitest runs it with the CPU's, Playwright with the GPU's in a browser.
 * Signals, goldens and comparisons stay in Node; only samples and features travel.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseManifest, type FbankSpec } from '../../src/store/manifest';
import { countFrames, Fbank, fbankGeometry } from '../../src/features/fbank';
import { makeSignal, noise, readGoldens } from './fixtures/goldens';

/** Filterbank of windows of one length: axes (window, sample) to axes (window, frame, mel). */
export type ComputeFbank = (facts: FbankSpec, samples: Float32Array, numWindows: number) => Promise<Float32Array>;

/** How features compare with a reference. */
export interface Comparison {
  /** Largest absolute difference where the reference is above the floor. */
  readonly maxDifference: number;
  /** Largest value where the reference is at the floor; -Infinity where it never is. */
  readonly maxAtFloor: number;
  /** Smallest of the frames'. */
  readonly minCosine: number;
}

/** How much of the suite runs, and who receives its figures. */
export interface FbankSuiteOptions {
  readonly report?: (signal: string, comparison: Comparison) => void;
  /** Each costs two filterbanks of up to ten seconds. */
  readonly numRandomLengths?: number;
}

/** Natural logarithm of the float32 epsilon: where Kaldi stops. */
const FLOOR = Math.log(2 ** -23);
/** What counts as above the floor. */
const FLOOR_MARGIN = 1e-3;
/** At the floor, float32 rounding decides: where torchaudio has less than the floor, we have not much more. */
const FLOOR_SLACK = 0.1;

const MAX_DIFFERENCE = 2e-3;
const MIN_COSINE = 0.99999;

/** The filterbank that the suite varies. */
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
      // NaN is no larger than anything, and must not pass.
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

/** What holds of both. */
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

/** The frames of `features`, axes (frame, mel), with these numbers. */
function pick(features: Float32Array, frames: readonly number[], numMelBins: number): Float32Array {
  const rows = frames.map((frame) => features.subarray(frame * numMelBins, (frame + 1) * numMelBins));
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

/** `count` lengths from one frame to ten seconds, each power of two as likely as the next. */
function randomLengths(count: number): number[] {
  return [...noise(count, 7)].map((value) => Math.round(400 * 400 ** (value + 0.5)));
}

/**
 * Registers the tests.
 *
 * @param test of the runner
 * @param compute the implementation
 * @param options.report called with each comparison and the name of the signal
 */
export function fbankSuite(
  test: (title: string, body: () => Promise<void>) => void,
  compute: ComputeFbank,
  { report = () => undefined, numRandomLengths = 40 }: FbankSuiteOptions = {},
): void {
  const geometry = fbankGeometry(FACTS, SAMPLE_RATE);
  const { numMelBins } = FACTS;

  for (const { signal, numSamples, windowType, sampleScale, numFrames, frames, features } of readGoldens()) {
    const title = `${signal}, ${numSamples} samples, ${windowType} × ${sampleScale}`;
    test(`filterbank like torchaudio: ${title}`, async () => {
      const facts = { ...FACTS, windowType, sampleScale };
      const actual = await compute(facts, makeSignal(signal, numSamples), 1);
      assert.equal(actual.length, numFrames * numMelBins);
      const comparison = compareFeatures(pick(actual, frames, numMelBins), features, numMelBins);
      report(signal, comparison);
      assertClose(comparison);
    });
  }

  test(`filterbank like the reference on ${numRandomLengths} random lengths`, async () => {
    const speech = makeSignal('speech', 160000);
    const lengths = randomLengths(numRandomLengths);
    assert.ok(Math.min(...lengths) < 1000 && Math.max(...lengths) > 80_000, 'lengths cover the range');
    let worst: Comparison = { maxDifference: 0, maxAtFloor: -Infinity, minCosine: 1 };
    for (const [index, length] of lengths.entries()) {
      // Speech with something below it, so that no two runs read the same samples.
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

  test('a direct current that float32 cannot average exactly leaves nothing behind', async () => {
    const facts = { ...FACTS, sampleScale: 32768 };
    const features = await compute(facts, new Float32Array(1000).fill(0.3), 1);
    assert.ok(features.every((value) => Math.abs(value - FLOOR) < 1e-5));
  });

  test('a batch of windows gives, bit for bit, what each window gives alone', async () => {
    const [numWindows, numSamples] = [5, 4321];
    const samples = noise(numWindows * numSamples, 3);
    const batch = await compute(FACTS, samples, numWindows);
    const alone: number[] = [];
    for (let window = 0; window < numWindows; window++) {
      alone.push(...(await compute(FACTS, samples.slice(window * numSamples, (window + 1) * numSamples), 1)));
    }
    assert.deepEqual(batch, Float32Array.from(alone));
  });

  test('frames are those that fit wholly, and features do not depend on where they lie', async () => {
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

  test('without DC removal and pre-emphasis, and with other frames and mel bins, like the reference', async () => {
    const variants: Partial<FbankSpec>[] = [
      // Two at once, because each variant is compiled, which takes a software adapter seconds.
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
