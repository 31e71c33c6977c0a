import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { blockedStorage, hastyTools, memoryLocks, MemoryStorage } from '../../test/store/memory';
import { ModelServer, stallAfter, status } from '../../test/store/modelServer';
import { NETWORK, networkFile, seededTensors } from '../../test/weights/network';
import { ModelCache } from '../store/cache';
import type { CacheTools } from '../store/cacheTools';
import { ModelStore } from '../store/modelStore';
import type { AcceptedFile, Sources } from '../store/sources';
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
let sha256: string;

const sourceOf = async (bytes: Uint8Array): Promise<AcceptedFile> => ({
  name: 'model.safetensors',
  bytes: bytes.length,
  sha256: await sha256Hex(bytes),
  license: 'OpenMDW-1.1',
  hub: { repository: 'owner/model', revision: 'e'.repeat(40), file: 'model.safetensors' },
});

beforeAll(async () => {
  server = await ModelServer.open({ bytes: FILE, tag: null });
  accepted = await sourceOf(FILE);
  ({ sha256 } = accepted);
});
afterEach(() => {
  server.reset();
  server.served = { bytes: FILE, tag: null };
});
afterAll(() => server.close());

const visit = (tools: CacheTools, withLock = memoryLocks()): WeightsStore =>
  new WeightsStore({ cache: new ModelCache(tools), downloads: hastyTools(), withLock });
const emptyStorage = (): MemoryStorage => new MemoryStorage(PIECE_BYTES);
const prepare = (store: WeightsStore, options: Partial<PrepareOptions> = {}, sources: Sources = [accepted]): Promise<PreparedWeights> =>
  store.prepare('m', sources, { base: 'http://base.invalid/', hub: server.address, expected: NETWORK, form: 'float16', ...options });
const filesIn = ({ entries }: MemoryStorage): string[] => Array.from(entries.values(), ({ file }) => file).toSorted();
const scalarOf = async ({ weights }: PreparedWeights): Promise<number[]> => [...(await loadWeights(weights)).get('scalar')!];

/** Records the pieces that are read. */
function recordReads(storage: MemoryStorage): string[] {
  const names: string[] = [];
  const get = storage.shelf.get.bind(storage.shelf);
  storage.shelf.get = (name) => {
    names.push(name);
    return get(name);
  };
  return names;
}

