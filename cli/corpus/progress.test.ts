import { expect, test } from 'vitest';
import { duration, type FinishedFile, Progress, summaryLines } from './progress';

const DONE: FinishedFile = { id: 'talk', status: 'done', plannedSeconds: 3600, audioSeconds: 3600.04, speakers: 3, seconds: 40.06, attempts: 1, residentBytes: 1 };
const FAILED: FinishedFile = { ...DONE, id: 'bad', status: 'failed', audioSeconds: null, speakers: null, text: 'The file is not supported.', code: 'audio-unsupported' };

/** A run over 10 hours in 10 files, 2 of which are done already; the clock starts at 0. */
function progressAt() {
  const clock = { ms: 0 };
  return { clock, progress: new Progress({ files: 10, seconds: 36_000 }, { files: 2, seconds: 7200 }, () => clock.ms) };
}

test('each file has a line with its position, length, speakers and time', () => {
  const { progress } = progressAt();
  expect(progress.add(DONE)).toBe('[3/10] talk: 3600.0 s, 3 speakers, 40.1 s');
  expect(progress.add({ ...DONE, speakers: 1, text: 'A note.' })).toBe('[4/10] talk: 3600.0 s, 1 speaker, 40.1 s: A note');
  expect(progress.add(FAILED)).toBe('[5/10] bad: failed: The file is not supported');
});

test('the remaining time follows from the audio of this run, not of earlier ones', () => {
  const { clock, progress } = progressAt();
  expect(progress.secondsLeft()).toBeNull();
  // The engine starts for half a minute.
  clock.ms = 30_000;
  progress.begin();
  clock.ms = 90_000;
  progress.add(DONE);
  // One hour in a minute; seven hours are left.
  expect(progress.secondsLeft()).toBe(420);
  expect(progress.line()).toBe('3.00 h of 10.00 h of audio, 60.0 hours of audio per hour, about 7 min left');
  expect(progress.state()).toEqual({ finishedFiles: 3, files: 10, finishedAudioSeconds: 10_800, totalAudioSeconds: 36_000, secondsLeft: 420 });
});

test('lines about the whole run are at least half a minute apart', () => {
  const { clock, progress } = progressAt();
  const lines = [10, 29, 31, 50, 62].map((seconds) => {
    clock.ms = seconds * 1000;
    progress.add(DONE);
    return progress.line() !== null;
  });
  expect(lines).toEqual([false, false, true, false, true]);
});

test.each([
  [0.2, '1 s'],
  [89, '89 s'],
  [100, '2 min'],
  [12_000, '3 h 20 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('the summary counts files and lists the failed ones, at most twenty', () => {
  expect(summaryLines([DONE, FAILED], 2, 5, 61, 'x/failures')).toEqual([
    '3 of 5 files are done, 2 of them before this run, 1 failed, 1 not processed; 1.00 h of audio in 61 s',
    'failed: bad: The file is not supported',
  ]);
  const many = Array.from({ length: 25 }, () => FAILED);
  expect(summaryLines(many, 0, 25, 61, 'x/failures').at(-1)).toBe('and 5 more; all are in x/failures');
});
