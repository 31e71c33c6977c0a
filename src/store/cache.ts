import { createStore, del, get, set, values } from 'idb-keyval';
import * as v from 'valibot';
import { sha256Hex } from '../util/hash';

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
  license: v.nullable(v.string()),
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

/** Whether a file was kept, and if not, why. */
export type Kept = { readonly stored: true } | { readonly stored: false; readonly reason: string };

/** What the models take up, in bytes. */
export interface StoreUsage {
  /** Of the whole files. */
  readonly storedBytes: number;
  /** Of files of which only a part has arrived, or that another version of the manifest wanted. */
  readonly unfinishedBytes: number;
  /** What the browser lets this site keep in all; null where it does not say. */
  readonly quotaBytes: number | null;
  /** The browser does not clear it by itself. */
  readonly persisted: boolean;
}

/** A cut costs at most this much, and less than this is never worth a file of its own. */
const PIECE_BYTES = 1 << 20;

/** What a {@link ModelCache} is built on. */
export interface CacheTools {
  readonly shelf: Shelf;
  readonly index: Index;
  readonly storage: Pick<StorageManager, 'estimate' | 'persist' | 'persisted'> | null;
  readonly pieceBytes: number;
}

/** Those of the browser. Outside a secure context it has no `navigator.storage`, whatever its type says. */
export function browserCacheTools(): CacheTools {
  const { storage } = navigator as { readonly storage?: StorageManager };
  return { shelf: cacheShelf, index: databaseIndex, storage: storage ?? null, pieceBytes: PIECE_BYTES };
}

/**
 * Models that are kept from one visit to the next.
 *
 * A file lies on the shelf in pieces of one size, each named by model, hash and number: what had arrived before a cut
 * is the beginning of the kept file, and nothing is copied when it is whole. It counts as kept once the index says so,
 * and is given out only when its hash is right. Storage that fails makes nothing else fail.
 */
export class ModelCache {
  constructor(private readonly tools: CacheTools = browserCacheTools()) {}

  /** Whole files, latest first; none where the browser keeps nothing. */
  async list(): Promise<StoredModel[]> {
    try {
      return (await this.tools.index.list()).sort((a, b) => b.storedAt - a.storedAt);
    } catch {
      return [];
    }
  }

  /** Bytes of a kept file, checked by hash. Null where they are damaged or gone: what is left of them is deleted. */
  async read({ id, sha256, bytes }: StoredModel): Promise<Uint8Array<ArrayBuffer> | null> {
    const kept = this.file(id, sha256, bytes);
    const buffer = allocate(bytes);
    if (buffer) {
      const { receivedBytes } = await kept.read(buffer);
      if (receivedBytes === bytes && (await sha256Hex(buffer)) === sha256) return buffer;
    }
    await kept.clear();
    return null;
  }

  /** The file of `id` with this hash and length, as far as it is kept. */
  file(id: string, sha256: string, bytes: number): KeptFile {
    return new KeptFile(this.tools, fileKey(id, sha256), bytes);
  }

  /** Deletes everything of the model, parts that never became whole too. False where the browser refuses. */
  async delete(id: string): Promise<boolean> {
    const { index, shelf } = this.tools;
    try {
      for (const entry of await index.list()) {
        // Before the bytes: a file that the index does not know is never read.
        if (entry.id === id) await index.delete(fileKey(id, entry.sha256));
      }
      await deleteAll(shelf, `${encodeURIComponent(id)}/`);
      return true;
    } catch {
      return false;
    }
  }

  async usage(): Promise<StoreUsage> {
    const { shelf, storage } = this.tools;
    const storedBytes = (await this.list()).reduce((sum, { bytes }) => sum + bytes, 0);
    const pieces = await shelf.list().catch(() => []);
    const shelfBytes = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
    const estimate = await storage?.estimate().catch(() => null);
    return {
      storedBytes,
      unfinishedBytes: Math.max(0, shelfBytes - storedBytes),
      quotaBytes: estimate?.quota ?? null,
      persisted: (await storage?.persisted().catch(() => false)) ?? false,
    };
  }

