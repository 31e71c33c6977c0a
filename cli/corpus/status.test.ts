import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeFinishedCorpus } from '../../test/corpus/finishedCorpus';
import { corpusFiles, type Lease } from './layout';
import { readStatus, recentRate } from './readStatus';
import { statusText } from './status';

let folder: string;
const NOW_MS = 2_000_000;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-status-'));
  writeFinishedCorpus(folder);
});

function lease(id: string, changes: Partial<Lease>): void {
  mkdirSync(corpusFiles(folder).running, { recursive: true });
  writeFileSync(corpusFiles(folder).lease(id), JSON.stringify({ pid: process.pid, host: hostname(), shard: 0, startedMs: NOW_MS, ...changes }));
}

describe('the status', () => {
  test('of a finished run has every error in the table', async () => {
    const status = await readStatus(folder, NOW_MS);
    expect(status).toMatchObject({ numEntries: 7, numDone: 6, numSilent: 1, numFailed: 1, numRunning: 0, numRemaining: 0, numRefused: 1, secondsLeft: 0 });
    expect(status.errors).toEqual([
      { kind: 'audio-decode', count: 1, example: { name: 'broken', problem: 'The audio cannot be read after 1.000 s' }, fix: 'Convert the file' },
      { kind: 'missing', count: 1, example: { name: '/corpus/absent.wav', problem: 'The file does not exist' }, fix: expect.stringContaining('Correct the path') as string },
    ]);
    expect(statusText(status)).toBe(
      [
        '6 of 7 done (1 silent), 0 running, 1 failed, 0 left, 1 refused by the plan',
        '0.06 h of 0.06 h of audio',
        '36.9 hours of audio per hour',
        '',
        '     1  audio-decode  broken: The audio cannot be read after 1.000 s',
        '                      fix: Convert the file',
        '     1  missing       /corpus/absent.wav: The file does not exist',
        '                      fix: Correct the path; relative paths are relative to the manifest',
        '',
      ].join('\n'),
    );
  });

  test('of an unfinished run estimates the time left', async () => {
    rmSync(corpusFiles(folder).result('meeting'));
    rmSync(corpusFiles(folder).result('call-30.000-35.500'));
    lease('meeting', {});
    const status = await readStatus(folder, NOW_MS);
    expect(status).toMatchObject({ numDone: 4, numRunning: 1, numRemaining: 1, audioSecondsLeft: 205.5, audioSecondsDone: 16 });
    // 16 s of audio in the 6 s until the last result.
    expect(status.audioHoursPerHour).toBeCloseTo(16 / 6, 6);
    expect(status.secondsLeft).toBeCloseTo(205.5 / (16 / 6), 6);
    expect(statusText(status)).toContain('2 min left\n');
  });

  test('before the first result has no rate', async () => {
    for (const name of ['results', 'failures']) rmSync(join(folder, name), { recursive: true });
    const status = await readStatus(folder, NOW_MS);
    expect(status).toMatchObject({ numDone: 0, numRemaining: 7, audioHoursPerHour: null, secondsLeft: null, lastFinishedMs: null });
  });

  test('does not count the leases of killed processes', async () => {
    for (const id of ['meeting', 'a-x', 'b-x']) rmSync(corpusFiles(folder).result(id));
    lease('meeting', { pid: 2 ** 22 + 1 });
    lease('a-x', { host: 'other' });
    lease('b-x', { host: 'other', startedMs: NOW_MS - 7 * 3600 * 1000 });
    expect(await readStatus(folder, NOW_MS)).toMatchObject({ numRunning: 1, numRemaining: 2 });
  });

  test('needs a plan', async () => {
    await expect(readStatus(join(folder, 'absent'), NOW_MS)).rejects.toThrow(/has no plan\.json/);
  });
});

describe('the rate', () => {
  const file = (finishedSeconds: number, seconds: number, audioSeconds: number) => ({ finishedMs: 1000 * finishedSeconds, seconds, audioSeconds });

  test('adds up what several workers do at the same time', () => {
    expect(recentRate([file(100, 10, 200), file(100, 10, 100)])).toBeCloseTo(30, 6);
    expect(recentRate([])).toBeNull();
  });

  test('covers the last 15 minutes, with a part of the files that reach into them', () => {
    expect(recentRate([file(100, 100, 1e6), file(2000, 900, 9000), file(2000, 1800, 1800)])).toBeCloseTo((9000 + 900) / 900, 6);
  });
});
