/** External weight files of a graph. `torch.onnx.export` writes `model.onnx.data` by default. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { externalFilesOf } from '../src/onnx/model';
import { VoxlaneError } from '../src/util/errors';

/** Path of a file referenced by a graph; null if it is outside the graph's folder, which no exporter writes. */
export function besidePath(model: string, location: string): string | null {
  const folder = dirname(model);
  const path = join(folder, location);
  const fromFolder = relative(folder, path);
  const isOutside = location === '' || isAbsolute(location) || isAbsolute(fromFolder) || fromFolder === '..' || fromFolder.startsWith(`..${sep}`);
  return isOutside ? null : path;
}

/** The paths, followed by existing external files of the graphs among them. */
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
    // The page reads the graph again and reports the problem.
    if (error instanceof VoxlaneError) return [];
    throw error;
  }
}
