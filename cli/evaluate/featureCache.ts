import { createHash } from 'node:crypto';
import { mkdirSync, openAsBlob, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { cacheFolder } from '../../src/util/nodeCacheFolder';

/** Content-addressed files with results that take long to compute. */
export class FeatureCache {
  /** @param folder created if it does not exist; null disables the cache */
  constructor(private readonly folder: string | null) {}

  /** The value cached under these keys, else the result of `compute`. */
  async get<Value>(keys: readonly string[], compute: () => Promise<Value>): Promise<Value> {
    if (this.folder === null) return compute();
    const path = join(this.folder, createHash('sha256').update(JSON.stringify(keys)).digest('hex'));
    try {
      return deserialize(readFileSync(path)) as Value;
    } catch {
      // Absent or written by another version of Node.
    }
    const value = await compute();
    mkdirSync(this.folder, { recursive: true });
    // An incomplete file never has the final name.
    writeFileSync(`${path}.${process.pid}`, serialize(value));
    renameSync(`${path}.${process.pid}`, path);
    return value;
  }
}

export const defaultCacheFolder = (): string => cacheFolder('evaluate');

/** SHA-256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of (await openAsBlob(path)).stream()) hash.update(piece);
  return hash.digest('hex');
}
