import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isSilentFile, SILENT_PEAK } from './silence';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

/** A WAV file of two seconds, 16 kHz and 16 bits: silence, with one sample at 1.5 s. */
function wav(name: string, sample: number): string {
  const bytes = Buffer.alloc(44 + 64_000);
  bytes.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
  bytes.writeUInt32LE(36 + 64_000, 4);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(16_000, 24);
  bytes.writeUInt32LE(32_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(64_000, 40);
  bytes.writeInt16LE(Math.round(sample * 32_768), 44 + 48_000);
  const path = join(folder, name);
  writeFileSync(path, bytes);
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
