import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ByteReader } from './byteReader';
import { findParts, partsOfFrames } from './fileParts';
import type { FrameRun } from './frames';
import { MP3_FRAMES } from './mp3';
import { readEdits } from './mp4';

const CASES = new URL('../../../e2e/fixtures/cases/', import.meta.url);
const FIXTURES = new URL('../../../e2e/fixtures/', import.meta.url);

const caseFile = (name: string): Blob => new Blob([readFileSync(new URL(name, CASES))]);
const fixture = (name: string): Blob => new Blob([readFileSync(new URL(name, FIXTURES))]);
const codes = async (file: Blob): Promise<string[]> => (await findParts(file, 1)).notes.map(({ code }) => code);

/** Lengths of the parts in seconds, to the millisecond. */
async function lengths(file: Blob): Promise<(number | null)[]> {
  const { parts } = await findParts(file, 1);
  return parts.map(({ durationSeconds }) => durationSeconds && Math.round(durationSeconds * 1000) / 1000);
}

describe('MP3', () => {
  it('reads beyond the end that the tag of the first file declares', async () => {
    const file = caseFile('mp3_two_files_joined_xing_of_first.mp3');
    // 232 frames of 36 ms, minus 1105 samples of padding at 16 kHz, as decoded by FFmpeg.
    expect(await lengths(file)).toEqual([8.283]);
    expect((await findParts(file, 1)).notes).toMatchObject([{ code: 'joined', amount: 2 }]);
  });

  it('splits where the channels change', async () => {
    const file = caseFile('mp3_mono_then_stereo.mp3');
    expect(await lengths(file)).toEqual([4.127, 4.127]);
    expect(await codes(file)).toEqual(['joined']);
  });

  it('reports the place of a brief change of the coding', () => {
    const run = (coding: string, start: number, frames: number): FrameRun => ({ coding, sampleRate: 16_000, ranges: [[start, start + 144 * frames]], samples: 576 * frames });
    const layout = { runs: [run('mono', 0, 100), run('stereo', 14_400, 2), run('mono', 14_688, 100)], firstTag: null, skipped: [], missingBytes: 0, tags: 0 };
    const { notes } = partsOfFrames(new Blob([new Uint8Array(29_088)]), MP3_FRAMES, layout, null);
    expect(notes.at(-1)).toMatchObject({ code: 'bytes-skipped', amount: 288, atSeconds: expect.closeTo(3.6, 6) as number });
  });

  it('notes that the tag counts more frames than there are', async () => {
    const { parts } = await findParts(caseFile('mp3_partial_download.mp3'), 1);
    // The tag's 116 frames are 4.176 s, of which 69 ms are padding.
    expect(parts).toMatchObject([{ cutOff: expect.closeTo(4.107, 3) as number }]);
  });

  it('does not change an undamaged file', async () => {
    const file = fixture('sample.mp3');
    const { parts, notes } = await findParts(file, 1);
    expect(notes).toEqual([]);
    expect(parts).toHaveLength(1);
    expect(parts[0]).toMatchObject({ segments: [file], padding: { leading: 1105, length: 1_323_000 } });
    expect(parts[0]!.cutOff).toBeUndefined();
  });
});

describe('ADTS', () => {
  it('continues after foreign bytes between frames', async () => {
    const file = caseFile('aac_adts_two_zero_bytes_in_the_middle.aac');
    // 129 of 130 frames of 1024 samples at 16 kHz. The zeros replace the sync word of one frame.
    expect(await lengths(file)).toEqual([8.256]);
    expect((await findParts(file, 1)).notes).toMatchObject([{ code: 'bytes-skipped', amount: 510, atSeconds: expect.closeTo(4.16, 3) as number }]);
  });

  it('starts with the first complete frame', async () => {
    const file = caseFile('aac_adts_starts_mid_frame.aac');
    expect(await lengths(file)).toEqual([8.064]);
    expect((await findParts(file, 1)).notes).toMatchObject([{ code: 'bytes-skipped', amount: 258, atSeconds: 0 }]);
  });
});

