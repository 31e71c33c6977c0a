import { describe, expect, test } from 'vitest';
import { coreMask, coreOf } from './core';
import { windowMasks } from './mask';

/** Windows of 10 s each second, ten frames per second. */
const MODEL = { numFrames: 100, windowSamples: 1000, hopSamples: 100, sampleRate: 100 };
const HOP = 5;
const at = (window: number, isLast = false) => coreOf(window, isLast, HOP, MODEL);

/** Mask of a window with speech in these segments of frames. */
function maskOf(...segments: readonly (readonly [number, number])[]): Uint8Array {
  const mask = new Uint8Array(MODEL.numFrames);
  for (const [from, to] of segments) mask.fill(1, from, to);
  return mask;
}

const framesOf = (mask: Uint8Array): number[] => [...mask.keys()].filter((frame) => mask[frame]);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('cores of windows', () => {
  test('are one hop long in the middle of the window, and extend to the ends of the recording', () => {
    expect(at(0)).toMatchObject({ from: 0, to: 75 });
    expect(at(5)).toMatchObject({ from: 25, to: 75 });
    expect(at(10, true)).toMatchObject({ from: 25, to: 100 });
    expect(at(0, true)).toMatchObject({ from: 0, to: 100 });
    expect(at(5)).toMatchObject({ minFrames: 10, enoughFrames: 30 });
  });

  test.each([1, 4, 5, 6, 9, 10, 21, 22])('cover each frame of %i windows once', (numWindows) => {
    const covered = new Uint8Array((numWindows - 1) * 10 + MODEL.numFrames);
    for (let window = 0; window < numWindows; window++) {
      const isLast = window === numWindows - 1;
      if (window % HOP !== 0 && !isLast) continue;
      const { from, to } = at(window, isLast);
      for (let frame = from; frame < to; frame++) covered[window * 10 + frame]!++;
    }
    expect([...covered]).toEqual(covered.length === 0 ? [] : Array.from(covered, () => 1));
  });

  test('are the whole window if windows do not overlap', () => {
    expect(coreOf(20, false, 10, MODEL)).toMatchObject({ from: 0, to: 100 });
  });
});

describe('masks in the core', () => {
  test('contain the frames in the core if they are enough', () => {
    expect(framesOf(coreMask(maskOf([0, 100]), at(5)))).toEqual(range(25, 75));
    expect(framesOf(coreMask(maskOf([0, 100]), at(0)))).toEqual(range(0, 75));
    expect(framesOf(coreMask(maskOf([0, 100]), at(10, true)))).toEqual(range(25, 100));
    // Exactly enough.
    expect(framesOf(coreMask(maskOf([0, 20], [40, 70]), at(5)))).toEqual(range(40, 70));
  });

  test('add the nearest frames up to the number that is enough', () => {
    // Two seconds in the core; of the frames outside, those at 75 to 84 are nearest.
    expect(framesOf(coreMask(maskOf([0, 10], [55, 100]), at(5)))).toEqual(range(55, 85));
    // All of the speaker's frames.
    expect(framesOf(coreMask(maskOf([20, 25], [60, 75]), at(5)))).toEqual([...range(20, 25), ...range(60, 75)]);
  });

  test('are empty if the window before or after has more of a speaker with little speech in the core', () => {
    expect(framesOf(coreMask(maskOf([66, 90]), at(5)))).toEqual([]);
    expect(framesOf(coreMask(maskOf([10, 34]), at(5)))).toEqual([]);
    expect(framesOf(coreMask(maskOf([0, 20]), at(5)))).toEqual([]);
    // One second in the core, or most of the speech.
    expect(framesOf(coreMask(maskOf([65, 100]), at(5)))).toEqual(range(65, 95));
    expect(framesOf(coreMask(maskOf([66, 80]), at(5)))).toEqual(range(66, 80));
    expect(framesOf(coreMask(maskOf([40, 42]), at(5)))).toEqual([40, 41]);
  });

  test('are empty for silence, and complete in the only window', () => {
    expect(framesOf(coreMask(maskOf(), at(5)))).toEqual([]);
    expect(framesOf(coreMask(maskOf([0, 3], [97, 100]), at(0, true)))).toEqual([0, 1, 2, 97, 98, 99]);
  });

  test('exclude overlap before they are restricted', () => {
    const activity = new Uint8Array(2 * MODEL.numFrames);
    for (let frame = 0; frame < MODEL.numFrames; frame++) {
      activity[2 * frame] = frame < 70 ? 1 : 0;
      activity[2 * frame + 1] = frame >= 60 ? 1 : 0;
    }
    const [first, second] = windowMasks(activity, 2, MODEL.windowSamples, 10, at(5));
    expect(framesOf(first!)).toEqual(range(25, 60));
    // Half a second in the core, three after it: left to the next window.
    expect(framesOf(second!)).toEqual([]);
    expect(framesOf(windowMasks(activity, 2, MODEL.windowSamples, 10)[1]!)).toEqual(range(70, 100));
  });
});
