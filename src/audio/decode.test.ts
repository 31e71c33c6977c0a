import { describe, expect, it } from 'vitest';
import { decodeAll, decoderFor, openAudio, openChannels, type DecodeOptions } from './decode';
import { buildWav, type WavOptions } from '../../test/audio/wav';
import { collect, noise, tone } from '../../test/audio/collect';

const OPTIONS: DecodeOptions = { sampleRate: 16_000 };

async function decode(source: Blob, options: Partial<DecodeOptions> = {}): Promise<Float32Array> {
  return collect((await openAudio(source, { ...OPTIONS, ...options })).pieces());
}

/** Vitest takes seconds to compare some 100,000 values. */
function expectSame(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  expect(actual.findIndex((value, i) => value !== expected[i])).toBe(-1);
}

/** Multiples of 1/128 below 1: exact in all integer formats. */
const SIMPLE = Float32Array.of(0, 0.5, -0.5, 127 / 128, -1, 1 / 128, -1 / 128);

describe('openAudio with WAV', () => {
  const formats = ['int8', 'int16', 'int24', 'int32', 'float32', 'float64'] as const;

  it.each(formats.flatMap((format) => [{ format }, { format, extensible: true }]))('reads $format exactly: %o', async (options) => {
    const audio = await openAudio(buildWav([SIMPLE], options), OPTIONS);
    expect(audio.facts).toEqual({
      durationSeconds: SIMPLE.length / 16_000,
      sampleRate: 16_000,
      channels: 1,
      codec: 'pcm',
      container: 'WAVE',
      tracks: [],
    });
    expect(await collect(audio.pieces())).toEqual(SIMPLE);
  });

  it('reads all 16-bit values like libsndfile', async () => {
    const values = Float32Array.from({ length: 65_536 }, (_, i) => (i - 32_768) / 32_768);
    expect(await decode(buildWav([values]))).toEqual(values);
  });

  it('reads A-law and mu-law', async () => {
    // From the tables of ITU-T G.711, at 16 bits.
    const aLaw = await decode(buildWav([[0xd5, 0x55, 0xaa, 0x2a, 0x80]], { format: 'a-law' }));
    expect([...aLaw].map((value) => value * 32_768)).toEqual([8, -8, 32_256, -32_256, 5504]);
    const muLaw = await decode(buildWav([[0xff, 0x7f, 0x80, 0x00, 0xf0]], { format: 'mu-law' }));
    expect([...muLaw].map((value) => value * 32_768)).toEqual([0, -0, 32_124, -32_124, 120]);
  });

  it('computes the mean of 2 and of 32 channels', async () => {
    const [left, right] = [Float32Array.of(0.5, 0.25), Float32Array.of(-0.5, 0.75)];
    expect([...(await decode(buildWav([left, right])))]).toEqual([0, 0.5]);
    expect([...(await decode(buildWav(Array.from({ length: 32 }, () => left))))]).toEqual([0.5, 0.25]);
  });

  it('keeps floats outside [-1, 1]', async () => {
    expect([...(await decode(buildWav([[1.5, -3]], { format: 'float32' })))]).toEqual([1.5, -3]);
  });

  it('skips other chunks, including chunks of odd length', async () => {
    const extraChunks = [{ name: 'LIST', bytes: 7 }, { name: 'bext', bytes: 602 }];
    expect(await decode(buildWav([SIMPLE], { extraChunks }))).toEqual(SIMPLE);
  });

  it('reads 0.05 s', async () => {
    expect(await decode(buildWav([noise(800)], { format: 'float32' }))).toEqual(noise(800));
  });

  it('reads more than one block', async () => {
    const samples = noise(700_001);
    expectSame(await decode(buildWav([samples, samples], { format: 'float32' })), samples);
  });

  it.each([8_000, 44_100, 48_000])('resamples %i Hz to the target rate', async (sampleRate) => {
    const length = sampleRate + 7;
    const output = await decode(buildWav([tone(440, sampleRate, length)], { sampleRate, format: 'float32' }));
    expect(output.length).toBe(Math.round((length * 16_000) / sampleRate));
    const expected = tone(440, 16_000, output.length);
    output.subarray(500, -500).forEach((value, i) => { expect(Math.abs(value - expected[i + 500]!)).toBeLessThan(1e-4); });
  });
});

