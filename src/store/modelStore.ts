import { VoxlaneError } from '../util/errors';
import { sha256Hex } from '../util/hash';
import { OTHER_USER } from '../util/host';
import { type Kept, type KeptFile, ModelCache, type StoreUsage } from './cache';
import { processLock, type StoredModel, type WithLock } from './cacheTools';
import { browserDownloadTools, download, downloadTo, type DownloadProgress, type DownloadTools } from './download';
import { cancelled, unavailable } from './load';
import { acceptedFile, type AcceptedFile, addressOf, type ModelPlaces, type Sources } from './sources';

/** @throws VoxlaneError `cancelled` if `signal` fires while waiting; errors of `work` */
export const withBrowserLock: WithLock = async (name, work, signal, onWait) => {
  // Node 20, in which unit tests run, has no navigator.
  const { locks } = ((globalThis as { readonly navigator?: object }).navigator ?? {}) as { readonly locks?: LockManager };
  if (!locks) return work();
  const grant = { isGiven: false };
  const granted = (): ReturnType<typeof work> => {
    grant.isGiven = true;
    return work();
  };
  const withoutLock = (error: unknown): ReturnType<typeof work> => {
    if (grant.isGiven) throw error;
    if (signal?.aborted === true) throw cancelled();
    // A page with an opaque origin may have the interface but not the permission.
    return work();
  };
  if (onWait) {
    try {
      const now = await locks.request(name, { ifAvailable: true }, async (lock) => (lock ? { result: await granted() } : null));
      if (now) return now.result;
    } catch (error) {
      return withoutLock(error);
    }
    // Its errors are not those of a lock: the work must not run without the lock because of them.
    onWait();
  }
  try {
    return await locks.request(name, signal ? { signal } : {}, granted);
  } catch (error) {
    return withoutLock(error);
  }
};

/** Locks of the host. */
export const withHostLock: WithLock = processLock ?? withBrowserLock;

/** Name of the lock of conversions. Two tabs would otherwise write the same pieces. */
export const weightsLock = (id: string): string => `voxlane-weights/${id}`;

/** Name of the lock of downloads. It is requested after that of conversions, if both are needed. */
const downloadLock = (id: string): string => `voxlane-model/${id}`;

/** How long a deletion waits for other work on the model. The end of a canceled start takes less; the download of another tab takes minutes. */
const DELETION_WAIT_MS = 5000;

export type { StoreUsage } from './cache';
export type { StoredModel, WithLock } from './cacheTools';
export type { DownloadProgress } from './download';

/** Options of {@link ModelStore.getModel}. */
export interface GetModelOptions extends ModelPlaces {
  /** A file from the user. Nothing else is considered. */
  readonly dropped?: Blob | undefined;
  /**
   * Accepts a file of unknown hash: stores `dropped`, or returns a file that was stored this way. Set it only if the
   * user wants the file and the caller has checked its shape and values. Without it, a stored file of unknown hash is
   * ignored.
   */
  readonly trustUnknown?: boolean | undefined;
  /** Called for each chunk of a download, never for a cached file. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Source of the bytes in this call. */
type ModelOrigin = 'bundled' | 'cache' | 'network' | 'dropped';

/** A model's file. All its bytes match `sha256`. */
export interface ModelFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  /** File name. */
  readonly file: string;
  /** SPDX identifier; null for a file with an unknown hash. */
  readonly license: string | null;
  readonly origin: ModelOrigin;
  /** The hash is not an accepted one: the user brought the file, now or on an earlier visit. */
  readonly unknown: boolean;
  /** The file is available at the next visit without a download. */
  readonly stored: boolean;
  /** A note for the user, as a sentence without a period; null if there is none. */
  readonly note: string | null;
}

/** Dependencies of a {@link ModelStore}; by default, the browser's. */
export interface ModelStoreTools {
  readonly cache: ModelCache;
  readonly downloads: DownloadTools;
  readonly withLock: WithLock;
}

