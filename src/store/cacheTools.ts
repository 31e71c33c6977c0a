/** Storage of the browser for models. In the Node build, `nodeCacheTools.ts` replaces this module. */
import { createStore, del, get, set, values } from 'idb-keyval';
import * as v from 'valibot';

/** A cached part of a file. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The server's ETag of the file version; null if there was none. */
  readonly tag: string | null;
}

/** Storage of bytes by name. Any call may fail: storage may be blocked, full, or cleared by the browser. */
export interface Shelf {
  /** Stores the whole piece or nothing. */
  put(name: string, piece: Piece): Promise<void>;
  get(name: string): Promise<Piece | null>;
  /** Names of all entries. */
  names(): Promise<string[]>;
  /** Names and sizes of all entries. */
  list(): Promise<{ readonly name: string; readonly bytes: number }[]>;
  delete(name: string): Promise<void>;
}

export const storedModelSchema = v.object({
  id: v.string(),
  /** File name. */
  file: v.string(),
  bytes: v.number(),
  sha256: v.string(),
  /** SPDX identifier; null for a user's file of unknown hash. */
  license: v.nullable(v.string()),
  /** Milliseconds since the epoch. */
  storedAt: v.number(),
  /** The hash is not an accepted one. The user chose to trust the file. */
  trusted: v.boolean(),
  /** Present if the file was made from another one on this device: the SHA-256 of the original, and the name of the form. */
  made: v.exactOptional(v.object({ from: v.string(), as: v.string() })),
});

/** Index entry of a completely cached model file. */
export type StoredModel = Readonly<v.InferOutput<typeof storedModelSchema>>;

/** Index of the completely cached files. Any call may fail, like those of {@link Shelf}. */
interface Index {
  get(key: string): Promise<StoredModel | null>;
  set(key: string, entry: StoredModel): Promise<void>;
  list(): Promise<StoredModel[]>;
  delete(key: string): Promise<void>;
}

/**
 * Runs `work` while no other tab or worker of this site, or in Node no other process or thread, runs work under the same name. Without
 * locks, outside a secure context, it runs `work` immediately. `onWait` is called if other work has to end first.
 */
export type WithLock = <Result>(name: string, work: () => Promise<Result>, signal?: AbortSignal, onWait?: () => void) => Promise<Result>;

/** Locks between processes. A browser has its own for all tabs. */
export const processLock: WithLock | null = null;

const CACHE = 'voxlane-models';
/** Caches are keyed by address. No host has this address. */
const ADDRESS = 'https://voxlane.invalid/';
const SIZE_HEADER = 'content-length';
const TAG_HEADER = 'etag';

/**
 * Shelf on the Cache API. Puts are atomic, and it works in pages and workers of every browser, while writing to OPFS
 * requires a worker's exclusive handle. Outside a secure context there is no Cache API, and each call fails.
 */
export const cacheShelf: Shelf = {
  async put(name, { bytes, tag }) {
    const headers = { [SIZE_HEADER]: String(bytes.length), ...(tag !== null && { [TAG_HEADER]: tag }) };
    await (await caches.open(CACHE)).put(ADDRESS + name, new Response(bytes, { headers }));
  },
  async get(name) {
    const response = await (await caches.open(CACHE)).match(ADDRESS + name);
    if (!response) return null;
    return { bytes: new Uint8Array(await response.arrayBuffer()), tag: response.headers.get(TAG_HEADER) };
  },
  async names() {
    return (await (await caches.open(CACHE)).keys()).map(({ url }) => url.slice(ADDRESS.length));
  },
  async list() {
    const cache = await caches.open(CACHE);
    const listed = [];
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      const bytes = Number(response?.headers.get(SIZE_HEADER) ?? 0);
      listed.push({ name: request.url.slice(ADDRESS.length), bytes });
    }
    return listed;
  },
  async delete(name) {
    await (await caches.open(CACHE)).delete(ADDRESS + name);
  },
};

/** A separate database, so other stored data never looks like a model. Opened at first use. */
let opened: ReturnType<typeof createStore> | undefined;
const database = (): ReturnType<typeof createStore> => (opened ??= createStore('voxlane-models', 'files'));

/** Index in IndexedDB. Entries in the format of another release are ignored. */
const databaseIndex: Index = {
  async get(key) {
    const stored: unknown = await get(key, database());
    return v.is(storedModelSchema, stored) ? stored : null;
  },
  async set(key, entry) {
    await set(key, entry, database());
  },
  async list() {
    const stored: unknown[] = await values(database());
    return stored.filter((entry) => v.is(storedModelSchema, entry));
  },
  async delete(key) {
    await del(key, database());
  },
};

/** An interruption loses less than one piece. Smaller pieces are not worth a separate file. */
const PIECE_BYTES = 1 << 20;

/** Dependencies of a {@link ModelCache}. */
export interface CacheTools {
  readonly shelf: Shelf;
  readonly index: Index;
  readonly storage: Pick<StorageManager, 'estimate' | 'persist' | 'persisted'> | null;
  readonly pieceBytes: number;
}

/** The browser's implementations. Outside a secure context `navigator.storage` is missing, despite its type. */
export function hostCacheTools(): CacheTools {
  const { storage } = navigator as { readonly storage?: StorageManager };
  return { shelf: cacheShelf, index: databaseIndex, storage: storage ?? null, pieceBytes: PIECE_BYTES };
}

/** Why something could not be stored, as a clause. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'QuotaExceededError') return 'the storage of this browser is full';
  if (typeof caches === 'undefined') return 'this address is not secure (https), so the browser stores no large files';
  console.warn(error);
  return 'the browser refused to store it';
}