describe('a segment of a recording', () => {
  it.each([16_000, 44_100, 48_000, 8_000, 11_025])('equals the same part of the whole: %i Hz', async (sampleRate) => {
    const file = buildWav([noise(3 * sampleRate)], { sampleRate, format: 'float32' });
    const whole = await decode(file);
    for (const [startSeconds, durationSeconds] of [[0, 0.5], [0.001, 0.2], [1.234_56, 1], [2.5, 9]] as const) {
      const audio = await openAudio(file, { ...OPTIONS, startSeconds, durationSeconds });
      const start = Math.round(startSeconds * 16_000);
      const expected = whole.subarray(start, start + Math.round(durationSeconds * 16_000));
      const samples = await collect(audio.pieces());
      expect(samples.length).toBe(expected.length);
      expect(audio.facts.durationSeconds).toBeCloseTo(expected.length / 16_000, 9);
      expect(samples).toEqual(expected);
    }
  });

  it.each([
    { startSeconds: -1 },
    { startSeconds: NaN },
    { startSeconds: 1 },
    { durationSeconds: 0 },
    { durationSeconds: NaN },
    { sampleRate: 0 },
    { sampleRate: 16_000.5 },
  ])('is rejected with %o', async (options) => {
    await expect(decode(buildWav([noise(16_000)]), options)).rejects.toMatchObject({ code: 'options' });
  });
});

describe('bad files', () => {
  const second = noise(16_000);
  const bytes = (length: number): Blob => new Blob([Uint8Array.from(noise(length), (value) => value * 127)]);
  const png = new Blob([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), bytes(500)]);

  it.each<[string, Blob, string]>([
    ['no bytes', new Blob([]), 'audio-empty'],
    ['one byte', new Blob(['R']), 'audio-unsupported'],
    ['noise', bytes(100_000), 'audio-unsupported'],
    ['text', new Blob(['This is not a recording.\n'.repeat(100)]), 'audio-unsupported'],
    ['a picture', png, 'audio-unsupported'],
    ['the start of a WAV header', buildWav([second]).slice(0, 12), 'audio-unsupported'],
    ['half a format chunk', buildWav([second]).slice(0, 30), 'audio-unsupported'],
    ['no data chunk', buildWav([second]).slice(0, 36), 'audio-no-samples'],
    ['an empty data chunk', buildWav([[]]), 'audio-no-samples'],
    ['0 channels', buildWav([second], { declaredChannels: 0 }), 'audio-channels'],
    ['40 channels', buildWav([second], { declaredChannels: 40 }), 'audio-channels'],
    ['33 channels', buildWav(Array.from({ length: 33 }, () => second)), 'audio-channels'],
    ['a rate of 0', buildWav([second], { sampleRate: 0 }), 'audio-unsupported'],
    ['an unknown coding', buildWav([second], { declaredTag: 2 }), 'audio-unsupported'],
    ['half of the samples', buildWav([second]).slice(0, 16_044), 'audio-truncated'],
    ['none of the samples', buildWav([second]).slice(0, 44), 'audio-truncated'],
  ])('%s: rejected immediately', async (_, file, code) => {
    await expect(openAudio(file, OPTIONS)).rejects.toMatchObject({ name: 'VoxlaneError', code });
  });

  it('reports how much of a truncated file is available, and reads that part', async () => {
    const file = buildWav([second]).slice(0, 44 + 16_000);
    await expect(openAudio(file, OPTIONS)).rejects.toMatchObject({
      problem: 'The WAV header declares 1.000 s, but the file contains 0.500 s',
      remedy: expect.stringContaining('durationSeconds') as string,
    });
    expect((await decode(file, { durationSeconds: 0.5 })).length).toBe(8000);
    await expect(decode(file, { startSeconds: 0.1, durationSeconds: 0.5 })).rejects.toMatchObject({ code: 'audio-truncated' });
  });

  it.each<[string, WavOptions]>([
    ['ffmpeg', { declaredDataBytes: 0xffff_ffff, declaredRiffBytes: 0xffff_ffff }],
    ['a recorder that broke off', { declaredDataBytes: 0, declaredRiffBytes: 0 }],
    ['a recorder that broke off late', { declaredDataBytes: 0, declaredRiffBytes: 36 }],
    ['SoX', { declaredDataBytes: 0x7fff_f000, declaredRiffBytes: 0x7fff_f024 }],
  ])('accepts a header without a valid length from %s', async (_, options) => {
    expect(await decode(buildWav([SIMPLE], options))).toEqual(SIMPLE);
  });

  it.each([
    [16_000, NaN],
    [44_100, Infinity],
  ])('reports the time of a non-finite sample: %i Hz, %d', async (sampleRate, value) => {
    const samples = new Float32Array(sampleRate);
    samples[sampleRate / 4] = value;
    const file = buildWav([samples, new Float32Array(sampleRate)], { sampleRate, format: 'float32' });
    await expect(decode(file)).rejects.toMatchObject({
      code: 'audio-not-finite',
      problem: expect.stringContaining('0.250 s') as string,
    });
  });
});

