import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { needsPageDecoder, openAudio } from './decode';
import { readMp3Padding } from './mp3Gapless';

const FIXTURE = new URL('../../e2e/fixtures/sample.mp3', import.meta.url);

describe('readMp3Padding', () => {
  it('reads the tag that LAME and FFmpeg write', async () => {
    const file = new Blob([await readFile(FIXTURE)]);
    // 576 of the encoder and 529 of the decoder; 30 s at 44.1 kHz remain.
    expect(await readMp3Padding(file)).toMatchObject({ leading: 1105, length: 1_323_000 });
  });

  it('passes over an ID3 tag', async () => {
    const id3 = Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0x02, 0x00, ...new Array<number>(256).fill(0xff));
    expect(await readMp3Padding(new Blob([id3, await readFile(FIXTURE)]))).toMatchObject({ leading: 1105 });
  });

  it('gives nothing where there is no such tag', async () => {
    const audio = (await readFile(FIXTURE)).subarray(20_000);
    expect(await readMp3Padding(new Blob([audio]))).toBeNull();
    expect(await readMp3Padding(new Blob(['text']))).toBeNull();
    expect(await readMp3Padding(new Blob([]))).toBeNull();
  });
});

describe('a codec without a decoder in this thread', () => {
  it('is left to the page, and refused by openAudio', async () => {
    // Node has no WebCodecs.
    const file = new Blob([await readFile(FIXTURE)]);
    expect(await needsPageDecoder(file)).toBe(true);
    await expect(openAudio(file, { sampleRate: 16_000 })).rejects.toMatchObject({ code: 'audio-unsupported' });
  });
});