describe('weights of the hub', () => {
  it('are downloaded and converted once', async () => {
    const storage = emptyStorage();
    const progress: PrepareProgress[] = [];
    const { weights, ...facts } = await prepare(visit(storage), { onProgress: (one) => progress.push(one) });
    expect(facts).toEqual({ sha256, license: 'OpenMDW-1.1', origin: 'network', unknown: false, stored: true, note: null, originalBytes: FILE.length, formBytes: FLOAT16_BYTES });
    expect(weights.tensors.map(({ name, type }) => [name, type])).toEqual(NETWORK.map(({ name, type, channelAxis }) => [name, channelAxis === null ? type : 'float16']));
    expect(filesIn(storage)).toEqual(['model.float16.safetensors', 'model.safetensors']);
    expect(progress.at(0)).toMatchObject({ step: 'download', totalBytes: FILE.length });
    expect(progress.at(-1)).toEqual({ step: 'convert', doneBytes: 2 * 4 * numValues(), totalBytes: 2 * 4 * numValues() });

    const reads = recordReads(storage);
    const again = await prepare(visit(storage));
    expect(again).toMatchObject({ sha256, license: 'OpenMDW-1.1', origin: 'cache', unknown: false, stored: true, note: null, originalBytes: null, formBytes: FLOAT16_BYTES });
    expect(await loadWeights(again.weights)).toEqual(await loadWeights(weights));
    expect(server.paths).toHaveLength(1);
    expect(reads.filter((name) => name.startsWith(`m/${sha256}/`))).toEqual([]);
  });

  it('keep no part of a conversion that a killed worker began, but the whole download and the beginning of another', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage));
    const whole = new Map(storage.pieces);
    // A killed worker does not run its own cleanup: the pieces of another form, and of a download, are all that is left.
    const [piece] = storage.pieces.values();
    for (const name of [`m/${sha256}.int8.1/0`, `m/${sha256}.int8.1/1`, 'm/0123/0', `other/${sha256}.int8.1/0`]) storage.pieces.set(name, piece!);
    await new ModelStore({ cache: new ModelCache(storage), withLock: memoryLocks() }).discardUnfinishedConversions('m');
    expect([...storage.pieces.keys()]).toEqual([...whole.keys(), 'm/0123/0', `other/${sha256}.int8.1/0`]);
    // Without storage, there is nothing to discard.
    await new ModelStore({ cache: new ModelCache(blockedStorage) }).discardUnfinishedConversions('m');
  });

  it('are discarded only after a conversion in another tab', async () => {
    const storage = emptyStorage();
    const withLock = memoryLocks();
    const tools = { cache: new ModelCache(storage), withLock };
    const discarded: Promise<void>[] = [];
    const prepared = await prepare(visit(storage, withLock), {
      onProgress: ({ step, doneBytes, totalBytes }) => {
        if (step === 'convert' && 2 * doneBytes > totalBytes) discarded.push(new ModelStore(tools).discardUnfinishedConversions('m'));
      },
    });
    await Promise.all(discarded);
    expect(discarded.length).toBeGreaterThan(0);
    expect(prepared.stored).toBe(true);
    expect(await scalarOf(await prepare(visit(storage)))).toEqual(await scalarOf(prepared));
  });

  it('are converted to another form from the stored original', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage));
    const { origin, formBytes } = await prepare(visit(storage), { form: 'int8' });
    expect({ origin, formBytes }).toEqual({ origin: 'cache', formBytes: convertedBytes(NETWORK, 'int8') });
    expect(filesIn(storage)).toEqual(['model.float16.safetensors', 'model.int8.safetensors', 'model.safetensors']);
    expect(server.paths).toHaveLength(1);
  });

  it('are used unchanged as float32, without a copy', async () => {
    const storage = emptyStorage();
    for (const origin of ['network', 'cache']) {
      const prepared = await prepare(visit(storage), { form: 'float32' });
      expect(prepared).toMatchObject({ origin, stored: true, formBytes: FILE.length });
      expect(new Float32Array(Uint8Array.from(await scalarOf(prepared)).buffer)).toEqual(seededTensors().scalar!.data);
    }
    expect(filesIn(storage)).toEqual(['model.safetensors']);
  });

  it('keep only what was converted if the original is dropped, then or later', async () => {
    const [then, later] = [emptyStorage(), emptyStorage()];
    await prepare(visit(then), { dropOriginal: true });
    await prepare(visit(later));
    await visit(later).dropOriginal('m');
    for (const storage of [then, later]) {
      expect(filesIn(storage)).toEqual(['model.float16.safetensors']);
      expect(await new ModelCache(storage).usage()).toMatchObject({ storedBytes: FLOAT16_BYTES, unfinishedBytes: 0 });
      expect((await prepare(visit(storage))).origin).toBe('cache');
    }
    expect(server.paths).toHaveLength(2);
  });

  it.each(['int8', 'float32'] as const)('become %s from float16 without a download if only that is stored, which a note says', async (form) => {
    const storage = emptyStorage();
    const rounded = await prepare(visit(storage), { dropOriginal: true });
    const made = await prepare(visit(storage), { form });
    const note = 'The weights were made from the stored float16 weights, because the original file is not stored';
    expect(made).toMatchObject({ sha256, origin: 'cache', stored: true, originalBytes: null, note });
    expect(server.paths).toHaveLength(1);
    const values = await loadWeights(made.weights);
    expect(values.get('linear.bias')).toEqual((await loadWeights(rounded.weights)).get('linear.bias'));
    expect(filesIn(storage)).toEqual(form === 'int8' ? ['model.float16.int8.safetensors', 'model.float16.safetensors'] : ['model.float16.safetensors']);
    const again = await prepare(visit(storage), { form });
    expect(again).toMatchObject({ origin: 'cache', note, formBytes: made.formBytes });
    expect(await loadWeights(again.weights)).toEqual(values);
    // A file of the hub becomes the form without the second rounding.
    const direct = await prepare(visit(storage), { form, dropped: new File([FILE], 'renamed.bin') });
    expect(direct).toMatchObject({ origin: 'dropped', note: null });
    expect(await loadWeights(direct.weights)).not.toEqual(values);
    expect(await prepare(visit(storage), { form })).toMatchObject({ origin: 'cache', note: null });
    expect(server.paths).toHaveLength(1);
  });

  it('are downloaded again for float16 if only int8 is stored, and for int8 if float16 is damaged', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage), { form: 'int8', dropOriginal: true });
    expect(await prepare(visit(storage), { dropOriginal: true })).toMatchObject({ origin: 'network', note: null });
    await new ModelCache(storage).remove((await new ModelCache(storage).list()).find(({ made }) => made?.as === formName('int8'))!);
    storage.pieces.get(`m/${sha256}.float16.1/1`)!.bytes[3]! ^= 1;
    expect(await prepare(visit(storage), { form: 'int8' })).toMatchObject({
      origin: 'network',
      note: 'The stored file model.float16.safetensors was damaged or of another release, and has been deleted',
    });
    expect(server.paths).toHaveLength(3);
  });

  it('are deleted with the model, in all forms', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage));
    await prepare(visit(storage), { form: 'int8' });
    expect(await new ModelCache(storage).delete('m')).toBe(true);
    expect([storage.pieces.size, storage.entries.size]).toEqual([0, 0]);
  });

  it('resume a canceled download, and a canceled conversion needs no other download', async () => {
    const storage = emptyStorage();
    server.script.push(stallAfter(700));
    const cancelAt = (step: string, bytes: number): Partial<PrepareOptions> => {
      const abort = new AbortController();
      return { signal: abort.signal, onProgress: (progress) => { if (progress.step === step && progress.doneBytes >= bytes) abort.abort(); } };
    };
    await expect(prepare(visit(storage), cancelAt('download', 700))).rejects.toMatchObject({ code: 'cancelled' });
    expect(filesIn(storage)).toEqual([]);
    await expect(prepare(visit(storage), cancelAt('convert', 4 * numValues() + 1))).rejects.toMatchObject({ code: 'cancelled' });
    expect(server.asked).toEqual([0, 512]);
    expect(filesIn(storage)).toEqual(['model.safetensors']);
    expect(Array.from(storage.pieces.keys()).filter((name) => name.includes('float16'))).toEqual([]);
    expect(await prepare(visit(storage))).toMatchObject({ origin: 'cache', stored: true });
    expect(server.asked).toHaveLength(2);
  });

  it('are kept if the caller cancels while a stored file is verified', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage));
    const abort = new AbortController();
    const onProgress = ({ step }: PrepareProgress): void => { if (step === 'verify') abort.abort(); };
    for (const form of ['float16', 'int8'] as const) {
      await expect(prepare(visit(storage), { form, signal: abort.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
    }
    expect(filesIn(storage)).toEqual(['model.float16.safetensors', 'model.safetensors']);
  });

  it('with other bytes than the manifest names are refused', async () => {
    const storage = emptyStorage();
    server.served = { bytes: FILE.with(FILE.length - 1, 1), tag: null };
    await expect(prepare(visit(storage))).rejects.toMatchObject({ code: 'model-altered' });
    expect(storage.pieces.size).toBe(0);
  });

  it('that do not fit the graph are not converted', async () => {
    const { 'linear.bias': _bias, ...others } = seededTensors();
    const incomplete = networkFile(others);
    server.served = { bytes: incomplete, tag: null };
    const storage = emptyStorage();
    const failure = { code: 'model-invalid', problem: 'model.safetensors lacks 1 of the 8 tensors of the graph: linear.bias' };
    await expect(prepare(visit(storage), {}, [await sourceOf(incomplete)])).rejects.toMatchObject(failure);
    expect(filesIn(storage)).toEqual(['model.safetensors']);
  });
});

