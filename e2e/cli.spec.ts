/** The command line as a separate process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { parseRttm } from '../src/formats/rttm';
import { runCommand } from '../test/browser/command';

const diarize = (...args: string[]) => runCommand('diarize', ...args);

let folder: string;
test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
});
test.afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
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
