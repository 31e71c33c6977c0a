import { describe, expect, it } from 'vitest';
import { PEAK_SAMPLE_RATE, PeakPyramid, PeakReducer, readPeaks, SAMPLES_PER_PEAK } from './peaks';

/** Reproducible noise: `Math.sin` of large arguments is random enough. */
const noise = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, at) => 0.9 * Math.sin(at * 12.9898) * Math.sin(at / 997));

const SCALE = 32_767;

/** Peaks of pieces of these lengths, and of the remaining samples. */
function reduced(samples: Float32Array, pieceLengths: readonly number[]): Int16Array {
  const reducer = new PeakReducer();
  const extremes: number[] = [];
  let at = 0;
  for (let turn = 0; at < samples.length; turn += 1) {
    const length = pieceLengths[turn % pieceLengths.length]!;
    extremes.push(...reducer.append(samples.subarray(at, at + length)));
    at += length;
  }
  return Int16Array.from([...extremes, ...reducer.flush()]);
}

function pyramidOf(samples: Float32Array): PeakPyramid {
  const pyramid = new PeakPyramid();
  pyramid.append(reduced(samples, [samples.length]));
  return pyramid;
}

describe('PeakReducer', () => {
  it('finds the extremes of each 256 samples, and of the rest', () => {
    const samples = noise(1000);
    const peaks = reduced(samples, [1000]);
    expect(peaks).toHaveLength(8);
    [0, 256, 512, 768].forEach((start, peak) => {
      const part = samples.subarray(start, start + 256);
      expect(peaks[2 * peak]).toBe(Math.round(SCALE * Math.min(...part)));
      expect(peaks[2 * peak + 1]).toBe(Math.round(SCALE * Math.max(...part)));
    });
  });

  it('returns the same peaks for any division into pieces', () => {
    const samples = noise(10_000);
    expect(reduced(samples, [1, 255, 256, 257, 1000])).toEqual(reduced(samples, [10_000]));
  });

  it('clips values beyond full scale', () => {
    expect([...reduced(Float32Array.of(-3, 2), [2])]).toEqual([-SCALE, SCALE]);
  });
});

describe('readPeaks', () => {
  async function* piecesOf(samples: Float32Array, length: number): AsyncGenerator<Float32Array> {
    for (let at = 0; at < samples.length; at += length) yield await Promise.resolve(samples.subarray(at, at + length));
  }

  /** Arrays of ten peaks. */
  async function readTens(samples: Float32Array, pieceLength = 1000): Promise<Int16Array[]> {
    const arrays: Int16Array[] = [];
    for await (const array of readPeaks(piecesOf(samples, pieceLength), 10)) arrays.push(array);
    return arrays;
  }

  const lengthsOf = (arrays: readonly Int16Array[]): number[] => arrays.map(({ length }) => length);

  it.each([
    ['shorter than a peak', 100],
    ['longer than a peak', 1000],
    ['longer than two arrays', 6000],
  ])('returns the peaks of all samples, from pieces %s', async (_, pieceLength) => {
    const samples = noise(25 * SAMPLES_PER_PEAK + 1);
    const arrays = await readTens(samples, pieceLength);
    expect(lengthsOf(arrays)).toEqual([20, 20, 12]);
    expect(arrays.flatMap((array) => [...array])).toEqual([...reduced(samples, [samples.length])]);
  });

  it('returns no empty array after a full one, or for no samples', async () => {
    expect(lengthsOf(await readTens(noise(20 * SAMPLES_PER_PEAK)))).toEqual([20, 20]);
    expect(await readTens(new Float32Array(0))).toEqual([]);
  });

  it('returns arrays that can be transferred one by one', async () => {
    const arrays = await readTens(noise(21 * SAMPLES_PER_PEAK), 21 * SAMPLES_PER_PEAK);
    expect(new Set(arrays.map(({ buffer }) => buffer)).size).toBe(3);
  });

  it('returns each minute before the next is read, and passes on an error of the decoder', async () => {
    async function* pieces(): AsyncGenerator<Float32Array> {
      yield await Promise.resolve(new Float32Array(60 * PEAK_SAMPLE_RATE));
      throw new RangeError('damaged');
    }
    const reading = readPeaks(pieces());
    expect((await reading.next()).value).toHaveLength(2 * 3750);
    await expect(reading.next()).rejects.toThrow('damaged');
  });
});

