import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ModelCache } from './cache';
import { diskShelf, hostCacheTools } from './nodeCacheTools';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  process.env.VOXLANE_CACHE = folder;
});

afterEach(() => {
  delete process.env.VOXLANE_CACHE;
  rmSync(folder, { recursive: true, force: true });
});

const BYTES = Uint8Array.of(1, 2, 3);
/** SHA-256 of {@link BYTES}. */
const SHA256 = '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81';

it('a stored model is read back by another process, and is gone after it was deleted', async () => {
  const cache = new ModelCache(hostCacheTools());
  const kept = cache.file('net', SHA256, BYTES.length);
  await diskShelf.put(`net/${SHA256}/0`, { bytes: BYTES, tag: '"v1"' });
  await hostCacheTools().index.set(`net/${SHA256}`, { id: 'net', file: 'net.onnx', bytes: 3, sha256: SHA256, license: 'MIT', storedAt: 1, trusted: false });
  expect(kept).toBeDefined();
  const other = new ModelCache(hostCacheTools());
  const [stored] = await other.list();
  expect(await other.read(stored!)).toEqual(BYTES);
  expect((await diskShelf.get(`net/${SHA256}/0`))?.tag).toBe('"v1"');
  expect(await diskShelf.list()).toEqual([{ name: `net/${SHA256}/0`, bytes: 3 }]);
  expect(await other.delete('net')).toBe(true);
  expect(await other.list()).toEqual([]);
  expect(await diskShelf.list()).toEqual([]);
});

it('temporary files of a killed process are deleted when they are old, and never listed', async () => {
  await diskShelf.put('net/a/0', { bytes: BYTES, tag: null });
  const place = join(folder, 'models/pieces/net/a');
  for (const name of ['1.77-0.tmp', '2.77-1.tmp']) writeFileSync(join(place, name), 'half');
  utimesSync(join(place, '1.77-0.tmp'), 1, 1);
  expect(await diskShelf.names()).toEqual(['net/a/0']);
  expect(readdirSync(place).toSorted()).toEqual(['0', '2.77-1.tmp']);
});

it('a deletion in a folder that cannot be read fails, and is not reported as done', async () => {
  writeFileSync(join(folder, 'models'), 'a file in place of the folder');
  expect(await new ModelCache(hostCacheTools()).list()).toEqual([]);
  expect(await new ModelCache(hostCacheTools()).delete('net')).toBe(false);
});

it('a folder that cannot be written rejects, and leaves no temporary file', async () => {
  writeFileSync(join(folder, 'models'), 'a file in place of the folder');
  await expect(diskShelf.put('net/a/0', { bytes: BYTES, tag: null })).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(['models']);
});
