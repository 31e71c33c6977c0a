import { expect, test } from 'vitest';
import { Fbank } from './fbank';
import { FACTS, fbankSuite, SAMPLE_RATE } from './fbankSuite';
import { countFrames, fbankGeometry } from './options';

fbankSuite(test, (facts, samples, numWindows) => {
  const fbank = new Fbank(facts, SAMPLE_RATE);
  const numSamples = samples.length / numWindows;
  const windows = Array.from({ length: numWindows }, (_, window) =>
    fbank.compute(samples.subarray(window * numSamples, (window + 1) * numSamples)),
  );
  return Promise.resolve(Float32Array.from(windows.flatMap(({ data }) => [...data])));
});

test('frames are those that fit wholly', () => {
  const geometry = fbankGeometry(FACTS, SAMPLE_RATE);
  expect([0, 399, 400, 559, 560, 160000].map((n) => countFrames(n, geometry))).toEqual([0, 0, 1, 1, 2, 998]);
});
