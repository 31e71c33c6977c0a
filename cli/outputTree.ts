import { extname, join, relative, resolve, sep } from 'node:path';

/** A file with results. */
interface Source {
  readonly path: string;
  /** The results keep the folders below this one. */
  readonly base: string;
}

/**
 * The path of each file's results below the output folder, without suffix, with `/` between folders.
 *
 * The folders below a source's `base` are kept: `a/talk` for `in/a/talk.mp3` with base `in`. If two files would have the same
 * results, all of them keep the folders below their common folder: `b/x` and `c/x` for `in/b/x.wav` and `in/c/x.wav`. The name
 * has no ending unless another file of the folder differs only in its ending: `talk.mp3` if there is a `talk.wav`.
 *
 * @param sources with distinct paths
 */
export function resultNames(sources: readonly Source[]): string[] {
  const own = sources.map(({ path, base }) => within(path, base));
  const areDistinct = new Set(own).size === own.length;
  const common = areDistinct ? '' : commonFolder(sources.map(({ path }) => resolve(path)));
  const full = areDistinct ? own : sources.map(({ path }) => within(path, common));
  const names = full.map(withoutEnding);
  for (;;) {
    const counts = new Map<string, number>();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    const shared = names.flatMap((name, index) => (counts.get(name)! > 1 ? [index] : []));
    if (shared.length === 0) return names;
    for (const index of shared) names[index] = full[index]!;
  }
}

/** The path relative to a folder; the file name alone if it is not inside. */
function within(path: string, folder: string): string {
  const parts = relative(folder, path).split(sep);
  return parts[0] === '..' || parts[0] === '' ? parts.at(-1)! : parts.join('/');
}

function withoutEnding(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

/** The deepest folder that contains all files. */
function commonFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => path.split(sep).slice(0, -1));
  const [first = []] = folders;
  const depth = first.findIndex((part, index) => folders.some((other) => other[index] !== part));
  return join(first.slice(0, depth < 0 ? first.length : depth).join(sep), sep);
}
