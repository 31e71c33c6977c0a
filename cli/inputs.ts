/** Checks of input files before the computation starts. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { reasonOf } from './output';

/** Reason why a path cannot be read as a file, in words for the user; null if it can. */
export function fileProblem(path: string): string | null {
  let stats;
  try {
    stats = statSync(path);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    return code === 'ENOENT' ? 'the file does not exist' : `the file cannot be read: ${reasonOf(error)}`;
  }
  if (stats.isDirectory()) return 'it is a folder, not a file';
  if (!stats.isFile()) return 'it is not a regular file; save the recording to a file first';
  if (stats.size === 0) return 'the file is empty';
  try {
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    return `the file cannot be read: ${reasonOf(error)}`;
  }
}

/** @throws Error with a one-line message that names the file */
export function requireFile(path: string): void {
  const problem = fileProblem(path);
  if (problem !== null) throw new Error(`${path}: ${problem}`);
}

/** @throws Error if the path does not exist */
export function requirePath(path: string): void {
  if (!existsSync(path)) throw new Error(`${path} does not exist or cannot be read`);
}
