/** 18 minutes of MP3 with variable bitrate, and cancellation in every stage. `bench:scale` runs three hours. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '../../test/browser/test';
import { piecesOf, readClip, SAMPLE_RATE, silence, whole, writeWav, type ClipSegment } from '../../bench/scale/joined';
import { encodeVbrMp3 } from '../../bench/scale/vbrMp3';
import type { DiarizeOptions, Turn } from '../../src/index';
import { support } from '../../src/score/segments';
import type { Segment } from '../../src/util/segment';
import { cancelCases, cancelRun, makeClusteringEndless, startUntilStage } from '../../test/browser/cancel';
import { createDiarizer, openEngine } from '../../test/browser/engine';

/** A multiple of twice {@link PART_SECONDS}, see there. */
const DURATION_SECONDS = 18 * 60;
/**
 * A common multiple of all periods: windows embedded by `fast` (10 s), model frames (16.875 ms) and MP3 frames (36 ms). The
 * audio therefore has the same alignment in each part as in a single part, and near ties are resolved in the same way. Any
 * difference is due to the length.
 */
const PART_SECONDS = 270;
const PART_STARTS = [PART_SECONDS, DURATION_SECONDS / 2, DURATION_SECONDS - PART_SECONDS] as const;
const TOLERANCE_SECONDS = 0.05;

let folder: string;
/** The recording, a single part of it, and that part before encoding. */
let files: { readonly long: string; readonly part: string; readonly wav: string };

test.beforeAll(async () => {
  test.setTimeout(120_000);
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  files = { long: join(folder, 'long.mp3'), part: join(folder, 'part.mp3'), wav: join(folder, 'part.wav') };
  const clip = await readClip('public/sample.wav');
  // The clip ends one second before the end of the part and of the recording.
  const part = [silence(PART_SECONDS - 31), whole(clip), silence(1)];
  await writeWav(files.wav, part);
  await writeMp3(files.part, part);
  const long: ClipSegment[] = [];
  let endSeconds = 0;
  for (const start of PART_STARTS) {
    long.push(silence(start - endSeconds), ...part);
    endSeconds = start + PART_SECONDS;
  }
  await writeMp3(files.long, long);
});

test.afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Encodes at the sample rate of the sample, because packets cost more time than samples. */
async function writeMp3(path: string, segments: readonly ClipSegment[]): Promise<void> {
  const options = { sampleRate: SAMPLE_RATE, outputSampleRate: SAMPLE_RATE, quality: 0 } as const;
  writeFileSync(path, await encodeVbrMp3(piecesOf(segments), options));
}

async function diarize(page: Page, path: string, options: DiarizeOptions = {}) {
  await page.setInputFiles('#file', path);
  return page.evaluate(async (runOptions) => {
    const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
    const { turns, durationSeconds } = await testDiarizer.diarize(voxlane.chosenFile(), runOptions);
    return { turns, durationSeconds };
  }, options);
}

const isIn = (partStart: number, { startSeconds }: Turn): boolean =>
  startSeconds >= partStart && startSeconds < partStart + PART_SECONDS;

/** The turns of one part, from its start. */
function turnsFrom(partStart: number, turns: readonly Turn[]): Segment[] {
  return turns
    .filter((turn) => isIn(partStart, turn))
    .map(({ startSeconds, endSeconds }) => ({ startSeconds: startSeconds - partStart, endSeconds: endSeconds - partStart }));
}

function expectSameTimes(actual: readonly Segment[], expected: readonly Segment[], where: string): void {
  expect(actual, where).toHaveLength(expected.length);
  const differences = actual.flatMap(({ startSeconds, endSeconds }, i) => [
    Math.abs(startSeconds - expected[i]!.startSeconds),
    Math.abs(endSeconds - expected[i]!.endSeconds),
  ]);
  console.log(`${where}: ${expected.length}, at most ${(1000 * Math.max(...differences)).toFixed(1)} ms off`);
  expect(Math.max(...differences), where).toBeLessThanOrEqual(TOLERANCE_SECONDS);
}

test('a long VBR MP3: turns at its end match those of its last part alone', async ({ page }) => {
  test.setTimeout(300_000);
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm', preset: 'fast' });
  const alone = turnsFrom(0, (await diarize(page, files.part)).turns);
  expect(alone.length).toBeGreaterThan(8);
  // Compare speech, not turns, because encoding can resolve ties between speakers differently.
  const uncoded = turnsFrom(0, (await diarize(page, files.wav)).turns);
  expectSameTimes(support(alone), support(uncoded), 'segments of speech in the MP3 of a part, and in its WAV');

  const [, , lastStart] = PART_STARTS;
  const end = await diarize(page, files.long, { startSeconds: lastStart });
  expect(end.durationSeconds).toBeCloseTo(PART_SECONDS, 3);
  expectSameTimes(turnsFrom(lastStart, end.turns), alone, 'turns of the last part, read from its start on');

  const { turns, durationSeconds } = await diarize(page, files.long);
  expect(durationSeconds).toBeCloseTo(DURATION_SECONDS, 3);
  expectSameTimes(turnsFrom(lastStart, turns), alone, 'turns of the last part of the whole');
  // For the other parts, compare only the speakers, because windows extend beyond their ends and affect the last ten seconds.
  const voices = PART_STARTS.map((start) => new Set(turns.filter((turn) => isIn(start, turn)).map(({ speaker }) => speaker)));
  for (const heard of voices) expect(heard).toEqual(new Set(['SPEAKER_00', 'SPEAKER_01']));
});

for (const cancelCase of cancelCases(DURATION_SECONDS - PART_SECONDS)) {
  const { stage, recording, after } = cancelCase;
  test(`canceling during ${stage} does not wait for it and ends the workers`, async ({ page }) => {
    // Canceling only returns if it does not wait for the stage.
    if (stage === 'clustering') await makeClusteringEndless(page);
    await openEngine(page);
    await page.setInputFiles('#file', recording === 'long' ? files.long : 'public/sample.wav');
    const { reported, done } = await startUntilStage(page, cancelCase, { backend: 'wasm', preset: 'exact' });
    expect(page.workers().length).toBeGreaterThanOrEqual(4);
    // Otherwise, a different stage would have been canceled.
    if (!after) expect(reported).toEqual([]);
    expect(done).not.toContain(stage);
    expect(await cancelRun(page)).toBe('cancelled');
    // Only terminated workers stop and release their memory.
    await expect.poll(() => page.workers().length).toBe(0);
  });
}