describe('Ogg', () => {
  it('reads every link of a chain', async () => {
    const file = caseFile('ogg_opus_chained_4s_4s.opus');
    expect(await lengths(file)).toEqual([4.096, 4.096]);
    expect(await codes(file)).toEqual(['joined']);
  });

  it('splits at a missing page and keeps the clock', async () => {
    const { parts, notes } = await findParts(caseFile('opus_page_missing_mid.opus'), 1);
    expect(notes).toEqual([]);
    expect(parts).toHaveLength(1);
    expect(parts[0]!.segments).toHaveLength(2);
    expect(parts[0]!.durationSeconds).toBeCloseTo(30, 2);
  });

  it.each([['flac_in_ogg.ogg', 'FLAC'], ['speex.spx', 'Speex']])('reports the name of an unsupported codec: %s', async (name, codec) => {
    expect((await findParts(caseFile(name), 1)).unreadableCodec).toBe(codec);
  });

  it('does not change an undamaged file', async () => {
    const file = fixture('sample.ogg');
    expect(await findParts(file, 1)).toMatchObject({ parts: [{ segments: [file] }], notes: [] });
  });
});

describe('MP4 and WebM', () => {
  it('reads all edits, with their positions on the player\'s clock', async () => {
    const reader = new ByteReader(caseFile('m4a_edit_list_keeps_0-2s_and_6-8s.m4a'));
    expect(await readEdits(reader, 1)).toEqual([
      { startSeconds: 0, durationSeconds: 2, mediaSeconds: 0.064 },
      { startSeconds: 2, durationSeconds: 2, mediaSeconds: 6.064 },
    ]);
    expect(await readEdits(reader, 2)).toBeNull();
  });

  it('treats an edit of duration 0 as the rest of the media only if it is the last', async () => {
    const bytes = readFileSync(new URL('m4a_edit_list_keeps_0-2s_and_6-8s.m4a', CASES));
    // The list's name, version, and number of entries come before the first duration; an entry has 12 bytes.
    const first = bytes.indexOf('elst') + 12;
    bytes.writeUInt32BE(0, first);
    expect(await readEdits(new ByteReader(new Blob([bytes])), 1)).toEqual([
      { startSeconds: 0, durationSeconds: 0, mediaSeconds: 0.064 },
      { startSeconds: 0, durationSeconds: 2, mediaSeconds: 6.064 },
    ]);
    bytes.writeUInt32BE(0, first + 12);
    expect(await readEdits(new ByteReader(new Blob([bytes])), 1)).toMatchObject([{}, { startSeconds: 0, durationSeconds: Infinity }]);
  });

  it.each(['sample.mp4', 'sample.m4a', 'sample.webm', 'sample.flac'])('does not change an undamaged file: %s', async (name) => {
    const file = fixture(name);
    const { parts, notes } = await findParts(file, 1);
    expect(notes).toEqual([]);
    expect(parts).toEqual([{ segments: [file], durationSeconds: null }]);
  });

  it.each(['sample.mp4', 'sample.m4a', 'sample.webm', 'sample.flac'])('splits a file joined with itself: %s', async (name) => {
    const file = fixture(name);
    const { parts, notes } = await findParts(new Blob([file, file, file]), 1);
    expect(parts.map(({ segments }) => segments.map(({ size }) => size))).toEqual([[file.size], [file.size], [file.size]]);
    expect(notes).toMatchObject([{ code: 'joined', amount: 3 }]);
  });

  it('notes that a WebM file is truncated', async () => {
    const file = fixture('sample.webm');
    expect((await findParts(file.slice(0, 50_000), 1)).parts).toMatchObject([{ cutOff: null }]);
  });
});

it('passes a file of tags without a frame to the demuxer', async () => {
  const source = new Blob(['\nID3OggSID3']);
  expect(await findParts(source, 1)).toEqual({ parts: [{ segments: [source], durationSeconds: null }], notes: [], unreadableCodec: null });
});
