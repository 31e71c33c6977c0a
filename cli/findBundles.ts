/** Finds the golden bundles for the arguments of `compare`. */
import { existsSync, readdirSync, statSync, type Stats } from 'node:fs';
import { extname, join } from 'node:path';
import { isShipped } from '../src/store/manifest';

export interface FoundBundle {
  /** Path of a file or folder, or the id of a bundled model. */
  readonly bundle: string;
  /** Path of the graph of the same name beside the bundle; null if there is none. */
  readonly graph: string | null;
}

export interface SkippedFile {
  readonly path: string;
  /** Reason, as the end of a sentence that starts with the path. */
  readonly reason: string;
}

export interface FoundBundles {
  /** Whether the arguments are a single bundle, not several or a folder of bundles. */
  readonly isSingle: boolean;
  readonly bundles: readonly FoundBundle[];
  /** Files in folders that are not compared, without hidden files and folders. */
  readonly skipped: readonly SkippedFile[];
}

/** Endings of single-file bundles. If several files have the same name, the first ending takes precedence. */
const BUNDLE_ENDINGS = ['.zip', '.npz', '.safetensors'];
/** Folders for the tensors of a bundle without a manifest. */
const TENSOR_FOLDERS = ['inputs', 'stages'];

const byName = new Intl.Collator('en', { numeric: true }).compare;

/**
 * Treats each path as a bundle, or, if it is a folder but not a bundle, searches it and its subfolders for bundles.
 *
 * @param hasModel whether a graph is given for all bundles. Otherwise, a `.npz` or `.safetensors` file in a folder is a
 *   bundle only if there is a graph of the same name, because it could be a checkpoint.
 */
export function findBundles(paths: readonly string[], hasModel: boolean): FoundBundles {
  const bundles: FoundBundle[] = [];
  const skipped: SkippedFile[] = [];
  let numFolders = 0;
  for (const path of paths) {
    if (isShipped(path)) bundles.push({ bundle: path, graph: null });
    else if (statsOf(path)?.isDirectory() && !isBundleFolder(path)) {
      numFolders++;
      searchFolder(path, hasModel, bundles, skipped);
    } else bundles.push({ bundle: path, graph: graphBeside(path) });
  }
  return { isSingle: paths.length === 1 && numFolders === 0, bundles, skipped };
}

function searchFolder(folder: string, hasModel: boolean, bundles: FoundBundle[], skipped: SkippedFile[]): void {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  const names = new Set(entries.map(({ name }) => name));
  for (const entry of entries.sort((one, other) => byName(one.name, other.name))) {
    const path = join(folder, entry.name);
    const stats = statsOf(path);
    if (stats?.isDirectory()) {
      // A link can point to a parent folder.
      if (entry.isSymbolicLink()) skipped.push({ path, reason: 'is a link to a folder' });
      else if (isBundleFolder(path)) bundles.push({ bundle: path, graph: graphBeside(path) });
      else searchFolder(path, hasModel, bundles, skipped);
      continue;
    }
    const reason = reasonToSkip(entry.name, names, hasModel);
    if (reason === null) bundles.push({ bundle: path, graph: graphBeside(path) });
    else if (reason !== '') skipped.push({ path, reason });
  }
}

/** Reason why a file in a folder is not a bundle; null if it is one, empty if it belongs to one. */
function reasonToSkip(name: string, names: ReadonlySet<string>, hasModel: boolean): string | null {
  const ending = extname(name).toLowerCase();
  const stem = stemOf(name);
  if (ending === '.onnx') {
    return [...BUNDLE_ENDINGS, ''].some((end) => names.has(stem + end)) ? '' : 'is a graph without a bundle of the same name';
  }
  const place = BUNDLE_ENDINGS.indexOf(ending);
  if (place < 0) {
    const isOfGraph = [...names].some((other) => other.endsWith('.onnx') && name.startsWith(other));
    return isOfGraph ? '' : 'is not a golden bundle';
  }
  const other = BUNDLE_ENDINGS.slice(0, place).find((end) => names.has(stem + end));
  if (other !== undefined) return `has the same name as another bundle, ${stem}${other}`;
  return ending === '.zip' || hasModel || names.has(`${stem}.onnx`) ? null : `has no graph ${stem}.onnx beside it`;
}

/** Whether a folder has a manifest, is an ONNX test case, or contains tensors. */
function isBundleFolder(folder: string): boolean {
  const names = readdirSync(folder);
  if (names.includes('manifest.json') || names.some((name) => /^test_data_set_\d+$/.test(name))) return true;
  if (names.some((name) => BUNDLE_ENDINGS.includes(extname(name).toLowerCase()))) return false;
  const folders = TENSOR_FOLDERS.map((name) => join(folder, name)).filter((path) => statsOf(path)?.isDirectory());
  return [names, ...folders.map((path) => readdirSync(path))].some((files) => files.some((name) => /\.npy$/i.test(name)));
}

function graphBeside(bundle: string): string | null {
  const path = `${stemOf(bundle)}.onnx`;
  return path !== bundle && existsSync(path) ? path : null;
}

/** Name without the ending of a bundle or graph. Folder names can contain dots. */
const stemOf = (name: string): string => name.replace(/\.(zip|npz|npy|safetensors|onnx)$|\/+$/i, '');

/** Null if the file does not exist or cannot be read. */
function statsOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}
