/** Two tabs with the same weights, storage without room, and weights that are stored after the model was checked. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { blockedStorage, hastyTools, memoryLocks, MemoryStorage } from '../../test/store/memory';
import { ModelServer, stallAfter } from '../../test/store/modelServer';
import { NETWORK, networkFile, seededTensors } from '../../test/weights/network';
import { ModelCache } from '../store/cache';
import type { CacheTools } from '../store/cacheTools';
import { ModelStore, type WithLock } from '../store/modelStore';
import type { AcceptedFile } from '../store/sources';
import { sha256Hex } from '../util/hash';
import { loadWeights } from './bind';
import { convertedBytes } from './convert';
import { formName } from './formNames';
import { type PreparedWeights, type PrepareOptions, type PrepareProgress, WeightsStore } from './weightsStore';

const PIECE_BYTES = 256;
const FILE = networkFile();
const UNKNOWN = networkFile({ ...seededTensors(), scalar: { shape: [], data: Float32Array.of(0.75) } });
const FLOAT16_BYTES = convertedBytes(NETWORK, 'float16');

let server: ModelServer;
let accepted: AcceptedFile;

beforeAll(async () => {
  server = await ModelServer.open({ bytes: FILE, tag: '"one"' });
  const hub = { repository: 'owner/model', revision: 'e'.repeat(40), file: 'model.safetensors' };
  accepted = { name: 'model.safetensors', bytes: FILE.length, sha256: await sha256Hex(FILE), license: 'OpenMDW-1.1', hub };
});
afterEach(() => { server.reset(); });
afterAll(() => server.close());

const toolsOf = (storage: CacheTools, withLock: WithLock) => ({ cache: new ModelCache(storage), downloads: hastyTools(), withLock });
const emptyStorage = (roomBytes = Infinity): MemoryStorage => new MemoryStorage(PIECE_BYTES, roomBytes);
const prepare = (storage: CacheTools, options: Partial<PrepareOptions> = {}, withLock = memoryLocks()): Promise<PreparedWeights> =>
  new WeightsStore(toolsOf(storage, withLock)).prepare('m', [accepted], { base: 'http://base.invalid/', hub: server.address, expected: NETWORK, form: 'float16', ...options });
const filesIn = ({ entries }: MemoryStorage): string[] => Array.from(entries.values(), ({ file }) => file).toSorted();

/** Every file in the index is there, with its hash. */
async function expectSound(storage: MemoryStorage): Promise<void> {
  const cache = new ModelCache(storage);
  for (const entry of await cache.list()) expect(await cache.open(entry), entry.file).not.toBeNull();
}

/** Calls `action` once, at the given progress. */
const at = (step: PrepareProgress['step'], doneBytes: number, action: () => void): Pick<PrepareOptions, 'onProgress'> => {
  let isDone = false;
  return {
    onProgress: (progress) => {
      if (isDone || progress.step !== step || progress.doneBytes < doneBytes) return;
      isDone = true;
      action();
    },
  };
};

describe('two tabs', () => {
  it('the second one reports that it waits, then uses what the first one stored', async () => {
    const [storage, withLock] = [emptyStorage(), memoryLocks()];
    const progress: PrepareProgress[] = [];
    const both = await Promise.all([prepare(storage, {}, withLock), prepare(storage, { onProgress: (one) => progress.push(one) }, withLock)]);
    expect(both.map(({ origin }) => origin)).toEqual(['network', 'cache']);
    expect(server.asked).toEqual([0]);
    expect(progress.slice(0, 2)).toEqual([0, 1].map((doneBytes) => ({ step: 'wait', doneBytes, totalBytes: 1 })));
    expect(new Set(progress.slice(2).map(({ step }) => step))).toEqual(new Set(['verify']));
    await expectSound(storage);
  });

  it('the second one continues the download of a tab that ended', async () => {
    const [storage, withLock] = [emptyStorage(), memoryLocks()];
    server.script.push(stallAfter(700));
    const abort = new AbortController();
    const first = prepare(storage, { signal: abort.signal, ...at('download', 700, () => { abort.abort(); }) }, withLock);
    const second = prepare(storage, {}, withLock);
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect((await second).origin).toBe('network');
    expect(server.asked).toEqual([0, 512]);
    await expectSound(storage);
  });

  it('a canceled wait ends, and the other tab is not disturbed', async () => {
    const [storage, withLock] = [emptyStorage(), memoryLocks()];
    const first = prepare(storage, {}, withLock);
    const abort = new AbortController();
    const waiting = prepare(storage, { signal: abort.signal, ...at('wait', 0, () => { queueMicrotask(() => { abort.abort(); }); }) }, withLock);
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    expect(await first).toMatchObject({ stored: true });
    await expectSound(storage);
  });

  it.each(['download', 'convert'] as const)('the other one cannot delete during a %s, and can afterward', async (step) => {
    const [storage, withLock] = [emptyStorage(), memoryLocks()];
    const models = new ModelStore(toolsOf(storage, withLock));
    const weights = new WeightsStore(toolsOf(storage, withLock));
    if (step === 'download') server.script.push(stallAfter(700));
    const refused: Promise<unknown>[] = [];
    const refusal = (work: Promise<unknown>): Promise<unknown> => work.then(() => null, (error: unknown) => error);
    // Ends only after both refusals: the work of the first tab lasts longer than the wait.
    const first = withLock('voxlane-weights/m', async () => {
      const prepared = await prepare(storage, at(step, 512, () => { refused.push(refusal(models.delete('m')), refusal(weights.dropOriginal('m'))); }));
      expect(refused).toHaveLength(2);
      for (const error of await Promise.all(refused)) {
        expect(error).toMatchObject({ code: 'storage', problem: 'Files of the model m cannot be deleted now, because another tab is downloading or converting it' });
      }
      return prepared;
    });
    expect(await first).toMatchObject({ stored: true });
    expect(filesIn(storage)).toEqual(['model.float16.safetensors', 'model.safetensors']);
    await expectSound(storage);
    await weights.dropOriginal('m');
    expect(filesIn(storage)).toEqual(['model.float16.safetensors']);
    expect(await models.delete('m')).toBe(true);
    expect([storage.pieces.size, storage.entries.size]).toEqual([0, 0]);
  });
});

