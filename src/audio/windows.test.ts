import { describe, expect, it } from 'vitest';
import { cutWindows, countWindows, type AudioWindow, type WindowGeometry } from './windows';
import { streamOf } from '../../test/audio/collect';

/** `Inference.slide` of pyannote.audio, written out over the whole recording. */
function slide(samples: Float32Array, { windowSamples, hopSamples }: WindowGeometry): Float32Array[] {
  const total = samples.length;
  if (total === 0) return [];
  const numFull = total < windowSamples ? 0 : Math.floor((total - windowSamples) / hopSamples) + 1;
  const starts = Array.from({ length: numFull }, (_, index) => index * hopSamples);
  if (total < windowSamples || (total - windowSamples) % hopSamples > 0) starts.push(numFull * hopSamples);
  return starts.map((start) => {
    const window = new Float32Array(windowSamples);
    window.set(samples.subarray(start, start + windowSamples));
    return window;
  });
}

function* split(samples: Float32Array, pieceSamples: number): Generator<Float32Array> {
  for (let start = 0; start < samples.length; start += pieceSamples) {
    yield samples.subarray(start, start + pieceSamples);
  }
}

async function cutAll(pieces: Iterable<Float32Array>, geometry: WindowGeometry): Promise<AudioWindow[]> {
  const windows: AudioWindow[] = [];
  for await (const window of cutWindows(streamOf(pieces), geometry)) windows.push(window);
  return windows;
}

describe('cutWindows', () => {
  const geometries: WindowGeometry[] = [
    { windowSamples: 10, hopSamples: 1 },
    { windowSamples: 10, hopSamples: 3 },
    { windowSamples: 10, hopSamples: 10 },
    { windowSamples: 1, hopSamples: 1 },
  ];

  it.each(geometries)('matches the windows of pyannote.audio for every length: %o', async (geometry) => {
    for (let total = 0; total <= 45; total++) {
      const samples = Float32Array.from({ length: total }, (_, i) => i + 1);
      const expected = slide(samples, geometry);
      expect(countWindows(total, geometry)).toBe(expected.length);
      for (const pieceSamples of [1, 2, 7, 10, 11, 100]) {
        const windows = await cutAll(split(samples, pieceSamples), geometry);
        expect(windows.map((window) => window.samples)).toEqual(expected);
        expect(windows.map((window) => window.index)).toEqual(expected.map((_, index) => index));
        expect(windows.map((window) => window.isLast)).toEqual(
          expected.map((_, index) => index === expected.length - 1),
        );
      }
    }
  });

  it('returns windows that later ones do not overwrite', async () => {
    const samples = Float32Array.from({ length: 30 }, (_, i) => i);
    const windows = await cutAll(split(samples, 4), { windowSamples: 10, hopSamples: 5 });
    expect(new Set(windows.map((window) => window.samples.buffer)).size).toBe(windows.length);
  });

  it('reads only the samples that the window needs', async () => {
    let taken = 0;
    function* endless(): Generator<Float32Array> {
      for (;;) {
        taken++;
        yield new Float32Array(5);
      }
    }
    const windows = cutWindows(streamOf(endless()), { windowSamples: 10, hopSamples: 5 });
    await windows.next();
    expect(taken).toBe(3);
    await windows.return();
  });

  it.each([
    { windowSamples: 10, hopSamples: 0 },
    { windowSamples: 10, hopSamples: 11 },
    { windowSamples: 10.5, hopSamples: 1 },
  ])('refuses %o', async (geometry) => {
    await expect(cutAll(split(new Float32Array(20), 5), geometry)).rejects.toMatchObject({ code: 'options' });
  });
});