  /** Asks the browser not to clear the models by itself. Some ask the user in turn: only on a click of theirs. */
  async persist(): Promise<boolean> {
    return (await this.tools.storage?.persist().catch(() => false)) ?? false;
  }
}

/** The beginning of a file that has arrived. */
export interface Beginning {
  readonly receivedBytes: number;
  /** The server's tag of the version that it is of. */
  readonly tag: string | null;
}

/** One file on the shelf, while it is read or written. */
export class KeptFile {
  /** Pieces that are known to lie on the shelf, from the first one on. */
  private numWritten = 0;
  /** Why pieces are missing. */
  private failure: string | null = null;

  constructor(
    private readonly tools: CacheTools,
    private readonly key: string,
    private readonly bytes: number,
  ) {}

  /** Reads the pieces into `buffer`, one after another until one is missing, of a wrong size or of another version. */
  async read(buffer: Uint8Array): Promise<Beginning> {
    let [receivedBytes, tag] = [0, null as string | null];
    this.numWritten = 0;
    try {
      while (receivedBytes < this.bytes) {
        const piece = await this.tools.shelf.get(this.pieceName(this.numWritten));
        if (piece?.bytes.length !== this.pieceEnd(this.numWritten) - receivedBytes) break;
        if (this.numWritten > 0 && piece.tag !== tag) break;
        buffer.set(piece.bytes, receivedBytes);
        tag = piece.tag;
        receivedBytes += piece.bytes.length;
        this.numWritten++;
      }
    } catch {
      // What was read so far is sound.
    }
    return { receivedBytes, tag };
  }

  /** Keeps those pieces of `buffer` that have arrived whole. Once that has failed, nothing more is tried. */
  async write(buffer: Uint8Array<ArrayBuffer>, receivedBytes: number, tag: string | null): Promise<void> {
    while (this.failure === null && this.numWritten < this.numPieces) {
      const end = this.pieceEnd(this.numWritten);
      if (end > receivedBytes) return;
      const bytes = buffer.subarray(this.numWritten * this.tools.pieceBytes, end);
      try {
        await this.tools.shelf.put(this.pieceName(this.numWritten), { bytes, tag });
        this.numWritten++;
      } catch (error) {
        this.failure = reasonOf(error);
      }
    }
  }

  /** Makes the written pieces a kept file. Where some could not be kept, the others are deleted: they only fill the disk. */
  async finish(entry: StoredModel): Promise<Kept> {
    try {
      if (this.failure === null) await this.tools.index.set(this.key, entry);
    } catch (error) {
      this.failure = reasonOf(error);
    }
    if (this.failure === null) return { stored: true };
    const reason = this.failure;
    await this.clear();
    return { stored: false, reason };
  }

  /** Deletes what there is of the file. */
  async clear(): Promise<void> {
    this.numWritten = 0;
    try {
      await this.tools.index.delete(this.key);
      await deleteAll(this.tools.shelf, `${this.key}/`);
    } catch {
      // What is left is found damaged when it is read.
    }
  }

  private get numPieces(): number {
    return Math.ceil(this.bytes / this.tools.pieceBytes);
  }

  /** Where a piece ends in the file. */
  private pieceEnd(index: number): number {
    return Math.min(this.bytes, (index + 1) * this.tools.pieceBytes);
  }

  private pieceName(index: number): string {
    return `${this.key}/${index}`;
  }
}

const fileKey = (id: string, sha256: string): string => `${encodeURIComponent(id)}/${sha256}`;

async function deleteAll(shelf: Shelf, prefix: string): Promise<void> {
  for (const { name } of await shelf.list()) {
    if (name.startsWith(prefix)) await shelf.delete(name);
  }
}

/** Null where there is not that much memory, or where a damaged index asks for nonsense. */
function allocate(bytes: number): Uint8Array<ArrayBuffer> | null {
  try {
    return new Uint8Array(bytes);
  } catch {
    return null;
  }
}

/** Why something could not be kept, as a clause of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'QuotaExceededError') return 'the storage of this browser is full';
  if (typeof caches === 'undefined') return 'this address is not secure (https), where browsers keep nothing large';
  console.warn(error);
  return 'this browser keeps nothing here';
}