describe('the original', () => {
  it.each([
    ['is not converted', async (storage: MemoryStorage) => { await new ModelCache(storage).remove((await new ModelCache(storage).list()).find(({ made }) => made)!); }],
    ['has only a damaged conversion', (storage: MemoryStorage) => { storage.pieces.get(`m/${accepted.sha256}.${formName('float16')}/1`)!.bytes[3]! ^= 1; return Promise.resolve(); }],
  ])('stays if it %s, with a reason', async (_name, change) => {
    const storage = emptyStorage();
    await prepare(storage);
    await change(storage);
    const dropped = new WeightsStore(toolsOf(storage, memoryLocks())).dropOriginal('m');
    await expect(dropped).rejects.toMatchObject({ code: 'model-altered', problem: expect.stringContaining('was not deleted') as string });
    expect(filesIn(storage)).toEqual(['model.safetensors']);
    await expectSound(storage);
  });

  it('stays if the only conversion is of another file', async () => {
    const storage = emptyStorage();
    await prepare(storage, { dropped: new File([UNKNOWN], 'mine.safetensors'), trustUnknown: true });
    await expect(prepare(storage, at('convert', 512, () => { throw new Error('closed'); }))).rejects.toThrow('closed');
    expect(filesIn(storage)).toEqual(['mine.float16.safetensors', 'model.safetensors']);
    await expect(new WeightsStore(toolsOf(storage, memoryLocks())).dropOriginal('m')).rejects.toMatchObject({ code: 'model-altered' });
    expect(filesIn(storage)).toEqual(['mine.float16.safetensors', 'model.safetensors']);
  });

  it('that the browser refuses to delete: a typed error, and nothing is lost', async () => {
    const storage = emptyStorage();
    await prepare(storage);
    const { index } = storage;
    const deleting = index.delete.bind(index);
    index.delete = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
    const store = new WeightsStore(toolsOf(storage, memoryLocks()));
    await expect(store.dropOriginal('m')).rejects.toMatchObject({ code: 'storage', problem: 'The file model.safetensors could not be deleted' });
    expect(filesIn(storage)).toEqual(['model.float16.safetensors', 'model.safetensors']);
    await expectSound(storage);
    index.delete = deleting;
    await store.dropOriginal('m');
    expect(filesIn(storage)).toEqual(['model.float16.safetensors']);
  });
});