describe('a stored file that cannot be used', () => {
  const damage = (storage: MemoryStorage, name: string): void => {
    storage.pieces.get(name)!.bytes[3]! ^= 1;
  };

  it('is converted again from the original if it is damaged', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage));
    damage(storage, `m/${sha256}.float16.1/2`);
    expect(await prepare(visit(storage))).toMatchObject({ origin: 'cache', stored: true, originalBytes: FILE.length, note: 'The stored file model.float16.safetensors was damaged or of another release, and has been deleted' });
    expect(await prepare(visit(storage))).toMatchObject({ origin: 'cache', originalBytes: null, note: null });
    expect(server.paths).toHaveLength(1);
  });

  it('is downloaded again if the original is damaged too', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage));
    damage(storage, `m/${sha256}.float16.1/2`);
    damage(storage, `m/${sha256}/0`);
    const { origin, note } = await prepare(visit(storage));
    expect(origin).toBe('network');
    expect(note).toBe('The stored file model.float16.safetensors was damaged or of another release, and has been deleted. The stored file model.safetensors was damaged, and has been deleted');
    expect((await prepare(visit(storage))).note).toBeNull();
  });

  it('and that cannot be downloaded again: the error says what was damaged', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage));
    damage(storage, `m/${sha256}.float16.1/2`);
    damage(storage, `m/${sha256}/0`);
    server.script.push(status(404));
    await expect(prepare(visit(storage))).rejects.toMatchObject({
      code: 'model-missing',
      problem: expect.stringMatching(/^The stored file model\.float16\.safetensors was damaged .*\. The stored file model\.safetensors was damaged, and has been deleted\. .*404/) as string,
    });
  });

  it('is converted again, and deleted then, if an earlier release has made it in an earlier version of the form', async () => {
    const storage = emptyStorage();
    const { formBytes } = await prepare(visit(storage), { form: 'int8' });
    const [as, earlier] = [formName('int8'), 'int8.2'];
    for (const [key, entry] of storage.entries) {
      if (entry.made?.as !== as) continue;
      storage.entries.delete(key);
      storage.entries.set(key.replace(as, earlier), { ...entry, made: { ...entry.made, as: earlier } });
    }
    for (const [name, piece] of storage.pieces) {
      if (!name.includes(as)) continue;
      storage.pieces.delete(name);
      storage.pieces.set(name.replace(as, earlier), piece);
    }
    // The original stays: this release cannot use the only conversion.
    await expect(visit(storage).dropOriginal('m')).rejects.toMatchObject({ code: 'model-altered' });
    expect(await prepare(visit(storage), { form: 'int8' })).toMatchObject({ origin: 'cache', originalBytes: FILE.length, formBytes });
    expect(filesIn(storage)).toEqual(['model.int8.safetensors', 'model.safetensors']);
    expect((await new ModelCache(storage).list()).map(({ made }) => made?.as)).toEqual(expect.arrayContaining([as, undefined]));
    expect([...storage.pieces.keys()].filter((name) => name.includes(earlier))).toEqual([]);
    expect(server.paths).toHaveLength(1);
  });

  it('is converted again if the graph of another release has made it', async () => {
    const storage = emptyStorage();
    // The matrix was an embedding before.
    const before = NETWORK.map((tensor) => (tensor.name === 'product' ? { ...tensor, channelAxis: null } : tensor));
    await prepare(visit(storage), { form: 'int8', expected: before });
    const { weights, originalBytes } = await prepare(visit(storage), { form: 'int8' });
    expect(originalBytes).toBe(FILE.length);
    expect(weights.tensors.some(({ name }) => name === 'product.scale')).toBe(true);
  });
});

