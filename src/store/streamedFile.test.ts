import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { blockedStorage, hastyTools, memoryLocks, MemoryStorage } from '../../test/store/memory';
import { cutAfter, ModelServer, noiseBytes, stallAfter, whole } from '../../test/store/modelServer';
import { sha256Hex } from '../util/hash';
import { ModelCache } from './cache';
import type { CacheTools, StoredModel } from './cacheTools';
import type { DownloadProgress } from './download';
import { type GetModelOptions, ModelStore } from './modelStore';
import type { AcceptedFile } from './sources';

const PIECE_BYTES = 40_000;
const BYTES = noiseBytes(150_000, 1);
const OTHER = noiseBytes(150_000, 2);

let server: ModelServer;
let accepted: AcceptedFile;
beforeAll(async () => {
  server = await ModelServer.open({ bytes: BYTES, tag: '"one"' });
  const hub = { repository: 'owner/model', revision: 'e'.repeat(40), file: 'm.bin' };
  accepted = { name: 'm.bin', bytes: BYTES.length, license: 'MIT', sha256: await sha256Hex(BYTES), hub };
});
afterEach(() => {
  server.reset();
  server.served = { bytes: BYTES, tag: '"one"' };
});
afterAll(() => server.close());

const store = (tools: CacheTools, withLock = memoryLocks()): ModelStore =>
  new ModelStore({ cache: new ModelCache(tools), downloads: hastyTools(), withLock });
const storeModel = (tools: CacheTools, options: Partial<GetModelOptions> = {}, withLock = memoryLocks()): Promise<StoredModel> =>
  store(tools, withLock).storeModel('m', [accepted], { base: 'http://base.invalid/', hub: server.address, ...options });

async function expectStored(storage: MemoryStorage): Promise<void> {
  const [entry] = await new ModelCache(storage).list();
  expect(entry).toMatchObject({ id: 'm', file: 'm.bin', bytes: BYTES.length, sha256: accepted.sha256, license: 'MIT', trusted: false });
  const source = (await new ModelCache(storage).open(entry!))!;
  expect(Buffer.from(await source.read(0, BYTES.length)).equals(BYTES)).toBe(true);
  expect(Array.from(storage.pieces.values(), ({ bytes }) => bytes.length)).toEqual([40_000, 40_000, 40_000, 30_000]);
}

describe('a file that is stored while it is downloaded', () => {
  test('is complete, and returned by getModel without a request', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const progress: DownloadProgress[] = [];
    await storeModel(storage, { onProgress: (one) => progress.push(one) });
    await expectStored(storage);
    expect(progress.at(-1)).toEqual({ receivedBytes: BYTES.length, totalBytes: BYTES.length });
    const { bytes, origin } = await store(storage).getModel('m', [accepted], { base: 'http://base.invalid/', hub: server.address });
    expect(origin).toBe('cache');
    expect(Buffer.from(bytes).equals(BYTES)).toBe(true);
    expect(server.asked).toEqual([0]);
  });

  test('leaves no piece in memory that could be stored', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    const abort = new AbortController();
    server.script.push(stallAfter(130_000));
    const seen: number[] = [];
    const onProgress = ({ receivedBytes }: DownloadProgress): void => {
      seen.push(storage.pieces.size);
      if (receivedBytes === 130_000) abort.abort();
    };
    await expect(storeModel(storage, { signal: abort.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
    expect(storage.pieces.size).toBe(3);
    // Chunks of the connection are smaller than the file, so pieces are stored in between.
    expect(Math.max(...seen)).toBeGreaterThan(0);
    expect(await new ModelCache(storage).list()).toEqual([]);
    await storeModel(storage);
    expect(server.asked).toEqual([0, 120_000]);
    await expectStored(storage);
  });

  test('resumes within a visit and keeps a download that getModel began', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    await new ModelCache(storage).file('m', accepted.sha256, accepted.bytes).write(BYTES, 45_000, '"one"');
    server.script.push(cutAfter(50_000));
    await storeModel(storage);
    expect(server.asked).toEqual([40_000, 90_000]);
    await expectStored(storage);
  });

  test('starts again if the file has changed on the server', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    await new ModelCache(storage).file('m', accepted.sha256, accepted.bytes).write(OTHER, 80_000, '"older"');
    await storeModel(storage);
    expect(server.asked).toEqual([80_000, 0]);
    await expectStored(storage);
  });

  test('starts again if a stored piece is damaged', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    await new ModelCache(storage).file('m', accepted.sha256, accepted.bytes).write(OTHER, 80_000, '"one"');
    await storeModel(storage);
    expect(server.asked).toEqual([80_000, 0]);
    await expectStored(storage);
  });

  test('needs no request if all pieces were stored before the page was closed', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    await new ModelCache(storage).file('m', accepted.sha256, accepted.bytes).write(BYTES, BYTES.length, '"one"');
    await storeModel(storage);
    expect(server.asked).toEqual([]);
    await expectStored(storage);
  });

  test('is refused if the server has other bytes', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    server.served = { bytes: OTHER, tag: null };
    await expect(storeModel(storage)).rejects.toMatchObject({ code: 'model-altered' });
    expect([storage.pieces.size, storage.entries.size]).toEqual([0, 0]);
  });

  test.each([0, 40_000, 80_000, 120_000])('keeps only whole pieces for the next call if the storage has room for %i bytes', async (room) => {
    const storage = new MemoryStorage(PIECE_BYTES, room);
    await expect(storeModel(storage)).rejects.toMatchObject({ code: 'storage', problem: `The file m.bin could not be stored, because the storage of this browser is full: it needs 150000 bytes, and there is room for ${room} bytes` });
    expect([storage.pieces.size * PIECE_BYTES, storage.entries.size]).toEqual([room, 0]);
    storage.roomBytes = Infinity;
    await storeModel(storage);
    expect(server.asked).toEqual([0, room]);
    await expectStored(storage);
  });

  test('is refused by blocked storage after the first piece', async () => {
    await expect(storeModel(blockedStorage)).rejects.toMatchObject({ code: 'storage' });
    expect(server.asked).toEqual([0]);
  });

  test('is downloaded once by two tabs', async () => {
    const [storage, withLock] = [new MemoryStorage(PIECE_BYTES), memoryLocks()];
    server.script.push(cutAfter(60_000), whole);
    await Promise.all([storeModel(storage, {}, withLock), storeModel(storage, {}, withLock)]);
    expect(server.asked).toEqual([0, 60_000]);
    await expectStored(storage);
  });
});
