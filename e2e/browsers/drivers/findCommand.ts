import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Path of a command in the folders of `PATH`; null if there is none. */
export function findCommand(name: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Try the next folder.
    }
  }
  return null;
}
