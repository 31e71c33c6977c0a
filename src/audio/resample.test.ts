import { describe, expect, it, vi } from 'vitest';
import { resampledLength, Resampler } from './resample';
import { concatenate } from '../util/values';
import { noise, tone } from '../../test/audio/collect';

const TARGET = 16_000;
const RATES = [44_100, 48_000, 8_000, 22_050, 11_025, 96_000, 32_000];

/**
 * Bounds in dB of full scale. Speex's source promises about 100 dB of stopband for quality 7. The worst measured
 * values here are -106 from 1.1 of the Nyquist frequency, and -102 above 1.03 of it.
 *
 * In the passband, the error consists of the sum of the stopband's images and the interpolation error of the coarse
 * filter table: measured -92 at 11.025 kHz, -96 at the other rates, both at 0.9. -90 dB is a level error of at most
 * 0.0003 dB, while 0.05 dB would suffice for speech.
 */
const STOPBAND_DB = -100;
const PASSBAND_DB = -90;

async function resample(samples: Float32Array, rate: number, pieceSamples = samples.length): Promise<Float32Array> {
  const resampler = await Resampler.create(rate, TARGET);
  const pieces: Float32Array[] = [];
  for (let start = 0; start < samples.length; start += pieceSamples) {
    pieces.push(resampler.process(samples.subarray(start, start + pieceSamples)));
  }
  pieces.push(resampler.flush());
  resampler.close();
  return concatenate(pieces);
}

/** Level of the difference, or of the samples themselves, excluding the ends; in dB of full scale (rms of a sine). */
function levelDb(samples: Float32Array, expected?: Float32Array): number {
  const margin = 1000;
  let sum = 0;
  for (let i = margin; i < samples.length - margin; i++) sum += (samples[i]! - (expected?.[i] ?? 0)) ** 2;
  return 10 * Math.log10((2 * sum) / (samples.length - 2 * margin));
}

describe('Resampler', () => {
  it.each(RATES)('preserves tones up to 0.9 of the lower Nyquist frequency: %i Hz', async (rate) => {
    const nyquist = Math.min(rate, TARGET) / 2;
    for (const part of [0.01, 0.1, 0.3, 0.6, 0.8, 0.9]) {
      const hertz = part * nyquist;
      const output = await resample(tone(hertz, rate, 2 * rate), rate);
      expect(levelDb(output, tone(hertz, TARGET, output.length))).toBeLessThan(PASSBAND_DB);
    }
  });

  it.each([
    [48_000, 12_000],
    [48_000, 8_900],
    [48_000, 16_000],
    [48_000, 23_000],
    [44_100, 8_900],
    [44_100, 15_900],
    [44_100, 21_000],
    [96_000, 31_990],
    [48_000, 8_800],
    [44_100, 8_800],
    [22_050, 8_800],
  ])('does not alias tones above the target Nyquist frequency: %i Hz, tone of %i Hz', async (rate, hertz) => {
    expect(levelDb(await resample(tone(hertz, rate, 2 * rate), rate))).toBeLessThan(STOPBAND_DB);
  });

  it('creates no images when upsampling', async () => {
    // Images of a tone at 3 kHz would lie at 5 kHz.
    const output = await resample(tone(3_000, 8_000, 16_000), 8_000);
    expect(levelDb(output, tone(3_000, TARGET, output.length))).toBeLessThan(PASSBAND_DB);
  });

  it.each(RATES)('returns the same for pieces as for the whole: %i Hz', async (rate) => {
    const samples = noise(20_011);
    const whole = await resample(samples, rate);
    for (const pieceSamples of [997, 4096, 20_000]) expect(await resample(samples, rate, pieceSamples)).toEqual(whole);
    const short = samples.subarray(0, 300);
    expect(await resample(short, rate, 1)).toEqual(await resample(short, rate));
  });

  it.each(RATES)('has the duration of the input, to the nearest sample: %i Hz', async (rate) => {
    for (const length of [0, 1, 2, 3, 100, 441, 442, 16_384, 16_385, 50_000]) {
      const output = await resample(noise(length), rate);
      expect(output.length).toBe(Math.round((length * TARGET) / rate));
      expect(resampledLength(length, rate, TARGET)).toBe(output.length);
    }
  });

  it.each(RATES)('preserves the time of an impulse: %i Hz', async (rate) => {
    // A tenth of a second is a whole number of samples at all these rates except 11.025 and 22.05 kHz.
    const at = Math.round(rate * 0.4);
    const samples = new Float32Array(rate);
    samples[at] = 1;
    const output = await resample(samples, rate);
    const center = (at * TARGET) / rate;
    let moment = 0;
    let energy = 0;
    output.forEach((value, i) => {
      moment += i * value ** 2;
      energy += value ** 2;
    });
    // Measured: below 1e-7 of a sample. A filter that is off by one step of its table would be late by at least 0.04.
    expect(Math.abs(moment / energy - center)).toBeLessThan(0.01);
  });

  it('preserves a constant at every filter phase', async () => {
    const output = await resample(new Float32Array(44_100).fill(0.5), 44_100);
    // The phases differ by the leakage of the stopband: STOPBAND_DB of 0.5 is 5e-6.
    for (const value of output.subarray(1000, -1000)) expect(value).toBeCloseTo(0.5, 5);
  });

  it('accepts rates without a common divisor', async () => {
    const output = await resample(tone(1_000, 44_101, 44_101), 44_101);
    expect(output.length).toBe(TARGET);
    expect(levelDb(output, tone(1_000, TARGET, TARGET))).toBeLessThan(PASSBAND_DB);
  });

  it.each([[1, 3], [200, 300], [768_000, 768_000]])('accepts unusual rates: %i Hz', async (rate, length) => {
    const whole = await resample(noise(length), rate);
    expect(whole.length).toBe(Math.round((length * TARGET) / rate));
    expect(await resample(noise(length), rate, Math.ceil(length / 3))).toEqual(whole);
  });

  it('frees its memory, and works when the memory of others grows', async () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    const samples = noise(3_000);
    const expected = await resample(samples, 44_100);
    for (let i = 0; i < 500; i++) (await Resampler.create(44_100, TARGET)).close();
    expect(grow).not.toHaveBeenCalled();

    const early = await Resampler.create(44_100, TARGET);
    const start = early.process(samples.subarray(0, 1_000));
    const others = await Promise.all(Array.from({ length: 500 }, () => Resampler.create(44_100, TARGET)));
    expect(grow).toHaveBeenCalled();
    expect(concatenate([start, early.process(samples.subarray(1_000)), early.flush()])).toEqual(expected);
    for (const resampler of [early, ...others]) resampler.close();
    grow.mockRestore();
  });

  it('cannot be used after close', async () => {
    const resampler = await Resampler.create(44_100, TARGET);
    resampler.close();
    resampler.close();
    expect(() => resampler.process(noise(10))).toThrow(expect.objectContaining({ code: 'disposed' }));
    expect(() => resampler.flush()).toThrow(expect.objectContaining({ code: 'disposed' }));
  });
});
