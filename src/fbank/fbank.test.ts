import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import campplus from '../../models/campplus-zh-en/manifest.json';
import { parseManifest } from '../store/manifest';
import { Fbank } from './fbank';
import goldens from './fixtures/goldens.json';
import { makeSignal, noise } from './fixtures/signals';
import { countFrames, fbankGeometry } from './options';

const manifest = parseManifest('embedding', campplus, 'campplus-zh-en');
const { fbank: facts, sampleRate } = manifest;
const bytes = readFileSync(new URL('./fixtures/goldens.f32', import.meta.url));
const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

/** Natural logarithm of the float32 epsilon: where Kaldi stops. */
const FLOOR = Math.log(2 ** -23);

describe('Kaldi filterbank against torchaudio', () => {
  test.each(goldens.cases)('$signal, $numSamples samples, $windowType × $sampleScale', (golden) => {
    const windowType = golden.windowType === 'hamming' ? 'hamming' : 'povey';
    const fbank = new Fbank({ ...facts, windowType, sampleScale: golden.sampleScale }, sampleRate);
    const { data, numFrames, numMelBins } = fbank.compute(makeSignal(golden.signal, golden.numSamples));
    expect(numFrames).toBe(golden.numFrames);
    for (let i = 0; i < numFrames * numMelBins; i++) {
      const reference = expected[golden.offset + i]!;
      if (reference > FLOOR + 1e-3) {
        // torchaudio computes in float32: near the floor, the rounding of its FFT is what differs.
        expect(Math.abs(data[i]! - reference)).toBeLessThanOrEqual(2e-3);
      } else {
        // Where float32 rounding left less than the floor, float64 has not more than a few times it.
        expect(data[i]!).toBeLessThan(FLOOR + 0.1);
      }
    }
  });
});

test('frames are those that fit wholly', () => {
  const geometry = fbankGeometry(facts, sampleRate);
  expect([0, 399, 400, 559, 560, 160000].map((n) => countFrames(n, geometry))).toEqual([0, 0, 1, 1, 2, 998]);
  expect(new Fbank(facts, sampleRate).compute(new Float32Array(399)).data).toHaveLength(0);
});

test('features do not depend on where in the recording a frame lies', () => {
  const fbank = new Fbank(facts, sampleRate);
  const samples = noise(3200);
  const whole = fbank.compute(samples);
  const later = fbank.compute(samples.subarray(1600));
  expect(later.data).toEqual(whole.data.subarray(10 * whole.numMelBins));
});
