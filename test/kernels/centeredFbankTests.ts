/** Shared tests for both filterbanks with centered frames: the front end of Nemotron 3 Diarization. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Fbank } from '../../src/features/fbank';
import { parseDiarizationManifest } from '../../src/store/diarizationManifest';
import type { CenteredFbankSpec } from '../../src/store/fbankSpec';
import { makeSignal, noise, readCenteredGoldens } from './fixtures/goldens';
import { greatestDifference } from './greatestDifference';

/** Filterbank for windows of equal length: axes (window, sample) to axes (window, frame, mel). */
export type ComputeCenteredFbank = (facts: CenteredFbankSpec, samples: Float32Array, numWindows: number) => Promise<Float32Array>;

/** The bound of the issue. The features feed a projection that sums 1024 of them. */
const MAX_DIFFERENCE = 2e-3;

export const { fbank: CENTERED_FACTS, sampleRate: CENTERED_RATE } = parseDiarizationManifest(
  JSON.parse(readFileSync(new URL('../../models/nemotron-3-diarization/manifest.json', import.meta.url), 'utf8')),
  'nemotron-3-diarization',
);
const HOP = (CENTERED_RATE * CENTERED_FACTS.frameShiftMs) / 1000;

/**
 * Registers the tests.
 *
 * @param test test function of the runner
 * @param compute implementation under test
 */
export function centeredFbankTests(
  test: (title: string, body: () => Promise<void>) => void,
  compute: ComputeCenteredFbank,
): void {
  const { numMelBins } = CENTERED_FACTS;

  test('centered filterbank matches transformers', async () => {
    const goldens = readCenteredGoldens();
    assert.ok(goldens.length > 20);
    for (const { signal, numSamples, numFrames, frames, features } of goldens) {
      const actual = await compute(CENTERED_FACTS, makeSignal(signal, numSamples), 1);
      assert.equal(actual.length, numFrames * numMelBins, `frames of ${signal}, ${numSamples} samples`);
      const rows = frames.flatMap((frame) => [...actual.subarray(frame * numMelBins, (frame + 1) * numMelBins)]);
      const difference = greatestDifference(Float32Array.from(rows), features);
      assert.ok(difference <= MAX_DIFFERENCE, `${signal}, ${numSamples} samples: differs by ${difference}`);
    }
  });

  test('centered frames of a batch are bit-identical to those of single windows', async () => {
    // Windows with other samples beside their edges, which must not change frames there.
    const [numWindows, numSamples] = [3, 1001];
    const samples = noise(numWindows * numSamples, 3);
    const batch = await compute(CENTERED_FACTS, samples, numWindows);
    const alone: number[] = [];
    for (let window = 0; window < numWindows; window++) {
      alone.push(...(await compute(CENTERED_FACTS, samples.slice(window * numSamples, (window + 1) * numSamples), 1)));
    }
    assert.deepEqual(batch, Float32Array.from(alone));
  });

  test('a centered frame depends on its own samples only', async () => {
    const samples = noise(20 * HOP, 9);
    const whole = await compute(CENTERED_FACTS, samples, 1);
    // Two hops cover the half of a frame that a cut removes.
    const later = await compute(CENTERED_FACTS, samples.slice(8 * HOP), 1);
    assert.deepEqual(later.slice(2 * numMelBins), whole.slice(10 * numMelBins));
    assert.notDeepEqual(later.slice(0, numMelBins), whole.slice(8 * numMelBins, 9 * numMelBins));
  });

  test('centered frames exist only for whole hops', async () => {
    assert.equal((await compute(CENTERED_FACTS, noise(HOP - 1), 1)).length, 0);
    for (const length of [HOP, 2 * HOP - 1, 2 * HOP]) {
      assert.equal((await compute(CENTERED_FACTS, noise(length), 1)).length, Math.floor(length / HOP) * numMelBins);
    }
  });

  test('centered frames match the reference with other options', async () => {
    const facts = { ...CENTERED_FACTS, numMelBins: 80, preemphasis: 0, frameShiftMs: 12.5, lowFrequencyHz: 50, highFrequencyHz: -300, logOffset: 1e-3, sampleScale: 8 };
    const samples = makeSignal('speech', 8000);
    const difference = greatestDifference(await compute(facts, samples, 1), new Fbank(facts, CENTERED_RATE).compute(samples).data);
    assert.ok(difference <= MAX_DIFFERENCE, `differs by ${difference}`);
  });

  test('NaN in a sample results in NaN in its frames', async () => {
    const samples = noise(10 * HOP, 4);
    samples[5 * HOP] = NaN;
    const features = await compute(CENTERED_FACTS, samples, 1);
    const broken = Array.from({ length: 10 }, (_, frame) => Number.isNaN(features[frame * numMelBins + 100]!));
    // Frames 4 to 6 cover the sample: 200 samples on both sides.
    assert.deepEqual(broken, [false, false, false, false, true, true, true, false, false, false]);
  });
}
