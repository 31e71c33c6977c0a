import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { sha256Hex } from '../util/hash';
import { ModelCache } from './cache';
import type { CacheTools } from './cacheTools';
import { type GetModelOptions, type ModelFile, ModelStore, withBrowserLock } from './modelStore';
import type { AcceptedFile } from './sources';
import { blockedStorage, hastyTools, memoryLocks, MemoryStorage } from '../../test/store/memory';
import { cutAfter, ModelServer, noiseBytes, stallAfter, status, whole } from '../../test/store/modelServer';

const PIECE_BYTES = 40_000;
const BYTES = noiseBytes(150_000, 1);
const OTHER = noiseBytes(120_000, 2);
const HUB = { repository: 'owner/model', revision: 'e'.repeat(40) };

let server: ModelServer;
let [first, second] = [] as unknown as [AcceptedFile, AcceptedFile];
beforeAll(async () => {
  server = await ModelServer.open({ bytes: BYTES, tag: null });
  const [bytes, license] = [BYTES.length, 'CC-BY-4.0'];
  first = { name: 'first.onnx', bytes, license, sha256: await sha256Hex(BYTES), hub: { ...HUB, file: 'first.onnx' } };
  second = { name: 'second.onnx', bytes: OTHER.length, license, sha256: await sha256Hex(OTHER), hub: { ...HUB, file: 'b.onnx' } };
});
afterEach(() => {
  vi.unstubAllGlobals();
  server.reset();
  server.served = { bytes: BYTES, tag: null };
});
afterAll(() => server.close());

/** A new visit with this storage. */
const visit = (tools: CacheTools, withLock = memoryLocks()): ModelStore =>
  new ModelStore({ cache: new ModelCache(tools), downloads: hastyTools(), withLock });

const emptyStorage = (): MemoryStorage => new MemoryStorage(PIECE_BYTES);

const get = (store: ModelStore, options: Partial<GetModelOptions> = {}): Promise<ModelFile> =>
  store.getModel('m', [first, second], { base: 'http://base.invalid/', hub: server.address, ...options });

const servesOther = (): void => {
  server.served = { bytes: OTHER, tag: null };
};