describe('PeakPyramid', () => {
  // 1,001 peaks: odd at several levels, so some peaks have no partner.
  const samples = noise(1000 * SAMPLES_PER_PEAK + 100);
  const pyramid = pyramidOf(samples);
  const secondsPerPeak = SAMPLES_PER_PEAK / PEAK_SAMPLE_RATE;

  it('is the same for peaks appended together or one by one', () => {
    const { extremes } = pyramid.toPeaks();
    const grown = new PeakPyramid();
    for (let at = 0; at < extremes.length; at += 2) grown.append(extremes.subarray(at, at + 2));
    const [whole, piecewise] = [pyramid, grown].map((each) => {
      const columns = new Float32Array(2 * 50);
      return [each.read(0, each.seconds / 50, columns), columns];
    });
    expect(piecewise).toEqual(whole);
    expect(grown.loudest).toBe(pyramid.loudest);
  });

  it.each([1, 1.7, 2, 5, 64, 100.3, 500, 1001])('contains at least the extremes of columns of %d peaks', (peaksPerColumn) => {
    const secondsPerColumn = peaksPerColumn * secondsPerPeak;
    const columns = new Float32Array(2 * Math.floor(pyramid.seconds / secondsPerColumn + 1e-6));
    const [from, to] = pyramid.read(0, secondsPerColumn, columns);
    expect([from, to]).toEqual([0, columns.length / 2]);
    for (let column = from; column < to; column += 1) {
      const start = Math.round(column * peaksPerColumn * SAMPLES_PER_PEAK);
      const part = samples.subarray(start, Math.round(start + peaksPerColumn * SAMPLES_PER_PEAK));
      const [lowest, highest] = [columns[2 * column]!, columns[2 * column + 1]!];
      // A column covers complete peaks of its level, so it can cover more than its own samples, but never fewer.
      expect(lowest).toBeLessThanOrEqual(part.reduce((a, b) => Math.min(a, b)) + 1 / SCALE);
      expect(highest).toBeGreaterThanOrEqual(part.reduce((a, b) => Math.max(a, b)) - 1 / SCALE);
      const around = samples.subarray(
        Math.max(0, start - Math.ceil(peaksPerColumn) * SAMPLES_PER_PEAK),
        start + 2 * Math.ceil(peaksPerColumn) * SAMPLES_PER_PEAK,
      );
      expect(highest).toBeLessThanOrEqual(around.reduce((a, b) => Math.max(a, b)) + 1 / SCALE);
    }
  });

  it('interpolates between peaks if columns are narrower', () => {
    const slope = PeakPyramid.from({ secondsPerPeak: 1, extremes: Int16Array.of(-SCALE, 0, 0, SCALE) });
    const columns = new Float32Array(2 * 4);
    expect(slope.read(0.5, 0.25, columns)).toEqual([0, 4]);
    [0.125, 0.375, 0.625, 0.875].forEach((part, column) => {
      expect(columns[2 * column]).toBeCloseTo(part - 1, 4);
      expect(columns[2 * column + 1]).toBeCloseTo(part, 4);
    });
  });

  it('returns the known columns, and does not change the others', () => {
    const columns = new Float32Array(2 * 10).fill(7);
    const short = PeakPyramid.from({ secondsPerPeak: 1, extremes: Int16Array.of(0, 1, 0, 1, 0, 1) });
    expect(short.read(-2, 1, columns)).toEqual([2, 5]);
    expect([columns[3], columns[4], columns[10]]).toEqual([7, 0, 7]);
    expect(new PeakPyramid().read(0, 1, columns)).toEqual([0, 0]);
    expect(short.read(40, 1, columns)[0]).toBe(short.read(40, 1, columns)[1]);
  });

  it('can be stored and restored', () => {
    const peaks = pyramid.toPeaks();
    expect(peaks.extremes).toHaveLength(2 * 1001);
    expect(PeakPyramid.from(structuredClone(peaks)).toPeaks()).toEqual(peaks);
  });

  it('returns the loudest sample', () => {
    expect(pyramid.loudest).toBeCloseTo(samples.reduce((a, b) => Math.max(a, Math.abs(b)), 0), 4);
    expect(new PeakPyramid().loudest).toBe(0);
  });
});
