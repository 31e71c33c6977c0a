/** Three hours of MP3 at a variable bitrate, and a cancel in every stage. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '../../test/browser/test';
import { piecesOf, readClip, SAMPLE_RATE, silence, whole, writeWav, type Stretch } from '../../bench/scale/joined';
import { encodeVbrMp3 } from '../../bench/scale/vbrMp3';
import type { DiarizeOptions, Turn } from '../../src/index';
import { support, type Interval } from '../../src/score/intervals';
import { createDiarizer, openEngine } from '../../test/browser/engine';

const HOURS = 3600;
const DURATION_SECONDS = 3 * HOURS;
/**
 * In this time all that is laid over a recording comes around: the windows that `fast` embeds, 10 s apart, the model's
 * frames of 16.875 ms, and the file's of 36 ms. So the sound lies in each part as in a part alone, and what is near a
 * tie falls to the same side: whatever differs is the fault of the length.
 */
const PART_SECONDS = 270;
const PART_STARTS = [PART_SECONDS, DURATION_SECONDS / 2, DURATION_SECONDS - PART_SECONDS] as const;
const TOLERANCE_SECONDS = 0.05;
const MOST_CANCEL_MS = 300;

let folder: string;
/** The recording, one part of it alone, and that part as it was before it was coded. */
let files: { readonly long: string; readonly part: string; readonly wav: string };

