import { createStore, delMany, get, getMany, keys, type UseStore } from 'idb-keyval';
import type { KeepBackend } from './backend';

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
