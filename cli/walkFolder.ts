/** Lists the recordings of a folder and its subfolders. */
import { realpathSync, statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { AUDIO_ENDINGS } from './audioEndings';
import { isDamagedName, NOT_UTF8 } from './inputs';

const IS_AUDIO: ReadonlySet<string> = new Set(AUDIO_ENDINGS.map((name) => `.${name}`));

export type Found =
  /** A file, or a link to one or to nothing, with the ending of a recording. */
  | { readonly kind: 'recording'; readonly path: string }
  /** A file with another ending. */
  | { readonly kind: 'other'; readonly path: string }
  /** A folder that cannot be listed. The walk continues with the next one. */
  | { readonly kind: 'unreadable'; readonly path: string; readonly error: unknown };

/**
 * Walks a folder, sorted by name at each level. Names that begin with a period are left out.
 *
 * Links to folders are followed, but each folder is listed once: a link into the walked tree is not followed, because its
 * target is listed under its own path.
 *
 * @param folder the paths of the files start with it
 */
export async function* walkFolder(folder: string): AsyncGenerator<Found, void, undefined> {
  const root = realpathSync(folder);
  yield* walk(folder, root, { root, listed: new Set() });
}

interface Tree {
  readonly root: string;
  /** Real paths of listed folders. */
  readonly listed: Set<string>;
}

async function* walk(folder: string, real: string, tree: Tree): AsyncGenerator<Found, void, undefined> {
  tree.listed.add(real);
  const entries: { readonly name: string; readonly isLink: boolean; readonly isFolder: boolean }[] = [];
  try {
    for await (const entry of await opendir(folder)) entries.push({ name: entry.name, isLink: entry.isSymbolicLink(), isFolder: entry.isDirectory() });
  } catch (error) {
    yield { kind: 'unreadable', path: folder, error };
    return;
  }
  for (const { name, isLink, isFolder } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    if (!isFolderAt(path)) {
      if (isFolder && isDamagedName(name)) {
        yield { kind: 'unreadable', path, error: new Error(NOT_UTF8) };
        continue;
      }
      yield { kind: IS_AUDIO.has(extname(name).toLowerCase()) ? 'recording' : 'other', path };
      continue;
    }
    const target = isLink ? realpathSync(path) : join(real, name);
    const isLinkIntoTree = isLink && isWithin(tree.root, target);
    if (!isLinkIntoTree && !tree.listed.has(target)) yield* walk(path, target, tree);
  }
}

/** Whether a folder is `root` or below it; both as real paths. */
const isWithin = (root: string, folder: string): boolean => folder === root || folder.startsWith(root.endsWith(sep) ? root : root + sep);

/** False for a broken link, and for a link that leads to itself. */
function isFolderAt(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
