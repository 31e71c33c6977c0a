import { clear, createStore, delMany, get, getMany, keys, set, type UseStore } from 'idb-keyval';

/**
 * Key-value storage for saved work. Values are structured clones. Any call may fail with any error: storage may be
 * blocked, full, or cleared by the browser.
 */
export interface KeepBackend {
  /** Returns the value, or undefined if there is none. The bytes of a Blob are read on demand. */
  get(key: string): Promise<unknown>;
  /** Returns the values of several keys, read in one transaction. */
  getAll(keys: readonly string[]): Promise<unknown[]>;
  keys(): Promise<string[]>;
  /**
   * Writes the result of `change` for the value at `key`, together with `entries`, in one transaction. If `change` returns null,
   * writes nothing. No other page can write in between.
   *
   * @param change must not throw
   * @returns whether it was written
   */
  write(key: string, change: (value: unknown) => object | null, entries: readonly (readonly [string, unknown])[]): Promise<boolean>;
  /** Deletes in one transaction. Keys without a value are skipped. */
  delete(keys: readonly string[]): Promise<void>;
}

/** The stored form of a Blob if the storage rejects Blobs. */
interface BlobBytes {
  readonly isBlob: true;
  readonly type: string;
  readonly bytes: ArrayBuffer;
}

/**
 * Stores the bytes of a Blob if the storage rejects Blobs. Unlike a Blob, the bytes pass through memory.
 *
 * @param takesBlobs whether `backend` accepts Blobs; called once, before the first Blob is written
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
 * WebKit's IndexedDB rejects Blobs in private windows and under automation: "Error preparing Blob/File data to be stored
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
 * IndexedDB, also for recordings: a Blob and its index entry are written in one transaction, which is not possible with
 * files of the origin private file system, and every browser can write it from the page. Uses a separate database,
 * opened on first use.
 */
export function browserBackend(): KeepBackend {
  let opened: UseStore | undefined;
  const store = (): UseStore => (opened ??= createStore('voxlane-work', 'work'));
  return {
    // Async, to reject instead of throwing in a browser without IndexedDB.
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
    // `abort` also follows an error, and only then is the error known.
    transaction.onabort = fail;
    const read = objects.get(key);
    read.onsuccess = () => {
      const next = change(read.result);
      if (next === null) return;
      try {
        for (const [name, value] of [[key, next] as const, ...entries]) objects.put(value, name);
        isWritten = true;
      } catch (error) {
        // A value could not be cloned: roll back the earlier writes.
        failure = error;
        transaction.abort();
      }
    };
  });
}

type Tail<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest] ? Rest : never;
