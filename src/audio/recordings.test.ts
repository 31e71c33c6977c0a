/** Joined WAV files, WAV files with wrong headers, and invalid options. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concatenate } from '../util/values';
import { collect, noise } from '../../test/audio/collect';
import { buildWav } from '../../test/audio/wav';
import { openAudio, type OpenAudio } from './decode';
import { readWavHeader } from './wavHeader';

const OPTIONS = { sampleRate: 16_000 };
const CASES = new URL('../../e2e/fixtures/cases/', import.meta.url);
const caseFile = (name: string): Blob => new Blob([readFileSync(new URL(name, CASES))]);

async function read(audio: OpenAudio): Promise<{ samples: Float32Array; notes: string[] }> {
  return { samples: await collect(audio.pieces()), notes: audio.notes().map(({ code }) => code) };
}

describe('WAV files of the cases', () => {
  const PLAIN = 65_536;

  it.each([
    ['wav_placeholder_2000000000_pocket_tts.wav', 'size-ignored'],
    ['wav_data_22_bytes_too_long.wav', 'cut-off'],
  ])('%s: all samples, and a note', async (name, note) => {
    const { samples, notes } = await read(await openAudio(caseFile(name), OPTIONS));
    expect(samples.length).toBe(PLAIN);
    expect(notes).toEqual([note]);
  });

  it('stereo_phase_inverted.wav: one of the channels', async () => {
    const audio = await openAudio(caseFile('stereo_phase_inverted.wav'), OPTIONS);
    const { samples, notes } = await read(audio);
    expect(notes).toEqual(['channels-cancel']);
    expect(samples.some((value) => Math.abs(value) > 0.1)).toBe(true);
  });

  it('wav_ima_adpcm.wav: rejected with the codec name', async () => {
    await expect(openAudio(caseFile('wav_ima_adpcm.wav'), OPTIONS)).rejects.toMatchObject({
      code: 'audio-unsupported',
      problem: expect.stringContaining('IMA ADPCM') as string,
      remedy: expect.stringContaining('ffmpeg') as string,
    });
  });

  it('a plain file has no notes', async () => {
    expect((await read(await openAudio(buildWav([noise(100)]), OPTIONS))).notes).toEqual([]);
  });
});

describe('the size in the header of a stream', () => {
  const samples = Float32Array.from({ length: 1000 }, (_, i) => ((i % 200) - 100) / 128);

  it.each([1e9, 2e9, 0x7fff_ff00, 0xffff_ffff - 36, 0x7fff_ffff - 44])('%i bytes: a placeholder if the file ends with a complete sample', async (declaredDataBytes) => {
    const file = buildWav([samples, samples], { declaredDataBytes, declaredRiffBytes: declaredDataBytes + 36 });
    const result = await read(await openAudio(file, OPTIONS));
    expect(result.samples).toEqual(samples);
    expect(result.notes).toEqual(['size-ignored']);
    await expect(openAudio(file.slice(0, file.size - 1), OPTIONS)).rejects.toMatchObject({ code: 'audio-truncated' });
  });

  it('must be correct if it is smaller', async () => {
    const file = buildWav([samples], { declaredDataBytes: 1e8 });
    await expect(openAudio(file, OPTIONS)).rejects.toMatchObject({ code: 'audio-truncated' });
  });

  it('may be a quarter of a second too large for a long file', async () => {
    const long = noise(160_000);
    const file = buildWav([long]);
    expect((await read(await openAudio(file.slice(0, file.size - 2 * 4000), OPTIONS))).notes).toEqual(['cut-off']);
    await expect(openAudio(file.slice(0, file.size - 2 * 4001), OPTIONS)).rejects.toMatchObject({ code: 'audio-truncated' });
  });
});

/** Simulates a file that does not fit into memory. */
class FileOfThrees extends Blob {
  readonly #start: Blob;
  readonly #size: number;

