import { expect, it } from 'vitest';
import { CENTERED_FACTS, CENTERED_RATE } from '../../test/kernels/centeredFbankTests';
import { noise } from '../../test/kernels/fixtures/goldens';
import { Fbank } from '../features/fbank';
import { concatenate } from '../util/values';
import { cpuFrontEnd } from './melFrontEnd';
import { SampleFramer } from './sampleFramer';

const samples = noise(30_123, 6);
const whole = new Fbank(CENTERED_FACTS, CENTERED_RATE).compute(samples).data;

it.each([1, 160, 997, 30_123])('pushes of %i samples give the bits of the whole recording', async (size) => {
  const framer = new SampleFramer(cpuFrontEnd({ fbank: CENTERED_FACTS, sampleRate: CENTERED_RATE }), 32, 24);
  const pieces: Float32Array[] = [];
  for (let start = 0; start < samples.length; start += size) {
    for await (const batch of framer.push(samples.subarray(start, start + size))) pieces.push(batch);
  }
  pieces.push(await framer.finish());
  expect(pieces.length).toBeGreaterThan(6);
  expect(concatenate(pieces)).toEqual(whole);
});
