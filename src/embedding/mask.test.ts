import { expect, test } from 'vitest';
import { embeddingMasks, framesVary, maskedFeatures, minCleanFrames } from './mask';

test("pyannote's rule returns 14 of 589 frames", () => {
  expect(minCleanFrames(589, 160000, 3600)).toBe(14);
});

test('overlap is excluded only if enough frames are left', () => {
  // Axes (frame, speaker): speaker 0 alone in 3 frames, speaker 1 alone in 1, both together in 2.
  const activity = Uint8Array.from([1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 1]);
  const [first, second] = embeddingMasks(activity, 2, 2);
  expect([...first!]).toEqual([1, 1, 1, 0, 0, 0]);
  expect([...second!]).toEqual([0, 0, 0, 1, 1, 1]);
  // "More than" the minimum: an equal number is not enough.
  expect([...embeddingMasks(activity, 2, 3)[0]!]).toEqual([1, 1, 1, 1, 1, 0]);
});

test('masked features are the nearest frames, minus their mean', () => {
  const features = { data: Float32Array.from([1, 10, 2, 20, 3, 30, 4, 40, 5, 50]), numFrames: 5, numMelBins: 2 };
  // Two mask frames over five feature frames: torch's nearest maps them 0 0 0 1 1.
  expect([...maskedFeatures(features, Uint8Array.from([0, 1]), false)]).toEqual([4, 40, 5, 50]);
  expect([...maskedFeatures(features, Uint8Array.from([0, 1]), true)]).toEqual([-0.5, -5, 0.5, 5]);
  expect(maskedFeatures(features, Uint8Array.from([0, 0]), true)).toHaveLength(0);
});

test('frames vary if an audible one has another energy than the first', () => {
  const geometry = { frameSamples: 400, hopSamples: 160, leadSamples: 0 };
  const all = Uint32Array.from({ length: 40 }, (_, frame) => frame);
  const vary = (sampleAt: (index: number) => number, used = all): boolean =>
    framesVary(Float32Array.from({ length: 7000 }, (_, index) => sampleAt(index)), used, geometry);
  const tone = (index: number): number => Math.sin((2 * Math.PI * index) / 40);
  expect(vary((index) => tone(index) * (1 + index / 2000))).toBe(true);
  expect(vary((index) => (index > 6000 ? tone(index) : 0))).toBe(true);
  // Equal frames, a constant level, silence, and a change below the floor.
  for (const sampleAt of [tone, () => 0.3, () => 0, (index: number) => 1e-11 * tone(index) * index]) expect(vary(sampleAt)).toBe(false);
  // The change is outside the used frames.
  expect(vary((index) => (index > 6000 ? tone(index) : 0), all.subarray(0, 30))).toBe(false);
  expect(vary(tone, all.subarray(0, 0))).toBe(false);
});
