import { VoxlaneError } from '../util/errors';
import { sha256Hex } from '../util/hash';
import type { ByteSink } from './byteSink';
import { type CacheTools, hostCacheTools, type StoredModel } from './cacheTools';
import { hashSource, type HashOptions } from './hashSource';
import { deletePieces, pieceName, PieceSink, PieceSource } from './pieces';
import type { Beginning } from './receiver';
import { notDeleted, whyNotStored } from './storageFailure';
import { StreamedFile } from './streamedFile';

/** Whether a file was cached and, if not, why. */
export type Kept = { readonly stored: true } | { readonly stored: false; readonly reason: string };

/** Storage used by the models, in bytes. */
export interface StoreUsage {
  /** Of the complete files. */
  readonly storedBytes: number;
  /** Of incomplete files, and of files that another version of the manifest used. */
  readonly unfinishedBytes: number;
  /** Storage quota of this site; null if the browser does not report it. */
  readonly quotaBytes: number | null;
  /** The browser does not clear the storage by itself. */
  readonly persisted: boolean;
}

/**
 * Caches models between visits.
 *
 * A file is stored in pieces of equal size, named by model, hash and number. The pieces received before an
 * interruption are already the beginning of the cached file, so nothing is copied when the file is complete. A file
 * counts as cached once it is in the index, and it is returned only if its hash is correct. Storage failures never
 * cause other failures.
 */
export class ModelCache {
  constructor(private readonly tools: CacheTools = hostCacheTools()) {}

  /** Complete files, latest first; empty if the browser stores nothing. */
  async list(): Promise<StoredModel[]> {
    try {
      return (await this.tools.index.list()).sort((a, b) => b.storedAt - a.storedAt);
    } catch {
      return [];
    }
  }

  /** Bytes of a cached file, verified by hash. Null if they are damaged or gone; the rest is then deleted. */
  async read(entry: StoredModel): Promise<Uint8Array<ArrayBuffer> | null> {
    const { sha256, bytes } = entry;
    const kept = new KeptFile(this.tools, keyOf(entry), bytes);
    const buffer = allocate(bytes);
    if (buffer) {
      const { receivedBytes } = await kept.read(buffer);
      if (receivedBytes === bytes && (await sha256Hex(buffer)) === sha256) return buffer;
    }
    await kept.clear();
    return null;
  }

  /**
   * A cached file to read at any position, without loading it. It is verified by hash first, piece by piece. Null if it is
   * damaged or gone; the rest is then deleted.
   *
   * @throws VoxlaneError `cancelled`
   */
  async open(entry: StoredModel, options: HashOptions = {}): Promise<PieceSource | null> {
    const source = this.source(entry);
    if (await hasHash(source, entry.sha256, options)) return source;
    await this.remove(entry);
    return null;
  }

  /** A cached file to read at any position. It must have been verified or written in this visit. */
  source(entry: StoredModel): PieceSource {
    return new PieceSource(this.tools, keyOf(entry), entry.file, entry.bytes);
  }

  /** The file of `id` that was made from another one; null if there is none. */
  async findMade(id: string, { from, as }: Made): Promise<StoredModel | null> {
    const isWanted = ({ id: other, made }: StoredModel): boolean => other === id && made?.from === from && made.as === as;
    return (await this.list()).find(isWanted) ?? null;
  }

  /**
   * Stores a file that is made from another one. An earlier one of the same form and origin is deleted first.
   *
   * @param entry facts that are known before the file is complete
   * @param bytes expected size, for errors
   */
  async makeFile(entry: Omit<StoredModel, 'bytes' | 'sha256' | 'storedAt'> & { readonly made: Made }, bytes: number): Promise<ByteSink> {
    const key = keyOf({ ...entry, sha256: '' });
    await new KeptFile(this.tools, key, 0).clear();
    return new PieceSink(this.tools, key, { name: entry.file, bytes }, (facts) => this.tools.index.set(key, { ...entry, ...facts, storedAt: Date.now() }));
  }

  /** Deletes one file. Never rejects: remaining pieces of a failed deletion are never read. */
  async remove(entry: StoredModel): Promise<void> {
    await this.drop(entry).catch(() => undefined);
  }

  /** Deletes one file. @throws VoxlaneError `storage` if the browser refuses */
  async drop(entry: StoredModel): Promise<void> {
    const { index, shelf } = this.tools;
    const key = keyOf(entry);
    try {
      // Before the bytes: a file that is not in the index is never read.
      await index.delete(key);
      await deletePieces(shelf, `${key}/`);
    } catch (cause) {
      throw notDeleted(entry.file, cause);
    }
  }

  /** A file that is stored while it is downloaded, without holding it in memory. */
  streamedFile(entry: Omit<StoredModel, 'storedAt'>): StreamedFile {
    const key = keyOf(entry);
    return new StreamedFile(this.tools, key, { name: entry.file, bytes: entry.bytes }, () => this.tools.index.set(key, { ...entry, storedAt: Date.now() }));
  }

  /** The possibly incomplete file of `id` with this hash and length. */
  file(id: string, sha256: string, bytes: number): KeptFile {
    return new KeptFile(this.tools, fileKey(id, sha256), bytes);
  }

  /** Incomplete files: the number of pieces by key. Only the last piece of a complete file is shorter than the others. */
  private async unfinished(): Promise<ReadonlyMap<string, number>> {
    const { index, shelf } = this.tools;
    const complete = new Set((await index.list()).map(keyOf));
    const files = new Map<string, number>();
    for (const name of await shelf.names()) {
      const key = name.slice(0, name.lastIndexOf('/'));
      if (!complete.has(key)) files.set(key, (files.get(key) ?? 0) + 1);
    }
    return files;
  }

