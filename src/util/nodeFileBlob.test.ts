import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFileBlob } from './nodeFileBlob';
import { itUnless } from '../../test/skips';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-blob-'));
  path = join(folder, 'large.bin');
});
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

const SIZE = 5 * 2 ** 30;

/** Sparse: it takes no space on the disk. */
async function writeLarge(): Promise<void> {
  writeFileSync(path, 'start');
  truncateSync(path, SIZE);
  const file = await open(path, 'r+');
  await file.write('middle', SIZE - 2 ** 30);
  await file.write('end', SIZE - 3);
  await file.close();
}

itUnless(process.platform === 'win32' && 'Windows stores a file with gaps in full')('a file of more than 4 GiB has its size, and is read anywhere', async () => {
  await writeLarge();
  const blob = await openFileBlob(path);
  expect(blob).toBeInstanceOf(Blob);
  expect(blob.size).toBe(SIZE);
  expect(await blob.slice(0, 5).text()).toBe('start');
  expect(await blob.slice(-3).text()).toBe('end');
  const late = blob.slice(SIZE - 2 ** 30);
  expect(late.size).toBe(2 ** 30);
  expect(await late.slice(0, 6).text()).toBe('middle');
  const reader = late.stream().getReader();
  const { value } = await reader.read();
  await reader.cancel();
  expect(Buffer.from(value!.subarray(0, 6)).toString()).toBe('middle');
  expect(await blob.slice(3, 3).text()).toBe('');
  expect(await new Response(blob.slice(SIZE, SIZE + 9).stream()).text()).toBe('');
  truncateSync(path, 100);
  await expect(blob.slice(-3).arrayBuffer()).rejects.toThrow('shorter');
});

it('a smaller file is a Blob of Node', async () => {
  writeFileSync(path, 'all');
  expect(await (await openFileBlob(path)).text()).toBe('all');
  await expect(openFileBlob(join(folder, 'none'))).rejects.toThrow('ENOENT');
});
