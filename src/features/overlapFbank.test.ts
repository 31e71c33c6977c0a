import { expect, test, vi } from 'vitest';
import campplus from '../../models/campplus-zh-en/manifest.json';
import { seededNormal } from '../../test/clustering/random';
import { parseManifest } from '../store/manifest';
import { Fbank } from './fbank';
import { OverlapFbank } from './overlapFbank';

const { fbank: facts, sampleRate } = parseManifest('embedding', campplus, campplus.id);
const HOP = 160;
const SHIFT = 1600;
const WINDOW = 8000;
const normal = seededNormal(7);
const AUDIO = Float32Array.from({ length: 20_000 }, () => 0.1 * normal());
/** A third of the audio is digital silence: any shift matches there. */
AUDIO.fill(0, 6000, 12_000);

const at = (start: number): Float32Array => AUDIO.slice(start, start + WINDOW);
const open = () => {
  const fbank = new Fbank(facts, sampleRate);
  const spy = vi.spyOn(fbank, 'compute');
  const computed = (): number => spy.mock.calls.at(-1)![1]!.reduce((sum, value) => sum + value, 0);
  return { overlap: new OverlapFbank(fbank, SHIFT, HOP), computed };
};
const NUM_FRAMES = new Fbank(facts, sampleRate).countFrames(WINDOW);
const ALL = new Uint8Array(NUM_FRAMES).fill(1);

test.each([[0], [1600], [3200], [-1600], [800], [20_000 - WINDOW]])('windows shifted by %i samples have the same bits as without reuse', (by) => {
  const { overlap } = open();
  const start = Math.max(0, -by);
  overlap.compute(at(start), ALL);
  expect(overlap.compute(at(start + by), ALL)).toEqual(new Fbank(facts, sampleRate).compute(at(start + by)));
});

test('frames of the window before are not computed again', () => {
  const { overlap, computed } = open();
  overlap.compute(at(0), ALL);
  expect(computed()).toBe(NUM_FRAMES);
  overlap.compute(at(SHIFT), ALL);
  expect(computed()).toBe(SHIFT / HOP);
});

test('only frames that were wanted before are reused', () => {
  const { overlap, computed } = open();
  const some = ALL.map((_, frame) => (frame % 3 === 0 ? 1 : 0));
  overlap.compute(at(0), some);
  const features = overlap.compute(at(SHIFT), ALL);
  expect(computed()).toBeGreaterThan(NUM_FRAMES / 2);
  expect(features).toEqual(new Fbank(facts, sampleRate).compute(at(SHIFT)));
  // Frames that are not wanted stay 0.
  const few = overlap.compute(at(2 * SHIFT), some);
  expect(few).toEqual(new Fbank(facts, sampleRate).compute(at(2 * SHIFT), some));
});

test('other audio reuses nothing', () => {
  const { overlap, computed } = open();
  overlap.compute(at(0), ALL);
  const other = at(SHIFT);
  other[WINDOW - SHIFT - 1]! += 1;
  overlap.compute(other, ALL);
  expect(computed()).toBe(NUM_FRAMES);
});
