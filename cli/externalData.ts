/** Files beside a graph that hold its weights: `torch.onnx.export` writes `model.onnx.data` by default. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { externalFilesOf } from '../src/onnx/model';
import { VoxlaneError } from '../src/util/errors';

/** Path of a file that a graph names; null if it lies outside of the graph's folder, which no exporter writes. */
export function besidePath(model: string, location: string): string | null {
  const folder = dirname(model);
  const path = join(folder, location);
  const fromFolder = relative(folder, path);
  const isOutside = location === '' || isAbsolute(location) || isAbsolute(fromFolder) || fromFolder === '..' || fromFolder.startsWith(`..${sep}`);
  return isOutside ? null : path;
}

/** The paths, each graph followed by the files that it needs, as far as they exist and are not among the paths. */
export function withExternalData(paths: readonly string[]): string[] {
  const added = paths.flatMap(filesBeside).filter((path) => !paths.includes(path));
  return [...paths, ...new Set(added)];
}

function filesBeside(path: string): string[] {
  if (!/\.onnx$/i.test(path)) return [];
  try {
    return externalFilesOf(new Uint8Array(readFileSync(path)), path)
      .map((location) => besidePath(path, location))
      .filter((found) => found !== null && existsSync(found)) as string[];
  } catch (error) {
    // The page reads the graph again and reports what is wrong with it.
    if (error instanceof VoxlaneError) return [];
    throw error;
  }
}