/** Provides models from all sources: bundled, downloaded, dropped on the page, or cached on an earlier visit. */
export class ModelStore {
  private readonly cache: ModelCache;
  private readonly downloads: DownloadTools;
  private readonly withLock: WithLock;

  constructor({ cache, downloads, withLock }: Partial<ModelStoreTools> = {}) {
    this.cache = cache ?? new ModelCache();
    this.downloads = downloads ?? browserDownloadTools;
    this.withLock = withLock ?? withHostLock;
  }

  /**
   * Returns the model's file: `dropped`, otherwise the cached file, otherwise the first accepted file that has an
   * address and can be fetched. With browser locks, two tabs that request the same model download it once.
   *
   * @throws VoxlaneError `model-missing`, `model-altered`, `model-download`, `cancelled`
   */
  async getModel(id: string, sources: Sources, options: GetModelOptions): Promise<ModelFile> {
    if (options.signal?.aborted === true) throw cancelled();
    const { dropped } = options;
    if (dropped) return this.take(id, sources, dropped, options.trustUnknown === true);
    const isTrusting = options.trustUnknown === true;
    const kept = await this.readKept(id, sources, isTrusting);
    if (kept.model) return kept.model;
    const work = async (): Promise<ModelFile> => {
      // Another tab may have fetched it while this one waited for the lock.
      const meanwhile = await this.readKept(id, sources, isTrusting);
      if (meanwhile.model) return meanwhile.model;
      const note = kept.note ?? meanwhile.note;
      return orWithNote(note, () => this.fetchFirst(id, sources, options, (file, address) => this.fetchFile(id, file, address, options, note)));
    };
    return this.withLock(downloadLock(id), work, options.signal);
  }

  /**
   * Downloads the first accepted file that can be fetched into the cache, without holding it in memory.
   *
   * @returns the file in the cache
   * @throws VoxlaneError `storage` if it cannot be stored: what was received stays, and {@link getModel} or a later call continues
   *   there; else like {@link getModel}
   */
  async storeModel(id: string, sources: Sources, options: Omit<GetModelOptions, 'dropped' | 'trustUnknown'>): Promise<StoredModel> {
    const work = async (): Promise<StoredModel> => {
      // Another tab may have stored it while this one waited for the lock.
      const meanwhile = await this.find(id, sources);
      return meanwhile ?? (await this.fetchFirst(id, sources, options, (file, address) => this.fetchIntoCache(id, file, address, options)));
    };
    return this.withLock(downloadLock(id), work, options.signal);
  }

  /**
   * The cached file that {@link getModel} would use, according to the index; null if it would fetch one.
   *
   * @param trustUnknown as in {@link GetModelOptions}
   */
  async find(id: string, sources: Sources, trustUnknown = false): Promise<StoredModel | null> {
    return (await this.findAll(id, sources, trustUnknown))[0] ?? null;
  }

  /** Bytes of an interrupted download of an accepted file that are stored; 0 if there is none. */
  async receivedBytes(id: string, sources: Sources): Promise<number> {
    const received = await Promise.all(sources.map((file) => this.cache.receivedBytes(id, file)));
    return received.find((bytes) => bytes > 0) ?? 0;
  }

  /** All cached models, latest first. */
  list(): Promise<StoredModel[]> {
    return this.cache.list();
  }

  /**
   * Deletes all cached data of a model. False if the browser refuses.
   *
   * @throws VoxlaneError `storage` like {@link whileIdle}
   */
  delete(id: string): Promise<boolean> {
    return this.whileIdle(id, () => this.cache.delete(id));
  }