describe('storage that fails', () => {
  const full = (bytes: number): string => `the storage of this browser is full: it needs ${bytes} bytes, and there is room for 300 bytes`;
  it.each([
    ['full after the original', () => new MemoryStorage(PIECE_BYTES, FILE.length + 300), `The file model.float16.safetensors could not be stored, because ${full(FLOAT16_BYTES)}`, ['model.safetensors']],
    ['full', () => new MemoryStorage(PIECE_BYTES, 300), `The model is not cached for the next visit, because ${full(FILE.length)}. The file model.float16.safetensors could not be stored, because ${full(FLOAT16_BYTES)}`, []],
  ] as const)('is %s: the weights are returned with a note', async (_name, makeStorage, note, files) => {
    const storage = makeStorage();
    const prepared = await prepare(visit(storage));
    expect(prepared).toMatchObject({ stored: false, note, formBytes: FLOAT16_BYTES });
    expect(filesIn(storage)).toEqual(files);
    expect(await loadWeights(prepared.weights)).toEqual(await loadWeights((await prepare(visit(emptyStorage()))).weights));
  });

  it('is blocked: the weights are returned with a note', async () => {
    const prepared = await prepare(visit(blockedStorage));
    expect(prepared.stored).toBe(false);
    expect(prepared.note).toMatch(/^The model is not cached .*\. The file model\.float16\.safetensors could not be stored, because /);
    expect((await loadWeights(prepared.weights)).size).toBe(NETWORK.length);
  });
});

