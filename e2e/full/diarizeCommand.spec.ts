/** The command line as a separate process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { parseRttm } from '../../src/formats/rttm';
import { runCommand } from '../../test/browser/command';
import type { DiarizationJson } from '../../test/browser/engine';

const diarize = (...args: string[]) => runCommand('diarize', ...args);

let folder: string;
test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
});
test.afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('RTTM on standard output, progress and backend on standard error', async () => {
  const { code, stdout, stderr } = await diarize('public/sample.wav', '--backend', 'wasm');
  expect(code).toBe(0);
  expect(parseRttm(stdout).get('sample')).toHaveLength(11);
  expect(stderr).toMatch(/embedding 50 %/);
  expect(stderr).toMatch(/WASM, \d+ threads/);
});

test('JSON of a segment, with times of the whole recording', async () => {
  const { code, stdout } = await diarize('public/sample.wav', '--backend', 'wasm', '--format', 'json', '--start', '14', '--duration', '9', '--speakers', '2');
  expect(code).toBe(0);
  const json = JSON.parse(stdout) as DiarizationJson;
  expect(json).toMatchObject({ file: 'sample.wav', durationSeconds: 9, backend: { name: 'wasm', adapter: null } });
  expect(json.speakers).toHaveLength(2);
  for (const { startSeconds, endSeconds } of [...json.turns, ...json.exclusiveTurns]) {
    expect(startSeconds).toBeGreaterThanOrEqual(14);
    expect(endSeconds).toBeLessThanOrEqual(23.1);
  }
  expect(Object.keys(json.timings)).toEqual(
    expect.arrayContaining(['decode', 'segmentation', 'fbank', 'embedding', 'counting', 'clustering', 'reconstruction']),
  );
});

test('an unreachable minimum number of speakers is reported in JSON and on standard error', async () => {
  // A recording of four seconds cannot have 200 speakers.
  const { code, stdout, stderr } = await diarize('public/sample.wav', '--backend', 'wasm', '--format', 'json', '--start', '7', '--duration', '4', '--min-speakers', '200');
  expect(code).toBe(0);
  const { speakerCount, speakers } = JSON.parse(stdout) as DiarizationJson & { speakerCount: { value: number; unmet: unknown } };
  expect(speakerCount).toMatchObject({ value: speakers.length, unmet: { minSpeakers: 200, maxSpeakers: null } });
  expect(stderr).toContain(`requested at least 200 speakers, found ${speakers.length}`);
});

test('invalid arguments cause a one-line error', async () => {
  for (const args of [[], ['a.wav', '--backend', 'cuda'], ['a.wav', '--speakers', 'two'], ['a.wav', '--unknown']]) {
    const { code, stdout, stderr } = await diarize(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  }
  const { code, stdout } = await diarize('--help');
  expect(code).toBe(0);
  expect(stdout).toContain('--backend');
});

test('a bad file does not affect other files and is reflected in the exit status', async () => {
  const bad = join(folder, 'bad.wav');
  writeFileSync(bad, 'RIFF');
  const { code, stderr } = await diarize(bad, 'public/sample.wav', join(folder, 'absent.wav'), '--backend', 'wasm', '--start', '7', '--duration', '8', '--out', folder, '--exclusive');
  expect(code).toBe(1);
  const failures = stderr.split('\n').filter((line) => line.startsWith('voxlane: '));
  expect(failures).toHaveLength(2);
  const rttm = readFileSync(join(folder, 'sample.exclusive.rttm'), 'utf8');
  const turns = parseRttm(rttm).get('sample')!;
  expect(turns.length).toBeGreaterThan(2);
  turns.slice(1).forEach((turn, index) => {
    // RTTM rounds times to milliseconds.
    expect(turn.startSeconds).toBeGreaterThanOrEqual(turns[index]!.endSeconds - 0.002);
  });
});
