import { readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { decodeInstead, decodeOnPage } from './pageDecode';

const FIXTURES = new URL('../../e2e/fixtures/', import.meta.url);
const fixture = (name: string): Blob => new Blob([readFileSync(new URL(name, FIXTURES))]);

/** A decoder that returns a second of silence for any file. */
class FakeContext {
  constructor(_channels: number, _length: number, private readonly sampleRate: number) {}

  decodeAudioData(): Promise<Partial<AudioBuffer>> {
    const { sampleRate } = this;
    return Promise.resolve({ length: sampleRate, sampleRate, numberOfChannels: 1, getChannelData: () => new Float32Array(sampleRate) });
  }
}

afterEach(() => { vi.unstubAllGlobals(); });

it.each([
  ['sample.mp3', true],
  ['sample.m4a', true],
  ['sample.ogg', true],
  ['cases/mp3_two_files_joined_xing_of_first.mp3', false],
  ['cases/mp3_partial_download.mp3', false],
  ['cases/ogg_opus_chained_4s_4s.opus', false],
  ['cases/opus_page_missing_mid.opus', false],
  ['cases/aac_adts_starts_mid_frame.aac', false],
  ['cases/m4a_edit_list_keeps_0-2s_and_6-8s.m4a', false],
  ['cases/obs_silent_track1_speech_track2.mp4', true],
])('%s: whether it is one undamaged recording: %s', async (name, isPlain) => {
  vi.stubGlobal('OfflineAudioContext', FakeContext);
  expect(await decodeOnPage(fixture(name))).toMatchObject({ isPlain });
});

it.each([
  ['sample.mp3', 'page', []],
  ['sample.mp3', 'unknown', ['browser-decoder']],
  ['cases/mp3_partial_download.mp3', 'page', ['browser-decoder']],
] as const)('%s (%s): the notes are %j', async (name, place, codes) => {
  vi.stubGlobal('OfflineAudioContext', FakeContext);
  const decoded = await decodeInstead({ kind: 'file', blob: fixture(name) }, place);
  expect(decoded!.source.notes.map(({ code }) => code)).toEqual(codes);
});

it('a file that the browser cannot decode returns null; an empty file is an error', async () => {
  vi.stubGlobal('OfflineAudioContext', class {
    decodeAudioData(): Promise<never> {
      return Promise.reject(new DOMException('no', 'EncodingError'));
    }
  });
  expect(await decodeInstead({ kind: 'file', blob: fixture('sample.mp3') }, 'page')).toBeNull();
  await expect(decodeInstead({ kind: 'file', blob: new Blob([]) }, 'unknown')).rejects.toMatchObject({ code: 'audio-empty' });
});