  /** Bytes of an interrupted download that are stored, so that the next one continues there. 0 if there is none, and without storage. */
  async receivedBytes(id: string, { sha256, bytes }: { readonly sha256: string; readonly bytes: number }): Promise<number> {
    const unfinished = await this.unfinished().catch(() => new Map<string, number>());
    return Math.min(bytes, (unfinished.get(fileKey(id, sha256)) ?? 0) * this.tools.pieceBytes);
  }

  /** Deletes the incomplete files of the model that were made from another one. Incomplete downloads stay. @throws errors of the storage */
  async discardUnfinished(id: string): Promise<void> {
    for (const key of (await this.unfinished()).keys()) {
      if (key.startsWith(fileKey(id, '')) && isMade(key)) await deletePieces(this.tools.shelf, `${key}/`);
    }
  }

  /** Deletes all data of the model, including incomplete files. False if the browser refuses. */
  async delete(id: string): Promise<boolean> {
    const { index, shelf } = this.tools;
    try {
      for (const entry of await index.list()) {
        // Before the bytes: a file that is not in the index is never read.
        if (entry.id === id) await index.delete(keyOf(entry));
      }
      await deletePieces(shelf, `${encodeURIComponent(id)}/`);
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

  /** Requests persistent storage from the browser. Some browsers prompt the user, so call it only on a click. */
  async persist(): Promise<boolean> {
    return (await this.tools.storage?.persist().catch(() => false)) ?? false;
  }
}

/** One file on the shelf while it is read or written. */
export class KeptFile {
  /** Number of consecutive pieces, from the first, that are on the shelf. */
  private numWritten = 0;
  /** Why pieces are missing. */
  private failure: string | null = null;

  constructor(
    private readonly tools: CacheTools,
    private readonly key: string,
    private readonly bytes: number,
  ) {}

  /** Reads consecutive pieces into `buffer` until one is missing or has the wrong size or version. */
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
      // The pieces read so far are valid.
    }
    return { receivedBytes, tag };
  }

  /** Stores the completely received pieces of `buffer`. After a failure, later calls do nothing. */
  async write(buffer: Uint8Array<ArrayBuffer>, receivedBytes: number, tag: string | null): Promise<void> {
    while (this.failure === null && this.numWritten < this.numPieces) {
      const end = this.pieceEnd(this.numWritten);
      if (end > receivedBytes) return;
      const bytes = buffer.subarray(this.numWritten * this.tools.pieceBytes, end);
      try {
        await this.tools.shelf.put(this.pieceName(this.numWritten), { bytes, tag });
        this.numWritten++;
      } catch (error) {
        this.failure = await this.whyNot(error);
      }
    }
  }

  /**
   * Adds the written file to the index. If a piece could not be stored, deletes the others, because they only use
   * space.
   */
  async finish(entry: StoredModel): Promise<Kept> {
    try {
      if (this.failure === null) await this.tools.index.set(this.key, entry);
    } catch (error) {
      this.failure = await this.whyNot(error);
    }
    if (this.failure === null) return { stored: true };
    const reason = this.failure;
    await this.clear();
    return { stored: false, reason };
  }

  private whyNot(error: unknown): Promise<string> {
    return whyNotStored(error, { bytes: this.bytes, storedBytes: Math.min(this.bytes, this.numWritten * this.tools.pieceBytes) }, this.tools.storage);
  }

  /** Deletes all pieces of the file. */
  async clear(): Promise<void> {
    this.numWritten = 0;
    try {
      await this.tools.index.delete(this.key);
      await deletePieces(this.tools.shelf, `${this.key}/`);
    } catch {
      // A later read detects remaining pieces as damaged.
    }
  }

  private get numPieces(): number {
    return Math.ceil(this.bytes / this.tools.pieceBytes);
  }

  /** End of a piece within the file. */
  private pieceEnd(index: number): number {
    return Math.min(this.bytes, (index + 1) * this.tools.pieceBytes);
  }

  private pieceName(index: number): string {
    return pieceName(this.key, index);
  }
}

/** @throws errors other than those of a missing piece: that the hash cannot be computed does not mean that the file is damaged */
async function hasHash(source: PieceSource, sha256: string, options: HashOptions): Promise<boolean> {
  try {
    return (await hashSource(source, options)) === sha256;
  } catch (error) {
    if (error instanceof VoxlaneError && error.code === 'model-altered') return false;
    throw error;
  }
}

/** The origin and the form of a file that was made from another one. */
export type Made = NonNullable<StoredModel['made']>;

/** Key of a file in the index. The hash of a made file is not known before it is complete. */
const keyOf = ({ id, sha256, made }: Pick<StoredModel, 'id' | 'sha256' | 'made'>): string =>
  fileKey(id, made ? `${made.from}.${made.as}` : sha256);

/** Hashes have no dot, unlike the part of a made file's key that follows the id. */
const isMade = (key: string): boolean => key.slice(key.lastIndexOf('/')).includes('.');

const fileKey = (id: string, sha256: string): string => `${encodeURIComponent(id)}/${sha256}`;

/** Null if there is not enough memory, or if a damaged index contains an invalid size. */
function allocate(bytes: number): Uint8Array<ArrayBuffer> | null {
  try {
    return new Uint8Array(bytes);
  } catch {
    return null;
  }
}
