/** The files of a bundle and its graph, for the engine. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { zipSync } from 'fflate';
import { withExternalData } from './externalData';

/** The paths with the external weight files of graphs, and whether each is a folder. Folders are passed to the engine as zip files. */
export const bundleFiles = (paths: readonly string[]): { readonly path: string; readonly isFolder: boolean }[] =>
  withExternalData(paths).map((path) => ({ path, isFolder: statSync(path).isDirectory() }));

/** A folder as an uncompressed zip file. */
export function zipOf(folder: string): Uint8Array<ArrayBuffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const content = files.map((entry) => {
    const file = join(entry.parentPath, entry.name);
    return [relative(folder, file).split(sep).join('/'), new Uint8Array(readFileSync(file))] as const;
  });
  return zipSync(Object.fromEntries(content), { level: 0 });
}
