import { createStore, delMany, get, keys, set, type UseStore } from 'idb-keyval';

let opened: UseStore | undefined;
/** A separate database: the page may use the default database of idb-keyval for its own data. */
const database = (): UseStore => (opened ??= createStore('voxlane-memory', 'values'));

/**
 * Values that are kept across visits. If the browser stores nothing (private mode, a full disk, blocked cookies), they
 * are only computed again.
 */
export async function recall<Value>(key: string, isValue: (stored: unknown) => stored is Value): Promise<Value | null> {
  try {
    const stored: unknown = await get(key, database());
    return isValue(stored) ? stored : null;
  } catch {
    return null;
  }
}

export async function remember(key: string, value: unknown): Promise<void> {
  try {
    await set(key, value, database());
  } catch {
    // Without storage, the next visit is only slower.
  }
}

/** Deletes everything whose key starts with `prefix`. */
export async function forget(prefix: string): Promise<void> {
  try {
    const known = await keys(database());
    await delMany(known.filter((key) => typeof key === 'string' && key.startsWith(prefix)), database());
  } catch {
    // Without storage there is nothing to delete.
  }
}
