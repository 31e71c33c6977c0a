import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import envPaths from 'env-paths';

/** Folder for data that can be computed or downloaded again: `VOXLANE_CACHE`, or that of the operating system. */
export const cacheFolder = (...names: readonly string[]): string =>
  join(process.env.VOXLANE_CACHE ?? envPaths('voxlane', { suffix: '' }).cache, ...names);

let numWritten = 0;

/** Writes a whole file or nothing, also if several processes write the same file. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}-${numWritten++}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The parsed content of a JSON file; null if there is none or it is damaged. */
export async function readJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch {
    return null;
  }
}
