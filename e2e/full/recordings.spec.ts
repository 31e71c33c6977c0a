/** Joined, damaged and unusual recordings: duration, turn times, and notes. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import type { ErrorCode, RecordingNoteCode } from '../../src/index';
import { clipOf } from '../../test/audio/joined';
import { READ_CASES, REJECTED_CASES } from '../../test/audio/recordingCases';
import { expect, test } from '../../test/browser/engine';

const CASES = 'e2e/fixtures/cases/';

interface Outcome {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly durationSeconds: number;
  readonly notes: { code: RecordingNoteCode; text: string; atSeconds: number | null; amount: number | null }[];
  readonly tracks: { number: number; isRead: boolean }[];
  readonly turns: { startSeconds: number; endSeconds: number; speaker: string }[];
}

async function diarize(page: Page, path: string, options: { track?: number } = {}): Promise<Outcome> {
  await page.setInputFiles('#file', path);
  return page.evaluate(async (runOptions) => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    try {
      const { durationSeconds, notes, tracks, turns } = await testDiarizer.diarize(voxlane.chosenFile(), runOptions);
      return { code: null, message: '', durationSeconds, notes: [...notes], tracks: [...tracks], turns: [...turns] };
    } catch (error) {
      if (!(error instanceof voxlane.VoxlaneError)) throw error;
      return { code: error.code, message: error.message, durationSeconds: 0, notes: [], tracks: [], turns: [] };
    }
  }, options);
}

/** A page of one second is missing at 14 s. Granules are 6.5 ms behind the clock. */
const HOLE = { atSeconds: expect.closeTo(14, 1) as unknown, amount: expect.closeTo(1, 1) as unknown };

for (const [file, seconds, ...notes] of READ_CASES) {
  test(`${file} is read to its end`, async ({ engine }) => {
    const outcome = await diarize(engine.page, CASES + file);
    expect(outcome).toMatchObject({ code: null, message: '' });
    expect(outcome.notes.map(({ code }) => code)).toEqual(notes);
    if (file === 'opus_page_missing_mid.opus') expect(outcome.notes).toMatchObject([HOLE]);
    // The listed durations are rounded to 10 ms, and decoders can differ by half a frame of MP3 or AAC.
    expect(Math.abs(outcome.durationSeconds - seconds)).toBeLessThan(0.05);
    if (file !== 'obs_silent_track1_speech_track2.mp4') expect(outcome.turns.length).toBeGreaterThan(0);
  });
}

/**
 * Time shift of half-second segments relative to the plain WAV in seconds, up to 0.2 s. Only decodes.
 */
async function shifts(page: Page, path: string, times: readonly number[]): Promise<number[]> {
  await page.setInputFiles('#file', [path]);
  return shiftsOfChosen(page, times.map((time) => [time, time]));
}

/** @param places pairs of times in the file and in the sample, in seconds */
async function shiftsOfChosen(page: Page, places: readonly (readonly [found: number, plain: number])[]): Promise<number[]> {
  return page.evaluate(async (starts) => {
    const comparator = new voxlane.Comparator();
    const read = async (source: Blob): Promise<Float32Array> =>
      (await comparator.layer({ model: 'segmentation-3.0', stage: 'decode', source, startSeconds: 0 }, 'wasm')).data;
    const found = await read(voxlane.chosenFile());
    const plain = await read(await (await fetch('sample.wav')).blob());
    comparator.dispose();
    const correlation = (start: number, from: number, lag: number): number => {
      let [sum, energy] = [0, 1e-9];
      for (let i = 0; i < 8000; i++) {
        const value = found[start + i + lag] ?? 0;
        sum += value * plain[from + i]!;
        energy += value * value;
      }
      return sum / Math.sqrt(energy);
    };
    return starts.map((seconds) => {
      const [start, from] = seconds.map((time) => Math.round(time * 16_000)) as [number, number];
      let [best, most] = [0, -Infinity];
      for (let lag = -3200; lag <= 3200; lag += 2) {
        const value = correlation(start, from, lag);
        if (value > most) [best, most] = [lag, value];
      }
      return best / 16_000;
    });
  }, places);
}

