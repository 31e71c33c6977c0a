/** The error rates of a folder of recordings on the command line, with the engine for Node. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EvaluationJson } from '../../cli/evaluate/report';
import { runCommand } from '../browser/command';

test('computes the figures of the sample and returns the same ones from the cache', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  for (const name of ['sample.wav', 'sample.rttm']) copyFileSync(join('public', name), join(folder, name));
  const evaluate = (...args: string[]) => runCommand('evaluate', folder, '--json', '--cache', join(folder, 'cache'), ...args);
  const first = await evaluate('--peer');
  expect(first.code, first.stderr).toBe(0);
  const { recordings, total } = JSON.parse(first.stdout) as EvaluationJson;
  const [row] = recordings;
  expect(recordings).toHaveLength(1);
  expect(row).toMatchObject({ name: 'sample', durationSeconds: 30, speakersFound: 2, speakersThere: 2, peer: { speakersFound: 2 } });
  // Measured: 5.28 %. Four frames of the sample's 24 s of speech are 0.3 points.
  expect(row!.der).toBeLessThanOrEqual(0.055);
  expect(Math.abs(row!.der - row!.floorDer!)).toBeLessThan(0.005);
  expect(total.der).toBeCloseTo(row!.der, 12);

  const again = await evaluate('--peer');
  expect(again.stdout).toBe(first.stdout);
  const pyannote = JSON.parse((await evaluate('--clustering', 'pyannote-3.1')).stdout) as EvaluationJson;
  expect(pyannote.recordings[0]!.numTurns).toBe(13);

  // An unreadable file does not affect the others.
  writeFileSync(join(folder, 'broken.wav'), 'RIFF');
  copyFileSync('public/sample.rttm', join(folder, 'broken.rttm'));
  const partly = await evaluate();
  expect(partly.code).toBe(1);
  expect(partly.stderr).toContain('broken.wav');
  expect((JSON.parse(partly.stdout) as EvaluationJson).recordings.map(({ name }) => name)).toEqual(['sample']);
  rmSync(folder, { recursive: true });
}, 600_000);
