import { clear, createStore, delMany, get, getMany, keys, set, type UseStore } from 'idb-keyval';

/**
 * Where kept work lies: values by key, as structured clones. Any call may fail, with whatever the storage throws:
 * storage may be blocked, full, or cleared by the browser.
 */
export interface KeepBackend {
  /** Undefined where there is nothing. A Blob comes without its bytes, which are read when they are asked for. */
  get(key: string): Promise<unknown>;
  /** The values of several keys, read in one transaction. */
  getAll(keys: readonly string[]): Promise<unknown[]>;
  keys(): Promise<string[]>;
  /**
   * Writes what `change` makes of the value at `key`, and `entries`: all in one step or, where `change` gives null,
   * nothing. No other page writes in between.
   *
   * @param change must not throw
   * @returns whether it was written
   */
  write(key: string, change: (value: unknown) => object | null, entries: readonly (readonly [string, unknown])[]): Promise<boolean>;
  /** All in one step; keys without a value are passed over. */
  delete(keys: readonly string[]): Promise<void>;
}

/** The stored form of a Blob if the storage refuses Blobs. */
interface BlobBytes {
  readonly isBlob: true;
  readonly type: string;
  readonly bytes: ArrayBuffer;
}

/**
 * Stores the bytes of a Blob if the storage refuses Blobs. Unlike a Blob, the bytes pass through memory.
 *
 * @param takesBlobs whether `backend` does; asked once, before the first Blob is written
 */
export function withBlobFallback(backend: KeepBackend, takesBlobs: () => Promise<boolean> = indexedDbTakesBlobs): KeepBackend {
  let answer: Promise<boolean> | undefined;
  return {
    get: async (key) => asBlob(await backend.get(key)),
    getAll: async (names) => (await backend.getAll(names)).map(asBlob),
    keys: () => backend.keys(),
    delete: (names) => backend.delete(names),
    async write(key, change, entries) {
      const mustConvert = entries.some(([, value]) => value instanceof Blob) && !(await (answer ??= takesBlobs()));
      const written = mustConvert ? await Promise.all(entries.map(async ([name, value]) => [name, await bytesOf(value)] as const)) : entries;
      return backend.write(key, change, written);
    },
  };
}

/**
 * WebKit's IndexedDB refuses Blobs in private windows and under automation: "Error preparing Blob/File data to be stored
 * in object store". The failed transaction blocks later ones, so the test uses a separate database.
 */
async function indexedDbTakesBlobs(): Promise<boolean> {
  try {
    const store = createStore('voxlane-blob-probe', 'probe');
    await set('blob', new Blob(['.']), store);
    await clear(store);
    return true;
  } catch {
    return false;
  }
}

async function bytesOf(value: unknown): Promise<unknown> {
  if (!(value instanceof Blob)) return value;
  return { isBlob: true, type: value.type, bytes: await value.arrayBuffer() } satisfies BlobBytes;
}

function asBlob(value: unknown): unknown {
  return isBlobBytes(value) ? new Blob([value.bytes], { type: value.type }) : value;
}

function isBlobBytes(value: unknown): value is BlobBytes {
  return typeof value === 'object' && value !== null && 'isBlob' in value && value.isBlob === true && 'bytes' in value;
}

/**
 * IndexedDB, for sound too: unlike files of the origin private file system, a Blob there is written in one step with
 * what says that it is there, and every browser writes it from the page. A database of its own, opened at the first use.
 */
export function browserBackend(): KeepBackend {
  let opened: UseStore | undefined;
  const store = (): UseStore => (opened ??= createStore('voxlane-work', 'work'));
  return {
    // Async, so that a browser without IndexedDB rejects and does not throw.
    get: async (key) => get<unknown>(key, store()),
    getAll: async (names) => getMany<unknown>([...names], store()),
    keys: async () => (await keys(store())).filter((key) => typeof key === 'string'),
    write: async (key, change, entries) => store()('readwrite', (objects) => writeAll(objects, key, change, entries)),
    delete: async (names) => delMany([...names], store()),
  };
}

function writeAll(objects: IDBObjectStore, key: string, ...[change, entries]: Tail<Parameters<KeepBackend['write']>>): Promise<boolean> {
  const { transaction } = objects;
  return new Promise((resolve, reject) => {
    let [isWritten, failure] = [false, null as unknown];
    const fail = (): void => {
      const cause: unknown = failure ?? transaction.error;
      reject(cause instanceof Error ? cause : new Error('the transaction was aborted'));
    };
    transaction.oncomplete = () => {
      resolve(isWritten);
    };
    // Also after an error: only then is it known what the error was.
    transaction.onabort = fail;
    const read = objects.get(key);
    read.onsuccess = () => {
      const next = change(read.result);
      if (next === null) return;
      try {
        for (const [name, value] of [[key, next] as const, ...entries]) objects.put(value, name);
        isWritten = true;
      } catch (error) {
        // A value that cannot be cloned: what was put before it must not stay.
        failure = error;
        transaction.abort();
      }
    };
  });
}

type Tail<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest] ? Rest : never;