test('a missing page does not shift the audio around it', async ({ engine }) => {
  const path = `${CASES}opus_page_missing_mid.opus`;
  // 10 ms: the decoder delay of 6.5 ms, which it drops again after the gap, plus the resolution of the search.
  for (const shift of await shifts(engine.page, path, [7.5, 10, 13, 15.5, 18, 22, 27])) expect(Math.abs(shift)).toBeLessThan(0.01);
});

for (const container of ['mp3', 'adts', 'ogg-opus', 'ogg-vorbis', 'webm', 'mp4'] as const) {
  test(`${container}: three joined clips follow each other without a gap`, async ({ engine }) => {
    const clips = [await clipOf(container, 7, 9), await clipOf(container, 12, 13), await clipOf(container, 20, 23)];
    const bytes = Buffer.concat(await Promise.all(clips.map(async ({ file }) => Buffer.from(await file.arrayBuffer()))));
    await engine.page.setInputFiles('#file', { name: 'joined', mimeType: '', buffer: bytes });
    const [first, second] = clips.map(({ seconds }) => seconds) as [number, number];
    const places = [[0.7, 7.7], [first + 0.2, 12.2], [first + second + 1, 21]] as const;
    const found = await shiftsOfChosen(engine.page, places);
    // Encoder delay: padding in MP3 and AAC frames, and at most one packet per cut.
    for (const shift of found) expect(Math.abs(shift), found.join()).toBeLessThan(0.05);
  });
}

test('turns have the same times as in the plain WAV file of the same audio', async ({ engine }) => {
  const plain = await diarize(engine.page, `${CASES}wav_placeholder_2000000000_pocket_tts.wav`);
  for (const file of ['wav_data_22_bytes_too_long.wav', 'flac_in_ogg.ogg']) {
    const { turns } = await diarize(engine.page, CASES + file);
    expect(turns.map(({ speaker }) => speaker)).toEqual(plain.turns.map(({ speaker }) => speaker));
    turns.forEach(({ startSeconds, endSeconds }, i) => {
      expect(Math.abs(startSeconds - plain.turns[i]!.startSeconds)).toBeLessThan(0.05);
      expect(Math.abs(endSeconds - plain.turns[i]!.endSeconds)).toBeLessThan(0.05);
    });
  }
});

test('the track option selects another track', async ({ engine }) => {
  const path = `${CASES}obs_silent_track1_speech_track2.mp4`;
  const second = await diarize(engine.page, path, { track: 2 });
  expect(second.tracks).toMatchObject([{ number: 1, isRead: false }, { number: 2, isRead: true }]);
  expect(second.turns.length).toBeGreaterThan(0);
  expect(await diarize(engine.page, path, { track: 3 })).toMatchObject({ code: 'options', message: expect.stringContaining('2 audio tracks') });
});

for (const [file, codec] of REJECTED_CASES) {
  test(`${file} is rejected with the name of its codec`, async ({ engine }) => {
    const outcome = await diarize(engine.page, CASES + file);
    expect(outcome.code).toBe('audio-unsupported');
    expect(outcome.message).toContain(codec);
    expect(outcome.message).toContain('ffmpeg');
  });
}

test('a WAV file at 1 Hz is rejected', async ({ engine }) => {
  const bytes = readFileSync('public/sample.wav');
  bytes.writeUInt32LE(1, 24);
  await engine.page.setInputFiles('#file', { name: '1hz.wav', mimeType: 'audio/wav', buffer: bytes });
  const code = await engine.page.evaluate(async () => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    return testDiarizer.diarize(voxlane.chosenFile()).then(() => 'none', (error: unknown) => (error as { code: string }).code);
  });
  expect(code).toBe('audio-unsupported');
});
