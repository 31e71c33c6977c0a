import { expect, test } from 'vitest';
import { type AnyFbankOptions, countFrames, Fbank, fbankGeometry, windowFunction } from './fbank';
import { CENTERED_FACTS, CENTERED_RATE, centeredFbankTests } from '../../test/kernels/centeredFbankTests';
import { FACTS, fbankTests, SAMPLE_RATE } from '../../test/kernels/fbankTests';
import { noise } from '../../test/kernels/fixtures/goldens';

const compute = (facts: AnyFbankOptions, samples: Float32Array, numWindows: number): Promise<Float32Array> => {
  const fbank = new Fbank(facts, SAMPLE_RATE);
  const numSamples = samples.length / numWindows;
  const windows = Array.from({ length: numWindows }, (_, window) =>
    fbank.compute(samples.subarray(window * numSamples, (window + 1) * numSamples)),
  );
  return Promise.resolve(Float32Array.from(windows.flatMap(({ data }) => [...data])));
};

fbankTests(test, compute);
centeredFbankTests(test, compute);

test('frames at any position in a part have the bits of the whole recording', () => {
  const fbank = new Fbank(CENTERED_FACTS, CENTERED_RATE);
  const samples = noise(3000, 2);
  const whole = fbank.compute(samples);
  // Frames 5 to 8, from a part that starts one sample before the first frame.
  const start = 5 * 160 - 201;
  const part = fbank.computeFrom(samples.subarray(start, 8 * 160 + 200), 201, 4);
  expect(part.data).toEqual(whole.data.subarray(5 * 128, 9 * 128));
  // The last frames, beyond the end.
  expect(fbank.computeFrom(samples.subarray(start), 201, 13).data).toEqual(whole.data.subarray(5 * 128));
});

test('only complete frames are counted', () => {
  const geometry = fbankGeometry(FACTS, SAMPLE_RATE);
  expect([0, 399, 400, 559, 560, 160000].map((n) => countFrames(n, geometry))).toEqual([0, 0, 1, 1, 2, 998]);
});

test('windows are symmetric, like those of torchaudio and SciPy', () => {
  const rounded = (type: Parameters<typeof windowFunction>[0]): number[] =>
    Array.from(windowFunction(type, 5), (value) => Number(value.toFixed(4)));
  expect(rounded('hann')).toEqual([0, 0.5, 1, 0.5, 0]);
  expect(rounded('hamming')).toEqual([0.08, 0.54, 1, 0.54, 0.08]);
  expect(rounded('povey')).toEqual([0, 0.5548, 1, 0.5548, 0]);
  expect(rounded('rectangular')).toEqual([1, 1, 1, 1, 1]);
});