describe('a model of the hub', () => {
  test('is fetched once, and cached', async () => {
    const storage = emptyStorage();
    const { bytes, ...facts } = await get(visit(storage));
    expect(Buffer.from(bytes).equals(BYTES)).toBe(true);
    const { sha256, name: file, license } = first;
    expect(facts).toEqual({ sha256, file, license, origin: 'network', unknown: false, stored: true, note: null });
    expect(server.paths).toEqual([`/owner/model/resolve/${HUB.revision}/first.onnx`]);

    const again = await get(visit(storage));
    expect(again).toMatchObject({ ...facts, origin: 'cache' });
    expect(Buffer.from(again.bytes).equals(BYTES)).toBe(true);
    expect(server.paths).toHaveLength(1);
    expect(await visit(storage).find('m', [first])).toMatchObject({ file, sha256, license, trusted: false });
    expect(await visit(storage).find('m', [second])).toBeNull();
  });

  test('that was interrupted is known at the next visit by the bytes that are here', async () => {
    const storage = emptyStorage();
    const received = (): Promise<number> => visit(storage).receivedBytes('m', [first, second]);
    expect(await received()).toBe(0);
    server.script.push(stallAfter(90_000));
    const abort = new AbortController();
    const onProgress = ({ receivedBytes }: { readonly receivedBytes: number }): void => { if (receivedBytes === 90_000) abort.abort(); };
    await expect(get(visit(storage), { signal: abort.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
    // Whole pieces.
    await vi.waitFor(async () => { expect(await received()).toBe(2 * PIECE_BYTES); });
    expect(await visit(storage).receivedBytes('other', [first, second])).toBe(0);
    expect(await visit(blockedStorage).receivedBytes('m', [first, second])).toBe(0);
    await get(visit(storage));
    expect(await received()).toBe(0);
  });

  test('that was damaged between visits is fetched again, with a note', async () => {
    const storage = emptyStorage();
    await get(visit(storage));
    storage.pieces.get(`m/${first.sha256}/1`)!.bytes[5]! ^= 4;
    const { origin, note, bytes } = await get(visit(storage));
    expect(origin).toBe('network');
    expect(note).toBe('The cached file first.onnx was damaged and has been deleted');
    expect(Buffer.from(bytes).equals(BYTES)).toBe(true);
    expect((await get(visit(storage))).origin).toBe('cache');
  });

  test('that was damaged, and cannot be fetched again: the error says both', async () => {
    const storage = emptyStorage();
    await get(visit(storage));
    storage.pieces.get(`m/${first.sha256}/1`)!.bytes[5]! ^= 4;
    server.script.push(status(404), status(404));
    await expect(get(visit(storage))).rejects.toMatchObject({
      code: 'model-missing',
      problem: expect.stringMatching(/^The cached file first\.onnx was damaged and has been deleted\. .*404/) as string,
    });
    // The next error is about the download only.
    server.script.push(status(404), status(404));
    await expect(get(visit(storage))).rejects.toMatchObject({ problem: expect.not.stringContaining('damaged') as string });
  });

  test.each([
    ['full', () => new MemoryStorage(PIECE_BYTES, 100_000)],
    ['blocked', () => blockedStorage],
  ])('is returned if storage is %s, with a note', async (_name, makeStorage) => {
    const storage = makeStorage();
    const { bytes, stored, note } = await get(visit(storage));
    expect(Buffer.from(bytes).equals(BYTES)).toBe(true);
    expect(stored).toBe(false);
    expect(note).toMatch(/^The model is not cached for the next visit, because /);
    expect((await get(visit(storage))).origin).toBe('network');
  });

  test('resumes on the next visit after a canceled download', async () => {
    const storage = emptyStorage();
    server.script.push(stallAfter(90_000));
    const abort = new AbortController();
    const onProgress: GetModelOptions['onProgress'] = ({ receivedBytes }) => {
      if (receivedBytes === 90_000) abort.abort();
    };
    await expect(get(visit(storage), { signal: abort.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await visit(storage).find('m', [first, second])).toBeNull();
    expect((await get(visit(storage))).origin).toBe('network');
    expect(server.asked).toEqual([0, 80_000]);
  });

  test('comes from the next accepted file if the first is missing or altered', async () => {
    for (const answer of [status(404), whole]) {
      servesOther();
      server.script.push(answer);
      const { sha256, file } = await get(visit(emptyStorage()));
      expect({ sha256, file }).toEqual({ sha256: second.sha256, file: 'second.onnx' });
    }
  });

  test('whose files are all missing: the failure of the preferred one', async () => {
    server.script.push(status(404), status(410));
    const failure = { code: 'model-missing', problem: expect.stringContaining('404') as string };
    await expect(get(visit(emptyStorage()))).rejects.toMatchObject(failure);
  });

  test('that has no address: a typed error, and no request', async () => {
    const { name, bytes, sha256, license } = first;
    const unaddressed = { name, bytes, sha256, license };
    const got = visit(emptyStorage()).getModel('m', [unaddressed], { base: server.address });
    await expect(got).rejects.toMatchObject({ code: 'model-missing' });
    expect(server.paths).toEqual([]);
  });
});

test('self-hosted: one base address, and no request to the hub', async () => {
  const { file, origin } = await get(visit(emptyStorage()), { base: server.address, hub: null });
  expect({ file, origin }).toEqual({ file: 'first.onnx', origin: 'network' });
  expect(server.paths).toEqual(['/m/first.onnx']);
});

test('bundled: verified, and not cached a second time', async () => {
  const storage = emptyStorage();
  const { origin, stored } = await visit(storage).getModel('m', [{ ...first, bundled: true }], { base: server.address });
  expect({ origin, stored }).toEqual({ origin: 'bundled', stored: false });
  expect(server.paths).toEqual(['/m/first.onnx']);
  expect(storage.pieces.size).toBe(0);
});

describe('two tabs at once', () => {
  test('fetch it once if the browser has locks', async () => {
    const [storage, withLock] = [emptyStorage(), memoryLocks()];
    server.script.push(cutAfter(60_000));
    const got = await Promise.all([get(visit(storage, withLock)), get(visit(storage, withLock))]);
    expect(got.map(({ origin }) => origin)).toEqual(['network', 'cache']);
    for (const { bytes } of got) expect(Buffer.from(bytes).equals(BYTES)).toBe(true);
    expect(server.asked).toEqual([0, 60_000]);
  });

  test('fetch it twice without locks, and the cached file is complete', async () => {
    const storage = emptyStorage();
    // As outside a secure context.
    vi.stubGlobal('navigator', {});
    server.script.push(cutAfter(60_000));
    const got = await Promise.all([get(visit(storage, withBrowserLock)), get(visit(storage, withBrowserLock))]);
    for (const { bytes } of got) expect(Buffer.from(bytes).equals(BYTES)).toBe(true);
    expect((await get(visit(storage))).bytes).toEqual(got[0].bytes);
  });
});

describe('a dropped file', () => {
  const unknown = noiseBytes(50_000, 9);

  test('with a known hash is that file, whatever its name, and is cached', async () => {
    const storage = emptyStorage();
    const { bytes, ...facts } = await get(visit(storage), { dropped: new File([OTHER], 'renamed.bin') });
    const { name: file, sha256, license } = second;
    expect(facts).toEqual({ sha256, license, file, origin: 'dropped', unknown: false, stored: true, note: null });
    expect(Buffer.from(bytes).equals(OTHER)).toBe(true);
    expect((await get(visit(storage))).sha256).toBe(sha256);
    expect(server.paths).toEqual([]);
  });

  test('with an unknown hash is returned, but not cached', async () => {
    const storage = emptyStorage();
    const got = await get(visit(storage), { dropped: new File([unknown], 'mine.onnx') });
    expect(got).toMatchObject({ unknown: true, stored: false, file: 'mine.onnx', license: null });
    expect(got.note).toContain('mine.onnx is not a known file');
    expect(storage.pieces.size).toBe(0);
    expect((await get(visit(storage))).origin).toBe('network');
  });

  test('with an unknown hash is cached if the user trusts it, and is still marked as unknown', async () => {
    const storage = emptyStorage();
    const dropped = new File([unknown], 'mine.onnx');
    const named = `mine.onnx is not a known file of m. It is used because it was trusted: SHA-256 ${await sha256Hex(unknown)}`;
    const note = expect.stringContaining(named) as string;
    expect(await get(visit(storage), { dropped, trustUnknown: true })).toMatchObject({ unknown: true, stored: true, note });
    const again = await get(visit(storage), { trustUnknown: true });
    expect(again).toMatchObject({ origin: 'cache', unknown: true, file: 'mine.onnx', note });
    expect(Buffer.from(again.bytes).equals(unknown)).toBe(true);
    expect(await visit(storage).delete('m')).toBe(true);
    expect((await get(visit(storage), { trustUnknown: true })).unknown).toBe(false);
  });

  test('with an unknown hash is not used from the store without trustUnknown', async () => {
    const storage = emptyStorage();
    const sources: [AcceptedFile] = [first];
    await get(visit(storage), { dropped: new File([unknown], 'mine.onnx'), trustUnknown: true });
    expect(await visit(storage).find('m', sources)).toBeNull();
    expect(await visit(storage).find('m', sources, true)).toMatchObject({ file: 'mine.onnx', trusted: true });
    expect(await get(visit(storage))).toMatchObject({ origin: 'network', unknown: false, file: 'first.onnx', note: null });
    // It stays in the store for a visit that trusts it.
    expect((await visit(storage).list()).map(({ file }) => file).toSorted()).toEqual(['first.onnx', 'mine.onnx']);
  });

  test('that can no longer be read: a typed error', async () => {
    const gone = new File([unknown], 'gone.onnx');
    gone.arrayBuffer = () => Promise.reject(new DOMException('It was changed.', 'NotReadableError'));
    const failure = { code: 'model-missing', problem: expect.stringContaining('gone.onnx') as string };
    await expect(get(visit(emptyStorage()), { dropped: gone })).rejects.toMatchObject(failure);
  });
});
