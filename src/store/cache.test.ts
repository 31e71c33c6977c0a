import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../util/hash';
import { ModelCache } from './cache';
import type { StoredModel } from './cacheTools';
import { blockedStorage, MemoryStorage } from '../../test/store/memory';
import { noiseBytes } from '../../test/store/modelServer';

const PIECE_BYTES = 1000;
const BYTES = noiseBytes(3500, 1);

const entryOf = async (id: string, bytes = BYTES, storedAt = 1): Promise<StoredModel> => ({
  id,
  file: 'model.onnx',
  bytes: bytes.length,
  sha256: await sha256Hex(bytes),
  license: 'MIT',
  storedAt,
  trusted: false,
});

/** Stores a file as a single visit would. */
async function keep(storage: MemoryStorage, entry: StoredModel, bytes = BYTES): ReturnType<typeof finish> {
  const file = new ModelCache(storage).file(entry.id, entry.sha256, entry.bytes);
  await file.write(bytes, bytes.length, null);
  return finish(file, entry);
}
const finish = (file: ReturnType<ModelCache['file']>, entry: StoredModel): ReturnType<typeof file.finish> =>
  file.finish(entry);

describe('a cached file', () => {
  test('is restored, and listed with the latest first', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const [older, newer] = [await entryOf('a', BYTES, 1), await entryOf('b', BYTES, 2)];
    expect(await keep(storage, older)).toEqual({ stored: true });
    expect(await keep(storage, newer)).toEqual({ stored: true });
    const visit = new ModelCache(storage);
    expect(await visit.list()).toEqual([newer, older]);
    expect(Buffer.from((await visit.read(older))!).equals(BYTES)).toBe(true);
  });

  test.each([
    ['a changed byte', (storage: MemoryStorage, name: string) => (storage.pieces.get(name)!.bytes[7]! ^= 1)],
    ['a missing piece', (storage: MemoryStorage, name: string) => storage.pieces.delete(name)],
    [
      'a short piece',
      (storage: MemoryStorage, name: string) => storage.pieces.set(name, { bytes: noiseBytes(10, 1), tag: null }),
    ],
  ])('with %s is not returned, and is deleted', async (_name, damage) => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const entry = await entryOf('a');
    await keep(storage, entry);
    damage(storage, `a/${entry.sha256}/2`);
    const visit = new ModelCache(storage);
    expect(await visit.read(entry)).toBeNull();
    expect(await visit.list()).toEqual([]);
    expect(storage.pieces.size).toBe(0);
  });

  test('whose index declares more memory than available, is deleted', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const entry = { ...(await entryOf('a')), bytes: 2 ** 52 };
    expect(await new ModelCache(storage).read(entry)).toBeNull();
  });

  test('is deleted by id, including unfinished files of the model, but no others', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    await keep(storage, await entryOf('a'));
    await keep(storage, await entryOf('ab'));
    const cache = new ModelCache(storage);
    await cache.file('a', 'f'.repeat(64), 9000).write(noiseBytes(9000, 2), 2500, null);
    expect(await cache.usage()).toMatchObject({ storedBytes: 7000, unfinishedBytes: 2000 });
    expect(await cache.delete('a')).toBe(true);
    expect((await cache.list()).map(({ id }) => id)).toEqual(['ab']);
    expect(await cache.usage()).toMatchObject({ storedBytes: 3500, unfinishedBytes: 0 });
  });
});

describe('a file during a download', () => {
  test('is not listed before it is complete, and is stored in complete pieces', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const { id, sha256, bytes } = await entryOf('a');
    await new ModelCache(storage).file(id, sha256, bytes).write(BYTES, 2999, '"x"');
    expect(await new ModelCache(storage).list()).toEqual([]);
    const buffer = new Uint8Array(bytes);
    const beginning = await new ModelCache(storage).file(id, sha256, bytes).read(buffer);
    expect(beginning).toEqual({ receivedBytes: 2000, tag: '"x"' });
    expect(Buffer.from(buffer.subarray(0, 2000)).equals(BYTES.subarray(0, 2000))).toBe(true);
  });

  test('starts with the pieces of only one version', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const { id, sha256, bytes } = await entryOf('a');
    await new ModelCache(storage).file(id, sha256, bytes).write(BYTES, 3000, '"x"');
    storage.pieces.set(`a/${sha256}/1`, { bytes: BYTES.slice(1000, 2000), tag: '"y"' });
    const beginning = await new ModelCache(storage).file(id, sha256, bytes).read(new Uint8Array(bytes));
    expect(beginning).toEqual({ receivedBytes: 1000, tag: '"x"' });
  });
});

describe('storage that fails', () => {
  test('is full: nothing is stored, not even the pieces that fitted, and the reason is reported', async () => {
    const storage = new MemoryStorage(PIECE_BYTES, 2500);
    const entry = await entryOf('a');
    expect(await keep(storage, entry)).toEqual({ stored: false, reason: 'the storage of this browser is full: it needs 3500 bytes, and there is room for 2500 bytes' });
    expect(storage.pieces.size).toBe(0);
    expect(await new ModelCache(storage).list()).toEqual([]);
  });

  test('is blocked: everything works as with empty storage', async () => {
    const cache = new ModelCache(blockedStorage);
    const entry = await entryOf('a');
    expect(await cache.list()).toEqual([]);
    expect(await cache.read(entry)).toBeNull();
    expect(await cache.delete('a')).toBe(false);
    expect(await cache.persist()).toBe(false);
    expect(await cache.usage()).toEqual({ storedBytes: 0, unfinishedBytes: 0, quotaBytes: null, persisted: false });
    const file = cache.file('a', entry.sha256, entry.bytes);
    await file.write(BYTES, BYTES.length, null);
    expect(await file.finish(entry)).toMatchObject({ stored: false });
  });
});
