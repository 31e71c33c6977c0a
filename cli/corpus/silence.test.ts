import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wavFile } from '../../test/corpus/makeCorpus';
import { isSilentFile, SILENT_PEAK } from './silence';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

/** Two seconds of silence, with one sample at 1.5 s. */
function wav(name: string, sample: number): string {
  const data = Buffer.alloc(64_000);
  data.writeInt16LE(Math.round(sample * 32_768), 48_000);
  const path = join(folder, name);
  writeFileSync(path, wavFile(data));
  return path;
}

test('a file is silent if no sample exceeds the level', async () => {
  expect(await isSilentFile(wav('zero.wav', 0), {})).toBe(true);
  expect(await isSilentFile(wav('low.wav', 0.9 * SILENT_PEAK), {})).toBe(true);
  expect(await isSilentFile(wav('high.wav', -1.2 * SILENT_PEAK), {})).toBe(false);
});

test('only the analyzed segment counts', async () => {
  const path = wav('late.wav', 0.5);
  expect(await isSilentFile(path, { startSeconds: 0, durationSeconds: 1 })).toBe(true);
  expect(await isSilentFile(path, { startSeconds: 1 })).toBe(false);
});

test('the level of a file that cannot be decoded is unknown', async () => {
  const path = join(folder, 'text.wav');
  writeFileSync(path, 'not audio');
  expect(await isSilentFile(path, {})).toBeNull();
  expect(await isSilentFile(join(folder, 'none.wav'), {})).toBeNull();
});
