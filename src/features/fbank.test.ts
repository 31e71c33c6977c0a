import { expect, test } from 'vitest';
import { countFrames, Fbank, fbankGeometry, windowFunction } from './fbank';
import { FACTS, fbankSuite, SAMPLE_RATE } from '../../test/kernels/fbankSuite';

fbankSuite(test, (facts, samples, numWindows) => {
  const fbank = new Fbank(facts, SAMPLE_RATE);
  const numSamples = samples.length / numWindows;
  const windows = Array.from({ length: numWindows }, (_, window) =>
    fbank.compute(samples.subarray(window * numSamples, (window + 1) * numSamples)),
  );
  return Promise.resolve(Float32Array.from(windows.flatMap(({ data }) => [...data])));
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