  constructor(start: Blob, size: number) {
    super();
    [this.#start, this.#size] = [start, size];
  }

  override get size(): number {
    return this.#size;
  }

  override slice(from = 0, to = this.#size): Blob {
    const end = Math.min(to, this.#size);
    return new Blob([this.#start.slice(from, end), new Uint8Array(end - Math.max(from, Math.min(end, this.#start.size))).fill(3)]);
  }
}

describe('a declared size smaller than the audio', () => {
  const samples = Float32Array.from({ length: 1000 }, (_, i) => ((i % 200) - 100) / 128);
  const whole = buildWav([samples]);

  it('is ignored if the outer size covers the file: a recorder did not update it', async () => {
    const file = buildWav([samples], { declaredDataBytes: 500, declaredRiffBytes: whole.size - 8 });
    expect(await read(await openAudio(file, OPTIONS))).toEqual({ samples, notes: ['size-ignored'] });
  });

  it('is ignored if the file exceeds 32 bits', async () => {
    const start = buildWav([samples], { declaredDataBytes: 1000, declaredRiffBytes: 1036 });
    const { heldFrames, ignoredBytes } = await readWavHeader(new FileOfThrees(start, 44 + 2 ** 32));
    expect({ heldFrames, ignoredBytes }).toEqual({ heldFrames: 2 ** 31, ignoredBytes: 1000 });
  });

  it('applies if the rest is outside the outer size, and the rest has a note', async () => {
    const audio = await openAudio(new Blob([whole, '<html>error 502</html>']), OPTIONS);
    expect(await read(audio)).toEqual({ samples, notes: ['bytes-skipped'] });
    expect(audio.notes()).toMatchObject([{ amount: 22, atSeconds: 0.0625 }]);
  });

  it.each([
    ['chunks', new Blob(['LIST\u0004\0\0\0INFO', 'bext\u0010\0\0\0', new Uint8Array(16)])],
    ['a truncated chunk', new Blob(['LIST\u0040\0\0\0INFO1234'])],
    ['zeros', new Blob([new Uint8Array(5000)])],
    ['an ID3 tag', new Blob(['TAG', new Uint8Array(125)])],
  ])('applies if %s follow, without a note', async (_, rest) => {
    expect(await read(await openAudio(new Blob([whole, rest]), OPTIONS))).toEqual({ samples, notes: [] });
  });

  it('a second chunk of samples has a note', async () => {
    const second = new Blob(['LIST\u0004\0\0\0INFO', 'data\u0000\u0001\0\0', new Uint8Array(256).fill(9)]);
    expect(await read(await openAudio(new Blob([whole, second]), OPTIONS))).toEqual({ samples, notes: ['bytes-skipped'] });
  });
});

it('the bytes per second and the bits overrule a wrong block size', async () => {
  const samples = Float32Array.from({ length: 1000 }, (_, i) => ((i % 200) - 100) / 128);
  const bytes = new DataView(await buildWav([samples]).arrayBuffer());
  bytes.setUint16(32, 4, true);
  expect((await read(await openAudio(new Blob([bytes]), OPTIONS))).samples).toEqual(samples);
});

describe('joined WAV files', () => {
  const parts = [noise(4000, 1), noise(3000, 2), noise(5000, 3)];
  const files = parts.map((samples) => buildWav([samples], { format: 'float32' }));
  const joined = new Blob(files);

  it('are read consecutively', async () => {
    const audio = await openAudio(joined, OPTIONS);
    expect(await read(audio)).toEqual({ samples: concatenate(parts), notes: ['joined'] });
    expect(audio.notes()).toMatchObject([{ amount: 3 }]);
  });

  it.each([[0, 0.1], [0.2, 0.2], [0.3, 0.3], [0.5, 9]])('return the same segment as the whole, from %d s for %d s', async (startSeconds, durationSeconds) => {
    const { samples } = await read(await openAudio(joined, { ...OPTIONS, startSeconds, durationSeconds }));
    const start = startSeconds * 16_000;
    expect(samples).toEqual(concatenate(parts).slice(start, start + durationSeconds * 16_000));
  });

  it('may differ in rate and channels', async () => {
    const second = buildWav([noise(4800, 4), noise(4800, 5)], { sampleRate: 48_000 });
    const { samples } = await read(await openAudio(new Blob([files[0]!, second, files[2]!]), OPTIONS));
    expect(samples.length).toBe(4000 + 1600 + 5000);
    expect(samples.subarray(0, 4000)).toEqual(parts[0]);
    expect(samples.subarray(5600)).toEqual(parts[2]);
  });

  it('are found after other chunks and odd lengths', async () => {
    const odd = buildWav([noise(4001)], { format: 'int8' });
    const list = new Blob([Uint8Array.of(0x4c, 0x49, 0x53, 0x54, 4, 0, 0, 0, 1, 2, 3, 4)]);
    for (const file of [new Blob([odd, files[1]!]), new Blob([odd.slice(0, odd.size - 1), files[1]!]), new Blob([odd, list, files[1]!])]) {
      expect((await read(await openAudio(file, OPTIONS))).samples.length).toBe(4001 + 3000);
    }
  });

  it('are found after foreign bytes', async () => {
    const junk = Uint8Array.from({ length: 333 }, (_, i) => (i * 37 + 11) % 251);
    const { samples, notes } = await read(await openAudio(new Blob([files[0]!, junk, files[1]!]), OPTIONS));
    expect(samples).toEqual(concatenate(parts.slice(0, 2)));
    expect(notes).toEqual(['joined', 'bytes-skipped']);
  });

  it.each([0, 2e9, 0x7fff_ffff, 0xffff_ffff])('are found if their headers declare a placeholder of %i bytes', async (declaredDataBytes) => {
    const streamed = parts.map((samples) => buildWav([samples], { format: 'float32', declaredDataBytes, declaredRiffBytes: declaredDataBytes }));
    const { samples, notes } = await read(await openAudio(new Blob(streamed), OPTIONS));
    expect(samples).toEqual(concatenate(parts));
    expect(notes).toContain('joined');
  });

  it('can be read up to the time in the error if the last file is truncated', async () => {
    const cut = joined.slice(0, joined.size - 4 * 2500);
    await expect(collect((await openAudio(cut, OPTIONS)).pieces())).rejects.toMatchObject({
      code: 'audio-truncated',
      problem: 'The WAV header declares 0.750 s, but the file contains 0.594 s',
      remedy: expect.stringContaining('only the part up to 0.593 s') as string,
    });
    const { samples } = await read(await openAudio(cut, { ...OPTIONS, durationSeconds: 0.593 }));
    expect(samples).toEqual(concatenate(parts).slice(0, 0.593 * 16_000));
  });

  it('are rejected if the segment starts beyond their end', async () => {
    const audio = await openAudio(joined, { ...OPTIONS, startSeconds: 2 });
    await expect(collect(audio.pieces())).rejects.toMatchObject({ code: 'options' });
  });
});

describe('invalid values', () => {
  it.each([1, 999, 768_001])('a rate of %i Hz is rejected', async (sampleRate) => {
    await expect(openAudio(buildWav([noise(100)], { sampleRate }), OPTIONS)).rejects.toMatchObject({ code: 'audio-unsupported' });
  });

  it.each([0, 2, 1.5])('track %d of a WAV file is rejected', async (track) => {
    await expect(openAudio(buildWav([noise(100)]), { ...OPTIONS, track })).rejects.toMatchObject({ code: 'options' });
  });
});
