import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileSha256, Hasher, isSameFile, stampOf } from './inputHash';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

/** Long after the tests write their files. */
const LATER_MS = Date.UTC(2200, 0);

test('the hash of a file of several blocks is the one of its bytes', async () => {
  const bytes = Buffer.alloc(3_000_001, 'voxlane');
  const path = join(folder, 'a.wav');
  writeFileSync(path, bytes);
  expect(await fileSha256(path)).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('a file has no stamp until its time stamps must change with its content', async () => {
  const path = join(folder, 'a.wav');
  writeFileSync(path, 'one');
  expect(await stampOf(path)).toBeNull();
  expect(isSameFile(await stampOf(path), await stampOf(path))).toBe(false);
  const before = await stampOf(path, LATER_MS);
  expect(isSameFile(before, await stampOf(path, LATER_MS))).toBe(true);
});

test('other content with the same size and modification time has another stamp', async () => {
  const path = join(folder, 'a.wav');
  writeFileSync(path, 'one');
  utimesSync(path, 1000, 1000);
  const before = await stampOf(path, LATER_MS);
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeFileSync(path, 'two');
  utimesSync(path, 1000, 1000);
  const after = await stampOf(path, LATER_MS);
  expect({ ...after, changedMs: 0 }).toEqual({ ...before, changedMs: 0 });
  expect(isSameFile(before, after)).toBe(false);
});

test('a changed file is hashed again', async () => {
  const path = join(folder, 'a.wav');
  const hasher = new Hasher();
  writeFileSync(path, 'one');
  const one = await hasher.hash(path);
  writeFileSync(path, 'two');
  expect((await hasher.hash(path)).sha256).not.toBe(one.sha256);
});

test('a missing file and a folder are errors with a code', async () => {
  await expect(new Hasher().hash(join(folder, 'none.wav'))).rejects.toMatchObject({ code: 'source-missing' });
  await expect(new Hasher().hash(folder)).rejects.toMatchObject({ code: 'audio-missing' });
});