describe('a dropped file', () => {
  it('of unknown hash that was checked and stored before is not converted again, if the caller trusts it', async () => {
    const storage = emptyStorage();
    const dropped = new File([UNKNOWN], 'mine.safetensors');
    await prepare(visit(storage), { dropped, trustUnknown: true });
    const again = await prepare(visit(storage), { dropped, trustChecked: true });
    expect(again).toMatchObject({ origin: 'cache', unknown: true, stored: true, note: expect.stringContaining('because it was trusted') as string });
    // Another file, and a caller that does not trust it.
    expect(await prepare(visit(storage), { dropped })).toMatchObject({ origin: 'dropped', stored: false });
    const other = networkFile({ ...seededTensors(), scalar: { shape: [], data: Float32Array.of(0.25) } });
    expect(await prepare(visit(storage), { dropped: new File([other], 'mine.safetensors'), trustChecked: true })).toMatchObject({ origin: 'dropped', stored: false });
  });

  it.each(['float16', 'float32'] as const)('of known hash is converted to %s and stored, without the original', async (form) => {
    const storage = emptyStorage();
    const { weights, ...facts } = await prepare(visit(storage), { form, dropped: new File([FILE], 'renamed.bin') });
    expect(facts).toMatchObject({ sha256, license: 'OpenMDW-1.1', origin: 'dropped', unknown: false, stored: true, note: null });
    expect(filesIn(storage)).toEqual([`model.${form}.safetensors`]);
    const again = await prepare(visit(storage), { form });
    expect(again).toMatchObject({ sha256, origin: 'cache' });
    expect(await loadWeights(again.weights)).toEqual(await loadWeights(weights));
    expect(server.paths).toEqual([]);
  });

  it('whose copy is stored becomes another form without a download', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage), { form: 'float32', dropped: new File([FILE], 'renamed.bin') });
    const made = await prepare(visit(storage), { form: 'int8' });
    expect(made).toMatchObject({ origin: 'cache', stored: true, note: null });
    expect(await loadWeights(made.weights)).toEqual(await loadWeights((await prepare(visit(emptyStorage()), { form: 'int8', dropped: new File([FILE], 'x') })).weights));
    expect(server.paths).toEqual([]);
  });

  it('that was converted before is not converted again', async () => {
    const storage = emptyStorage();
    await prepare(visit(storage));
    expect(await prepare(visit(storage), { dropped: new File([FILE], 'renamed.bin') })).toMatchObject({ origin: 'cache', originalBytes: null });
  });

  it('of unknown hash is returned, but not stored', async () => {
    const storage = emptyStorage();
    const prepared = await prepare(visit(storage), { dropped: new File([UNKNOWN], 'mine.safetensors') });
    expect(prepared).toMatchObject({ sha256: await sha256Hex(UNKNOWN), license: null, unknown: true, stored: false });
    expect(await scalarOf(prepared)).toEqual([...new Uint8Array(Float32Array.of(0.75).buffer)]);
    expect(storage.pieces.size).toBe(0);
  });

  it('of unknown hash is stored if the user trusts it, and used only with that trust', async () => {
    const storage = emptyStorage();
    const dropped = new File([UNKNOWN], 'mine.safetensors');
    expect(await prepare(visit(storage), { dropped, trustUnknown: true })).toMatchObject({ unknown: true, stored: true });
    expect(filesIn(storage)).toEqual(['mine.float16.safetensors']);
    const note = `The file mine.float16.safetensors is not a known file of m. It is used because it was trusted: SHA-256 ${await sha256Hex(UNKNOWN)}`;
    expect(await prepare(visit(storage), { trustUnknown: true })).toMatchObject({ unknown: true, origin: 'cache', note });
    expect(await prepare(visit(storage))).toMatchObject({ unknown: false, origin: 'network', note: null });
  });

  it('of unknown hash with a tensor of zeros is refused; of known hash it is accepted', async () => {
    const zeros = networkFile({ ...seededTensors(), silence: { shape: [5], data: new Float32Array(5) } });
    const dropped = new File([zeros], 'zeros.safetensors');
    const failure = { code: 'model-invalid', problem: 'The tensor silence of zeros.safetensors holds only zeros' };
    await expect(prepare(visit(emptyStorage()), { dropped, trustUnknown: true })).rejects.toMatchObject(failure);
    expect(await prepare(visit(emptyStorage()), { dropped }, [await sourceOf(zeros)])).toMatchObject({ unknown: false, stored: true });
  });
});

describe('two tabs at once', () => {
  it('download and convert once', async () => {
    const [storage, withLock] = [emptyStorage(), memoryLocks()];
    const prepared = await Promise.all([prepare(visit(storage, withLock)), prepare(visit(storage, withLock))]);
    expect(prepared.map(({ origin }) => origin)).toEqual(['network', 'cache']);
    expect(prepared.map(({ originalBytes }) => originalBytes)).toEqual([FILE.length, null]);
    expect(server.paths).toHaveLength(1);
  });
});

it('is canceled before it begins', async () => {
  await expect(prepare(visit(emptyStorage()), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  expect(server.paths).toEqual([]);
});

/** Values of the network, in units of 4 bytes. */
function numValues(): number {
  return Object.values(seededTensors()).reduce((sum, { data }) => sum + data.byteLength / 4, 0);
}
