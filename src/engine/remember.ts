import { createStore, delMany, get, keys, set, type UseStore } from 'idb-keyval';

let opened: UseStore | undefined;
/** Not the default database of idb-keyval, which the page may use for its own data. */
const database = (): UseStore => (opened ??= createStore('voxlane-memory', 'values'));

/**
 * What is worth keeping from one visit to the next. A browser that stores nothing (private mode, a full disk, blocked
 * cookies) costs the time to find it out again, and nothing else.
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
    // Works all the same, only slower the next time.
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
