/** Checks of input files before the computation starts. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { reasonOf } from './output';

/** The reason for a file that {@link isDamagedName} finds. */
export const NOT_UTF8 = 'its name is not UTF-8, so it cannot be opened; rename it, for example with convmv';

/** Whether Node has replaced bytes of the name that are not UTF-8. No file has the resulting name. */
export const isDamagedName = (path: string): boolean => path.includes('\uFFFD');

/** Reason why a path cannot be read as a file, in words for the user; null if it can. */
export function fileProblem(path: string): string | null {
  let stats;
  try {
    stats = statSync(path);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code === 'ENOENT' && isDamagedName(path)) return NOT_UTF8;
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
