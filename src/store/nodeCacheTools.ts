/** Replaces `cacheTools.ts` in the Node build: storage for models in the cache folder of the user. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import * as v from 'valibot';
import { cacheFolder, readJsonFile, writeWhole } from '../util/nodeCacheFolder';
import { type CacheTools, type Piece, storedModelSchema, type StoredModel, type WithLock } from './cacheTools';
import { withFolderLock } from './nodeLock';

/** An interruption loses less than one piece. */
const PIECE_BYTES = 1 << 20;
const TAG_SUFFIX = '.etag';
/** Age of a temporary file after which it belongs to no process: an hour. */
const ABANDONED_MS = 3_600_000;

const pieces = (): string => cacheFolder('models', 'pieces');
const entries = (): string => cacheFolder('models', 'index');
const pathOfPiece = (name: string): string => join(pieces(), ...name.split('/'));
const pathOfEntry = (key: string): string => join(entries(), `${encodeURIComponent(key)}.json`);

/** Null for a missing file. Rethrows other errors. */
const unlessMissing = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT') return null;
  throw error;
};

const isTemporary = (path: string): boolean => path.endsWith('.tmp');

/** Deletes a temporary file that a process left when it was killed. No process writes one for that long. */
async function removeAbandoned(path: string): Promise<void> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  } catch {
    // Another process has renamed or deleted it, or the folder is read-only.
  }
}

/** Paths of all files below a folder; none if it is missing. @throws errors of a folder that cannot be read */
async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(unlessMissing);
  const paths = (found ?? []).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  await Promise.all(paths.filter(isTemporary).map(removeAbandoned));
  return paths.filter((path) => !isTemporary(path));
}

const pathsOfPieces = async (): Promise<string[]> => (await filesIn(pieces())).filter((path) => !path.endsWith(TAG_SUFFIX));
const nameOf = (path: string): string => relative(pieces(), path).split(sep).join('/');

export const diskShelf: CacheTools['shelf'] = {
  async put(name, { bytes, tag }) {
    const path = pathOfPiece(name);
    // Before the piece: a piece without its tag could be continued with bytes of another version.
    if (tag === null) await rm(path + TAG_SUFFIX, { force: true });
    else await writeWhole(path + TAG_SUFFIX, tag);
    await writeWhole(path, bytes);
  },
  async get(name): Promise<Piece | null> {
    const path = pathOfPiece(name);
    const content = await readFile(path).catch(unlessMissing);
    if (!content) return null;
    return { bytes: new Uint8Array(content), tag: await readFile(path + TAG_SUFFIX, 'utf8').catch(unlessMissing) };
  },
  names: async () => (await pathsOfPieces()).map(nameOf),
  async list() {
    return Promise.all((await pathsOfPieces()).map(async (path) => ({ name: nameOf(path), bytes: (await stat(path)).size })));
  },
  async delete(name) {
    const path = pathOfPiece(name);
    await rm(path, { force: true });
    await rm(path + TAG_SUFFIX, { force: true });
  },
};

/** Entries in the format of another release are ignored. */
const diskIndex: CacheTools['index'] = {
  async get(key) {
    const stored = await readJsonFile(pathOfEntry(key));
    return v.is(storedModelSchema, stored) ? stored : null;
  },
  set: (key, entry) => writeWhole(pathOfEntry(key), JSON.stringify(entry)),
  async list() {
    const stored = await Promise.all((await filesIn(entries())).map(readJsonFile));
    return stored.filter((entry): entry is StoredModel => v.is(storedModelSchema, entry));
  },
  delete: (key) => rm(pathOfEntry(key), { force: true }),
};

export const hostCacheTools = (): CacheTools => ({ shelf: diskShelf, index: diskIndex, storage: null, pieceBytes: PIECE_BYTES });

/** Node's own locks are for the threads of one process. */
export const processLock: WithLock | null = withFolderLock;

/** Why something could not be stored, as a clause. */
export const reasonOf = (error: unknown): string => `the folder ${cacheFolder('models')} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'no error code'})`;