describe('full storage', () => {
  it('during the download: continues in memory without a second request for what was received, and stores the conversion', async () => {
    const storage = emptyStorage(FLOAT16_BYTES);
    expect(storage.roomBytes).toBeLessThan(FILE.length);
    const prepared = await prepare(storage);
    expect(server.asked).toEqual([0, Math.floor(storage.roomBytes / PIECE_BYTES) * PIECE_BYTES]);
    expect(prepared).toMatchObject({ origin: 'network', stored: true, note: null });
    expect(filesIn(storage)).toEqual(['model.float16.safetensors']);
    expect(await new ModelCache(storage).usage()).toMatchObject({ unfinishedBytes: 0 });
    expect(await prepare(storage)).toMatchObject({ origin: 'cache', note: null });
  });

  it('during the conversion: the note has the reason and the sizes, the original stays, and a later conversion is stored', async () => {
    const storage = emptyStorage(FILE.length + 300);
    const prepared = await prepare(storage);
    const note = `The file model.float16.safetensors could not be stored, because the storage of this browser is full: it needs ${FLOAT16_BYTES} bytes, and there is room for 300 bytes`;
    expect(prepared).toMatchObject({ stored: false, note });
    expect(filesIn(storage)).toEqual(['model.safetensors']);
    await expectSound(storage);
    storage.roomBytes = Infinity;
    expect(await prepare(storage)).toMatchObject({ origin: 'cache', stored: true, note: null });
    expect(server.asked).toEqual([0]);
  });

  it('during a second conversion: the first one stays', async () => {
    const storage = emptyStorage(FILE.length + FLOAT16_BYTES + 100);
    await prepare(storage);
    const int8 = await prepare(storage, { form: 'int8' });
    expect(int8).toMatchObject({ stored: false, note: expect.stringContaining('model.int8.safetensors could not be stored') as string });
    expect(filesIn(storage)).toEqual(['model.float16.safetensors', 'model.safetensors']);
    await expectSound(storage);
    expect(await loadWeights(int8.weights)).toEqual(await loadWeights((await prepare(emptyStorage(), { form: 'int8' })).weights));
  });

  it('without any room: the typed error of the store says what is needed, and the next call continues', async () => {
    const storage = emptyStorage(600);
    const store = (): Promise<unknown> => new ModelStore(toolsOf(storage, memoryLocks())).storeModel('m', [accepted], { base: 'http://base.invalid/', hub: server.address });
    await expect(store()).rejects.toMatchObject({
      code: 'storage',
      problem: `The file model.safetensors could not be stored, because the storage of this browser is full: it needs ${FILE.length} bytes, and there is room for 600 bytes`,
      expected: `storage that this page may use, with room for ${FILE.length} bytes`,
      remedy: 'Delete stored models that you do not need, or free space on the disk, and try again',
    });
    storage.roomBytes = Infinity;
    await store();
    expect(server.asked).toEqual([0, 512]);
    await expectSound(storage);
  });
});

describe('a dropped file of unknown hash', () => {
  const dropped = new File([UNKNOWN], 'mine.safetensors');

  it('is stored after its check without another conversion', async () => {
    const storage = emptyStorage();
    const progress: PrepareProgress[] = [];
    const store = new WeightsStore(toolsOf(storage, memoryLocks()));
    const prepared = await prepare(storage, { dropped, onProgress: (one) => progress.push(one) });
    expect(storage.pieces.size).toBe(0);
    const before = progress.length;
    const kept = await store.keep('m', prepared, { form: 'float16' });
    expect(progress).toHaveLength(before);
    expect(kept).toMatchObject({ unknown: true, stored: true, note: null });
    const again = await prepare(storage, { trustUnknown: true });
    expect(again).toMatchObject({ origin: 'cache', unknown: true, sha256: await sha256Hex(UNKNOWN) });
    expect(await loadWeights(again.weights)).toEqual(await loadWeights(prepared.weights));
    expect(server.asked).toEqual([]);
    await expectSound(storage);
  });

  it.each([
    ['full', () => emptyStorage(300), /is full: it needs \d+ bytes, and there is room for 300 bytes$/],
    ['blocked', () => blockedStorage, /mine\.float16\.safetensors could not be stored/],
  ])('is used with a note if storage is %s', async (_name, makeStorage, note) => {
    const storage = makeStorage();
    const prepared = await prepare(storage, { dropped });
    const kept = await new WeightsStore(toolsOf(storage, memoryLocks())).keep('m', prepared, { form: 'float16' });
    expect(kept.stored).toBe(false);
    expect(kept.note).toMatch(note);
    expect(await loadWeights(kept.weights)).toEqual(await loadWeights(prepared.weights));
    if (storage instanceof MemoryStorage) expect([storage.pieces.size, storage.entries.size]).toEqual([0, 0]);
  });

  it('that is canceled while it is stored leaves nothing', async () => {
    const storage = emptyStorage();
    const prepared = await prepare(storage, { dropped });
    const kept = new WeightsStore(toolsOf(storage, memoryLocks())).keep('m', prepared, { form: 'float16', signal: AbortSignal.abort() });
    await expect(kept).rejects.toMatchObject({ code: 'cancelled' });
    expect([storage.pieces.size, storage.entries.size]).toEqual([0, 0]);
  });
});