  /**
   * Runs work that deletes files of a model, while no tab or worker downloads or converts it: the file would be incomplete, but counted
   * as stored.
   *
   * @throws VoxlaneError `storage` if another tab or worker does so for longer than a few seconds; errors of `work`
   */
  async whileIdle<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const waiting = new AbortController();
    const stopWaiting = this.downloads.after(DELETION_WAIT_MS, () => {
      waiting.abort();
    });
    const turn = { isGiven: false };
    const idle = (): Promise<Result> => {
      turn.isGiven = true;
      return work();
    };
    try {
      return await this.withLock(weightsLock(id), () => this.withLock(downloadLock(id), idle, waiting.signal), waiting.signal);
    } catch (error) {
      if (turn.isGiven || !waiting.signal.aborted) throw error;
      throw inUse(id);
    } finally {
      stopWaiting();
    }
  }

  /**
   * Deletes the pieces of conversions that were interrupted. Downloads stay, because they can continue. Waits for a conversion in
   * another tab or worker, which deletes or completes its own pieces. Never rejects.
   */
  async discardUnfinishedConversions(id: string): Promise<void> {
    await this.withLock(weightsLock(id), () => this.cache.discardUnfinished(id)).catch(() => undefined);
  }

  usage(): Promise<StoreUsage> {
    return this.cache.usage();
  }

  /** Requests persistent storage from the browser. Some browsers prompt the user, so call it only on a click. */
  persist(): Promise<boolean> {
    return this.cache.persist();
  }

  private async findAll(id: string, sources: Sources, trustUnknown: boolean): Promise<StoredModel[]> {
    const isAccepted = (entry: StoredModel): boolean =>
      (trustUnknown && entry.trusted) || acceptedFile(sources, entry.sha256) !== null;
    return (await this.cache.list()).filter((entry) => entry.id === id && !entry.made && isAccepted(entry));
  }

  /** The latest valid cached file. Deletes damaged files. */
  private async readKept(
    id: string,
    sources: Sources,
    trustUnknown: boolean,
  ): Promise<{ model: ModelFile | null; note: string | null }> {
    let note: string | null = null;
    for (const entry of await this.findAll(id, sources, trustUnknown)) {
      const bytes = await this.cache.read(entry);
      if (bytes) {
        const { sha256, file, license } = entry;
        const unknown = acceptedFile(sources, sha256) === null;
        const whole = unknown ? joinNotes(note, trustedNote(id, file, sha256)) : note;
        return { model: { bytes, sha256, file, license, origin: 'cache', unknown, stored: true, note: whole }, note };
      }
      note = `The cached file ${entry.file} was damaged and has been deleted`;
    }
    return { model: null, note };
  }

  private async take(id: string, sources: Sources, dropped: Blob, trustUnknown: boolean): Promise<ModelFile> {
    const name = dropped instanceof File ? dropped.name : 'an unnamed file';
    const bytes = await bytesOf(dropped, name);
    const sha256 = await sha256Hex(bytes);
    const accepted = acceptedFile(sources, sha256);
    const unknown = accepted === null;
    const { file, license } = accepted ? { file: accepted.name, license: accepted.license } : { file: name, license: null };
    const found = { bytes, sha256, file, license, origin: 'dropped', unknown } as const;
    if (unknown && !trustUnknown) {
      return { ...found, stored: false, note: `${name} is not a known file of ${id}: SHA-256 ${sha256}` };
    }
    const kept = this.cache.file(id, sha256, bytes.length);
    await kept.write(bytes, bytes.length, null);
    const note = unknown ? trustedNote(id, file, sha256) : null;
    return { ...found, ...(await this.keep(kept, { id, file, bytes: bytes.length, sha256, license, trusted: unknown }, note)) };
  }

  /** Fetches the first available accepted file. The next files are tried only if a file is missing or altered. */
  private async fetchFirst<Result>(
    id: string,
    sources: Sources,
    places: ModelPlaces,
    fetchOne: (file: AcceptedFile, address: string) => Promise<Result>,
  ): Promise<Result> {
    let failure = unavailable(`No file of the model ${id} can be fetched: the manifest contains no address`);
    let isFirst = true;
    for (const file of sources) {
      const address = addressOf(id, file, places);
      if (address === null) continue;
      try {
        return await fetchOne(file, address);
      } catch (error) {
        if (!(error instanceof VoxlaneError) || !TRY_NEXT.has(error.code)) throw error;
        // Report the failure of the preferred file.
        if (isFirst) failure = error;
        isFirst = false;
      }
    }
    throw failure;
  }

  private async fetchFile(
    id: string,
    { name, bytes: numBytes, sha256, license, bundled }: AcceptedFile,
    address: string,
    { onProgress, signal }: GetModelOptions,
    note: string | null,
  ): Promise<ModelFile> {
    const wanted = { address, bytes: numBytes, sha256, onProgress, signal };
    const facts = { sha256, file: name, license, unknown: false };
    if (bundled === true) {
      // The file is part of the page, so the browser already caches it.
      const bytes = await download({ ...wanted, kept: null, httpCache: 'no-cache' }, this.downloads);
      return { ...facts, bytes, origin: 'bundled', stored: false, note };
    }
    const kept = this.cache.file(id, sha256, numBytes);
    const bytes = await download({ ...wanted, kept, httpCache: 'no-store' }, this.downloads);
    const entry = { id, file: name, bytes: numBytes, sha256, license, trusted: false };
    return { ...facts, bytes, origin: 'network', ...(await this.keep(kept, entry, note)) };
  }

  private async fetchIntoCache(
    id: string,
    { name, bytes, sha256, license }: AcceptedFile,
    address: string,
    { onProgress, signal }: Pick<GetModelOptions, 'onProgress' | 'signal'>,
  ): Promise<StoredModel> {
    const entry = { id, file: name, bytes, sha256, license, trusted: false };
    const file = this.cache.streamedFile(entry);
    await downloadTo(file, { address, bytes, sha256, onProgress, signal, httpCache: 'no-store' }, this.downloads);
    await file.finish(sha256);
    return { ...entry, storedAt: Date.now() };
  }

  private async keep(
    file: KeptFile,
    entry: Omit<StoredModel, 'storedAt'>,
    note: string | null,
  ): Promise<{ stored: boolean; note: string | null }> {
    const kept: Kept = await file.finish({ ...entry, storedAt: Date.now() });
    if (kept.stored) return { stored: true, note };
    const reason = `The model is not cached for the next visit, because ${kept.reason}`;
    return { stored: false, note: joinNotes(note, reason) };
  }
}