describe('openChannels', () => {
  it('pass samples at the target rate unchanged', async () => {
    const samples = noise(200_000);
    const audio = openChannels([samples], OPTIONS.sampleRate, OPTIONS);
    expect(audio.facts).toMatchObject({ durationSeconds: 12.5, channels: 1, sampleRate: 16_000 });
    expectSame(await decodeAll(audio), samples);
    expect(() => audio.pieces()).toThrow(expect.objectContaining({ code: 'disposed' }));
  });

  it('mix and resample like a file of the same samples', async () => {
    const channels = [noise(44_100, 1), noise(44_100, 2)];
    const expected = await decode(buildWav(channels, { sampleRate: 44_100, format: 'float32' }));
    expect(await collect(openChannels(channels, 44_100, OPTIONS).pieces())).toEqual(expected);
  });

  it('reject invalid input', async () => {
    expect(() => openChannels([new Float32Array(0)], OPTIONS.sampleRate, OPTIONS)).toThrow(expect.objectContaining({ code: 'audio-no-samples' }));
    expect(() => openChannels([], 16_000, OPTIONS)).toThrow(expect.objectContaining({ code: 'audio-channels' }));
    const unequal = [new Float32Array(2), new Float32Array(3)];
    expect(() => openChannels(unequal, 16_000, OPTIONS)).toThrow(expect.objectContaining({ code: 'options' }));
    await expect(collect(openChannels([Float32Array.of(0, NaN)], OPTIONS.sampleRate, OPTIONS).pieces())).rejects.toMatchObject({
      code: 'audio-not-finite',
    });
  });

  it('can be read only once', () => {
    const audio = openChannels([noise(10)], OPTIONS.sampleRate, OPTIONS);
    audio.pieces();
    expect(() => audio.pieces()).toThrow(expect.objectContaining({ code: 'disposed' }));
  });
});

describe('close', () => {
  it('ends a partly read stream', async () => {
    const audio = openChannels([noise(500_000)], 44_100, OPTIONS);
    const pieces = audio.pieces();
    expect((await pieces.next()).done).toBe(false);
    audio.close();
    audio.close();
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
  });
});

describe('decoderFor', () => {
  it('returns `here` for WAV that this thread can read, and for empty files', async () => {
    expect(await decoderFor(buildWav([SIMPLE]))).toBe('here');
    expect(await decoderFor(new Blob([]))).toBe('here');
  });

  it('returns `unknown` for a file that no demuxer recognizes', async () => {
    expect(await decoderFor(new Blob(['text']))).toBe('unknown');
  });

  it('returns `page` for a WAV coding that only the browser may support', async () => {
    expect(await decoderFor(buildWav([SIMPLE], { declaredTag: 0x55 }))).toBe('page');
  });
});
