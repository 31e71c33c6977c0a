import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fixture } from '../../../test/audio/joined';
import { decoderFor, openAudio } from '../decode';
import { readMp3Padding, withoutMp3Padding } from './mp3';

const FIXTURE = new URL('../../../e2e/fixtures/sample.mp3', import.meta.url);

describe('readMp3Padding', () => {
  it('reads the tag written by LAME and FFmpeg', async () => {
    const file = new Blob([await readFile(FIXTURE)]);
    // 576 of the encoder and 529 of the decoder; 30 s at 44.1 kHz remain.
    expect(await readMp3Padding(file)).toMatchObject({ leading: 1105, length: 1_323_000 });
  });

  it('skips an ID3 tag', async () => {
    const id3 = Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0x02, 0x00, ...new Array<number>(256).fill(0xff));
    expect(await readMp3Padding(new Blob([id3, await readFile(FIXTURE)]))).toMatchObject({ leading: 1105 });
  });

  it('returns null if there is no such tag', async () => {
    const audio = (await readFile(FIXTURE)).subarray(20_000);
    expect(await readMp3Padding(new Blob([audio]))).toBeNull();
    expect(await readMp3Padding(new Blob(['text']))).toBeNull();
    expect(await readMp3Padding(new Blob([]))).toBeNull();
  });
});

describe('withoutMp3Padding', () => {
  const padding = { leading: 100, trailing: 20, length: 1000 };
  const decoded = (length: number): Float32Array => Float32Array.from({ length }, (_, index) => index);

  it('removes the padding that the decoder left before and after the audio', () => {
    const cut = withoutMp3Padding(decoded(1152), padding, 1);
    expect([cut[0], cut.length, cut.at(-1)]).toEqual([100, 1000, 1099]);
    // The whole buffer is transferred to a worker.
    expect(cut.buffer.byteLength).toBe(4 * 1000);
  });

  it('counts in decoded samples', () => {
    const cut = withoutMp3Padding(decoded(576), padding, 0.5);
    expect([cut[0], cut.length]).toEqual([50, 500]);
  });

  it('removes nothing if the decoder has removed the padding, or if the tag does not count the frames', () => {
    for (const [samples, given] of [[decoded(1000), padding], [decoded(1152), null], [decoded(1152), { ...padding, length: null }]] as const) {
      expect(withoutMp3Padding(samples, given, 1)).toBe(samples);
    }
  });
});

describe('a codec without a decoder in this thread', () => {
  it('is passed to the page, and rejected by openAudio', async () => {
    // Node has no WebCodecs.
    const file = fixture('sample.m4a');
    expect(await decoderFor(file)).toBe('page');
    await expect(openAudio(file, { sampleRate: 16_000 })).rejects.toMatchObject({ code: 'audio-unsupported' });
  });
});
