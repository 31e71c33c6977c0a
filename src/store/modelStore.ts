import { VoxlaneError } from '../util/errors';
import { sha256Hex } from '../util/hash';
import { type Kept, type KeptFile, ModelCache, type StoredModel, type StoreUsage } from './cache';
import { browserDownloadTools, download, type DownloadProgress, type DownloadTools } from './download';
import { cancelled, unavailable } from './failures';
import { acceptedFile, type AcceptedFile, addressOf, type ModelPlaces, type Sources } from './sources';

/**
 * Runs `work` while no other tab or worker of this site runs any under the same name. Where there are no locks, outside
 * a secure context, it just runs.
 */
export type WithLock = <Result>(name: string, work: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

/** @throws VoxlaneError `cancelled` where `signal` fires while others work; what `work` throws */
export const withBrowserLock: WithLock = async (name, work, signal) => {
  const { locks } = navigator as { readonly locks?: LockManager };
  if (!locks) return work();
  const grant = { isGiven: false };
  try {
    return await locks.request(name, signal ? { signal } : {}, () => {
      grant.isGiven = true;
      return work();
    });
  } catch (error) {
    if (grant.isGiven) throw error;
    if (signal?.aborted === true) throw cancelled();
    // A page without an origin of its own may have the interface and not the permission.
    return work();
  }
};

export type { StoredModel, StoreUsage } from './cache';
export type { DownloadProgress } from './download';

/** How a model is got. */
export interface GetModelOptions extends ModelPlaces {
  /** A file that the user brought; nothing else is looked at. */
  readonly dropped?: Blob | undefined;
  /**
   * Accepts a file of unknown hash: stores `dropped`, or returns a file that was stored this way. Set it only if the user wants
   * the file and the caller has checked its shape and values. Without it, a stored file of unknown hash is not used.
   */
  readonly trustUnknown?: boolean | undefined;
  /** Called for each chunk of a download, never for a kept file. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where the bytes came from this time. */
export type ModelOrigin = 'bundled' | 'cache' | 'network' | 'dropped';

/** A model's file. Of its bytes, every one has been checked against `sha256`. */
export interface ModelFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  /** Name of the file. */
  readonly file: string;
  /** SPDX identifier; null for a file with an unknown hash. */
  readonly license: string | null;
  readonly origin: ModelOrigin;
  /** The hash is none of the accepted ones: the user brought the file, now or, where it is stored, before. */
  readonly unknown: boolean;
  /** It is there at the next visit without a download. */
  readonly stored: boolean;
  /** What the user should know, as a sentence without an end; null where there is nothing. */
  readonly note: string | null;
}

/** What a {@link ModelStore} is built on; by default, what the browser has. */
export interface ModelStoreTools {
  readonly cache: ModelCache;
  readonly downloads: DownloadTools;
  readonly withLock: WithLock;
}

/** Models, wherever they come from: bundled, fetched, dropped on the page, or kept from an earlier visit. */
export class ModelStore {
  private readonly cache: ModelCache;
  private readonly downloads: DownloadTools;
  private readonly withLock: WithLock;

  constructor({ cache, downloads, withLock }: Partial<ModelStoreTools> = {}) {
    this.cache = cache ?? new ModelCache();
    this.downloads = downloads ?? browserDownloadTools;
    this.withLock = withLock ?? withBrowserLock;
  }

  /**
   * The model's file: `dropped`, or else what is kept, or else the first accepted file that has an address and can be
   * fetched. Two tabs that want the same model fetch it once, where the browser has locks.
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
      // Another tab may have fetched it while this one waited.
      const meanwhile = await this.readKept(id, sources, isTrusting);
      return meanwhile.model ?? (await this.fetchFirst(id, sources, options, kept.note ?? meanwhile.note));
    };
    return this.withLock(`voxlane-model/${id}`, work, options.signal);
  }

  /**
   * The file that {@link getModel} would take from what is kept, by the index alone; null if it would fetch one.
   *
   * @param trustUnknown as in {@link GetModelOptions}
   */
  async find(id: string, sources: Sources, trustUnknown = false): Promise<StoredModel | null> {
    return (await this.findAll(id, sources, trustUnknown))[0] ?? null;
  }

  /** All models that are kept, latest first. */
  list(): Promise<StoredModel[]> {
    return this.cache.list();
  }

  /** Deletes what is kept of a model. False where the browser refuses. */
  delete(id: string): Promise<boolean> {
    return this.cache.delete(id);
  }

  usage(): Promise<StoreUsage> {
    return this.cache.usage();
  }

  /** Asks the browser not to clear the models by itself; on a click of the user's, for some browsers ask in turn. */
  persist(): Promise<boolean> {
    return this.cache.persist();
  }

  private async findAll(id: string, sources: Sources, trustUnknown: boolean): Promise<StoredModel[]> {
    const isAccepted = (entry: StoredModel): boolean =>
      (trustUnknown && entry.trusted) || acceptedFile(sources, entry.sha256) !== null;
    return (await this.cache.list()).filter((entry) => entry.id === id && isAccepted(entry));
  }

  /** The latest kept file that is sound. Damaged ones are deleted on the way. */
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
      note = `The kept file ${entry.file} was damaged and has been deleted`;
    }
    return { model: null, note };
  }

  private async take(id: string, sources: Sources, dropped: Blob, trustUnknown: boolean): Promise<ModelFile> {
    const name = dropped instanceof File ? dropped.name : 'a file without a name';
    const bytes = await bytesOf(dropped, name);
    const sha256 = await sha256Hex(bytes);
    const accepted = acceptedFile(sources, sha256);
    const unknown = accepted === null;
    const { file, license } = accepted ? { file: accepted.name, license: accepted.license } : { file: name, license: null };
    const found = { bytes, sha256, file, license, origin: 'dropped', unknown } as const;
    if (unknown && !trustUnknown) {
      return { ...found, stored: false, note: `${name} is none of the known files of ${id}: SHA-256 ${sha256}` };
    }
    const kept = this.cache.file(id, sha256, bytes.length);
    await kept.write(bytes, bytes.length, null);
    const note = unknown ? trustedNote(id, file, sha256) : null;
    return { ...found, ...(await this.keep(kept, { id, file, bytes: bytes.length, sha256, license, trusted: unknown }, note)) };
  }

  /** Fetches the first accepted file that is there: the next ones are tried only where one is not, or is another. */
  private async fetchFirst(
    id: string,
    sources: Sources,
    options: GetModelOptions,
    note: string | null,
  ): Promise<ModelFile> {
    let failure = unavailable(`No file of the model ${id} can be fetched: the manifest gives no address`);
    let isFirst = true;
    for (const file of sources) {
      const address = addressOf(id, file, options);
      if (address === null) continue;
      try {
        return await this.fetchFile(id, file, address, options, note);
      } catch (error) {
        if (!(error instanceof VoxlaneError) || !TRY_NEXT.has(error.code)) throw error;
        // The preferred file is the one to tell about.
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
      // It comes with the page, whose copy the browser has as well.
      const bytes = await download({ ...wanted, kept: null, httpCache: 'no-cache' }, this.downloads);
      return { ...facts, bytes, origin: 'bundled', stored: false, note };
    }
    const kept = this.cache.file(id, sha256, numBytes);
    const bytes = await download({ ...wanted, kept, httpCache: 'no-store' }, this.downloads);
    const entry = { id, file: name, bytes: numBytes, sha256, license, trusted: false };
    return { ...facts, bytes, origin: 'network', ...(await this.keep(kept, entry, note)) };
  }

  private async keep(
    file: KeptFile,
    entry: Omit<StoredModel, 'storedAt'>,
    note: string | null,
  ): Promise<{ stored: boolean; note: string | null }> {
    const kept: Kept = await file.finish({ ...entry, storedAt: Date.now() });
    if (kept.stored) return { stored: true, note };
    const reason = `The model is not kept for the next visit, because ${kept.reason}`;
    return { stored: false, note: joinNotes(note, reason) };
  }
}

/** Note for every result of a file that is not one of the known ones. */
function trustedNote(id: string, file: string, sha256: string): string {
  return `The file ${file} is none of the known files of ${id} and is used because it was trusted: SHA-256 ${sha256}`;
}

const joinNotes = (first: string | null, second: string): string => (first === null ? second : `${first}. ${second}`);

/** Failures of one file that say nothing about the next. */
const TRY_NEXT: ReadonlySet<VoxlaneError['code']> = new Set(['model-missing', 'model-altered']);

async function bytesOf(blob: Blob, name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    // It was changed or taken away after it was dropped, or is more than fits in memory.
    throw unavailable(`The file ${name} could not be read`, cause);
  }
}