/** Runs `work`. An error of it begins with the note, which no result will show. */
export async function orWithNote<Result>(note: string | null, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (note === null || !(error instanceof VoxlaneError) || error.code === 'cancelled') throw error;
    throw new VoxlaneError({ ...error.toParts(), problem: `${note}. ${error.problem}` }, { cause: error });
  }
}

function inUse(id: string): VoxlaneError {
  return new VoxlaneError({
    code: 'storage',
    problem: `Files of the model ${id} cannot be deleted now, because ${OTHER_USER} is downloading or converting it`,
    expected: 'no other use of the stored model during its deletion',
    remedy: 'Cancel it there or wait until it ends, then try again',
  });
}

/** Note for every result of a file of unknown hash. */
function trustedNote(id: string, file: string, sha256: string): string {
  return `The file ${file} is not a known file of ${id}. It is used because it was trusted: SHA-256 ${sha256}`;
}

const joinNotes = (first: string | null, second: string): string => (first === null ? second : `${first}. ${second}`);

/** Failures that affect only one file, so the next file is worth a try. */
const TRY_NEXT: ReadonlySet<VoxlaneError['code']> = new Set(['model-missing', 'model-altered']);

async function bytesOf(blob: Blob, name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    // The file was changed or removed after it was dropped, or does not fit in memory.
    throw unavailable(`The file ${name} could not be read`, cause);
  }
}