test.beforeAll(async () => {
  test.setTimeout(120_000);
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  files = { long: join(folder, 'long.mp3'), part: join(folder, 'part.mp3'), wav: join(folder, 'part.wav') };
  const clip = await readClip('public/sample.wav');
  // The clip ends a second before the part, and so before the recording.
  const part = [silence(PART_SECONDS - 31), whole(clip), silence(1)];
  await writeWav(files.wav, part);
  await writeMp3(files.part, part);
  const long: Stretch[] = [];
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

/** At the sample's own rate, because a packet costs more time than its samples do. */
async function writeMp3(path: string, stretches: readonly Stretch[]): Promise<void> {
  const options = { sampleRate: SAMPLE_RATE, outputSampleRate: SAMPLE_RATE, quality: 0 } as const;
  writeFileSync(path, await encodeVbrMp3(piecesOf(stretches), options));
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
function turnsFrom(partStart: number, turns: readonly Turn[]): Interval[] {
  return turns
    .filter((turn) => isIn(partStart, turn))
    .map(({ startSeconds, endSeconds }) => ({ startSeconds: startSeconds - partStart, endSeconds: endSeconds - partStart }));
}

function expectSameTimes(actual: readonly Interval[], expected: readonly Interval[], where: string): void {
  expect(actual, where).toHaveLength(expected.length);
  const differences = actual.flatMap(({ startSeconds, endSeconds }, i) => [
    Math.abs(startSeconds - expected[i]!.startSeconds),
    Math.abs(endSeconds - expected[i]!.endSeconds),
  ]);
  console.log(`${where}: ${expected.length}, at most ${(1000 * Math.max(...differences)).toFixed(1)} ms off`);
  expect(Math.max(...differences), where).toBeLessThanOrEqual(TOLERANCE_SECONDS);
}

test('a 3 h VBR MP3: turns at its end are where they are in its last part alone', async ({ page }) => {
  test.setTimeout(300_000);
  await openEngine(page);
  await createDiarizer(page, { backend: 'wasm', preset: 'fast' });
  const alone = turnsFrom(0, (await diarize(page, files.part)).turns);
  expect(alone.length).toBeGreaterThan(8);
  // Not turn by turn: where two speakers tie, coding alone can decide for the other.
  const uncoded = turnsFrom(0, (await diarize(page, files.wav)).turns);
  expectSameTimes(support(alone), support(uncoded), 'stretches of speech in the MP3 of a part, and in its WAV');

  const [, , lastStart] = PART_STARTS;
  const end = await diarize(page, files.long, { startSeconds: lastStart });
  expect(end.durationSeconds).toBeCloseTo(PART_SECONDS, 3);
  expectSameTimes(turnsFrom(lastStart, end.turns), alone, 'turns of the last part, read from its start on');

  const { turns, durationSeconds } = await diarize(page, files.long);
  expect(durationSeconds).toBeCloseTo(DURATION_SECONDS, 3);
  expectSameTimes(turnsFrom(lastStart, turns), alone, 'turns of the last part of the whole');
  // Of the others only the voices: windows go on beyond their ends, and have a say in the last ten seconds.
  const voices = PART_STARTS.map((start) => new Set(turns.filter((turn) => isIn(start, turn)).map(({ speaker }) => speaker)));
  for (const heard of voices) expect(heard).toEqual(new Set(['SPEAKER_00', 'SPEAKER_01']));
});

/** Stages by when they are at work, as far as a cancel is concerned. */
interface CancelCase {
  readonly stage: 'decode' | 'segmentation' | 'embedding' | 'clustering';
  readonly file: () => string;
  readonly options: DiarizeOptions;
  /** The stage is at work after the first report of this one, or after the one that it is done; null: from the start. */
  readonly after: { readonly stage: string; readonly isDone: boolean } | null;
}

const SAMPLE = () => 'public/sample.wav';
const CANCEL_CASES: readonly CancelCase[] = [
  // The whole file is looked through for the place to start at.
  { stage: 'decode', file: () => files.long, options: { startSeconds: DURATION_SECONDS - PART_SECONDS }, after: null },
  { stage: 'segmentation', file: SAMPLE, options: {}, after: { stage: 'decode', isDone: false } },
  { stage: 'embedding', file: SAMPLE, options: { durationSeconds: 12 }, after: { stage: 'segmentation', isDone: true } },
  { stage: 'clustering', file: SAMPLE, options: { durationSeconds: 12 }, after: { stage: 'clustering', isDone: false } },
];

/** Lets the clustering, which on a short recording is over at once, keep its worker busy as that of a long one does. */
async function makeClusteringSlow(page: Page): Promise<void> {
  await page.route('**/clustering.worker-*.js', async (route) => {
    const response = await route.fetch();
    const wait = `addEventListener('message', ({ data }) => {
      if (data?.path?.[0] !== 'assemble') return;
      for (const end = performance.now() + 30_000; performance.now() < end; );
    });`;
    await route.fulfill({ response, body: `${wait}\n${await response.text()}` });
  });
}

/** Starts a run, cancels it, and says how that ended, and which stages were done or had reported anything before. */
function cancelledRun(page: Page, { options, after }: CancelCase) {
  return page.evaluate(
    async ([runOptions, wanted]) => {
      const { testDiarizer } = globalThis as unknown as { testDiarizer: typeof voxlane.Diarizer.prototype };
      const controller = new AbortController();
      const [reported, done] = [new Set<string>(), new Set<string>()];
      let ended: Promise<string> | undefined;
      await new Promise<void>((resolve) => {
        const run = testDiarizer.diarize(voxlane.chosenFile(), {
          ...runOptions,
          signal: controller.signal,
          onProgress: ({ stage, completed, total }) => {
            reported.add(stage);
            if (completed >= total) done.add(stage);
            if (stage === wanted?.stage && (done.has(stage) || !wanted.isDone)) resolve();
          },
        });
        ended = run.then(
          () => 'none',
          (error: unknown) => (error instanceof voxlane.VoxlaneError ? error.code : String(error)),
        );
        // One that fails on its way is not waited for.
        void ended.then(() => { resolve(); });
        if (!wanted) resolve();
      });
      // What was reported is handed on to the stage that is meant.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const before = { reported: [...reported], done: [...done] };
      const start = performance.now();
      controller.abort();
      return { code: await ended, milliseconds: performance.now() - start, ...before };
    },
    [options, after] as const,
  );
}

for (const cancelCase of CANCEL_CASES) {
  const { stage, file, after } = cancelCase;
  test(`cancel during ${stage} returns at once and ends the workers`, async ({ page }) => {
    if (stage === 'clustering') await makeClusteringSlow(page);
    await openEngine(page);
    await createDiarizer(page, { backend: 'wasm', preset: 'exact' });
    await page.setInputFiles('#file', file());
    expect(page.workers().length).toBeGreaterThanOrEqual(4);
    const { code, milliseconds, reported, done } = await cancelledRun(page, cancelCase);
    console.log(`cancel during ${stage}: ${milliseconds.toFixed(1)} ms`);
    // Otherwise it would not have been this stage that was cancelled.
    if (!after) expect(reported).toEqual([]);
    expect(done).not.toContain(stage);
    expect(code).toBe('cancelled');
    expect(milliseconds).toBeLessThanOrEqual(MOST_CANCEL_MS);
    // Only ended workers have stopped, and given back their memory.
    await expect.poll(() => page.workers().length).toBe(0);
  });
}
