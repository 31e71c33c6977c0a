import { createStore, del, get, set, values } from 'idb-keyval';
import * as v from 'valibot';

/** A kept part of a file. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The server's tag of the version that it is of; null where there was none. */
  readonly tag: string | null;
}

/** Where bytes are kept, by name. Any call may fail: storage may be blocked, full, or cleared by the browser. */
export interface Shelf {
  /** Whole or not at all. */
  put(name: string, piece: Piece): Promise<void>;
  get(name: string): Promise<Piece | null>;
  /** Names and sizes of all that is kept. */
  list(): Promise<{ readonly name: string; readonly bytes: number }[]>;
  delete(name: string): Promise<void>;
}

const storedModelSchema = v.object({
  id: v.string(),
  /** Name of the file. */
  file: v.string(),
  bytes: v.number(),
  sha256: v.string(),
  /** SPDX identifier; null for a file of the user's that nobody knows. */
  licence: v.nullable(v.string()),
  /** Milliseconds since the epoch. */
  storedAt: v.number(),
  /** Its hash is none of the accepted ones, and it was kept on the user's word. */
  trusted: v.boolean(),
});

/** A model file that is kept whole, as the index tells it. */
export type StoredModel = Readonly<v.InferOutput<typeof storedModelSchema>>;

/** Which files are kept whole. Any call may fail, like those of {@link Shelf}. */
export interface Index {
  get(key: string): Promise<StoredModel | null>;
  set(key: string, entry: StoredModel): Promise<void>;
  list(): Promise<StoredModel[]>;
  delete(key: string): Promise<void>;
}

const CACHE = 'voxlane-models';
/** Caches are keyed by address. No host has this one. */
const ADDRESS = 'https://voxlane.invalid/';
const SIZE_HEADER = 'content-length';
const TAG_HEADER = 'etag';

/**
 * The Cache API: puts are whole or nothing, and pages and workers of every browser have it, where writing to OPFS wants
 * a worker's exclusive handle. There is none outside a secure context: each call fails.
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

/** A database of its own, so that what else is remembered never looks like a model. Opened at the first use. */
let opened: ReturnType<typeof createStore> | undefined;
const database = (): ReturnType<typeof createStore> => (opened ??= createStore('voxlane-models', 'files'));

/** IndexedDB. Entries that an older or a newer release wrote in another form are as good as absent. */
export const databaseIndex: Index = {
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
