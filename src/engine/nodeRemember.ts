/** Replaces `remember.ts` in the Node build: values are kept in files in the cache folder of the user. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { sha256Hex } from '../util/hash';
import { cacheFolder, readJsonFile, writeWhole } from '../util/nodeCacheFolder';

const storedSchema = v.object({ key: v.string(), value: v.unknown() });

const folder = (): string => cacheFolder('memory');

const pathOf = async (key: string): Promise<string> => join(folder(), `${await sha256Hex(new TextEncoder().encode(key))}.json`);

/** Values that are kept across processes. Without storage, they are only computed again. */
export async function recall<Value>(key: string, isValue: (stored: unknown) => stored is Value): Promise<Value | null> {
  const stored = await readJsonFile(await pathOf(key));
  return v.is(storedSchema, stored) && stored.key === key && isValue(stored.value) ? stored.value : null;
}

export async function remember(key: string, value: unknown): Promise<void> {
  try {
    await writeWhole(await pathOf(key), JSON.stringify({ key, value }));
  } catch {
    // A read-only folder. The next process is only slower.
  }
}

/** Deletes everything whose key starts with `prefix`. */
export async function forget(prefix: string): Promise<void> {
  const names = await readdir(folder()).catch(() => []);
  for (const name of names) {
    const stored = await readJsonFile(join(folder(), name));
    if (v.is(storedSchema, stored) && stored.key.startsWith(prefix)) await rm(join(folder(), name), { force: true });
  }
}
