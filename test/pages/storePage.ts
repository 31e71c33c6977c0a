/** The model store on a bare page, for the tests: what a browser keeps is not what a stand-in in memory keeps. */
import { afterTimeout, browserDownloadTools, type DownloadProgress } from '../../src/store/download';
import { ModelStore, type ModelFile, type StoredModel, type StoreUsage } from '../../src/store/modelStore';
import { cacheShelf } from '../../src/store/cache';
import type { Sources } from '../../src/store/sources';
import { VoxlaneError, type ErrorParts } from '../../src/util/errors';
import { sha256Hex } from '../../src/util/hash';

/** What {@link StorePage.get} got: all but the bytes, of which it says what they are. */
export interface Got extends Omit<ModelFile, 'bytes'> {
  readonly numBytes: number;
  /** Hash of the bytes as the page holds them, not as the store says. */
  readonly trueSha256: string;
}

/** One call of {@link StorePage.get}. */
export interface StoreRequest {
  readonly id: string;
  readonly sources: Sources;
  /** Address of the hub. */
  readonly hub: string;
  /** Cancels as soon as so many bytes have arrived. */
  readonly cancelAtBytes?: number;
}

const store = new ModelStore({
  downloads: {
    ...browserDownloadTools,
    after: (milliseconds, action) => afterTimeout(milliseconds / storePage.haste, action),
  },
});

const storePage = {
  /** How much faster waits go than on a clock: by this, a transfer stalls after 2 s. */
  haste: 10,

  /** Of the latest call. */
  progress: [] as DownloadProgress[],

  async get({ id, sources, hub, cancelAtBytes = Infinity }: StoreRequest): Promise<Got | ErrorParts> {
    const abort = new AbortController();
    storePage.progress = [];
    const onProgress = (step: DownloadProgress): void => {
      storePage.progress.push(step);
      if (step.receivedBytes >= cancelAtBytes) abort.abort();
    };
    try {
      const options = { base: new URL('models/', location.href).href, hub, onProgress, signal: abort.signal };
      const { bytes, ...facts } = await store.getModel(id, sources, options);
      return { ...facts, numBytes: bytes.length, trueSha256: await sha256Hex(bytes) };
    } catch (error) {
      if (error instanceof VoxlaneError) return error.toParts();
      throw error;
    }
  },

  list: (): Promise<StoredModel[]> => store.list(),
  usage: (): Promise<StoreUsage> => store.usage(),
  delete: (id: string): Promise<boolean> => store.delete(id),

  /** Changes one byte of one kept piece, as a failing disk does. */
  async damage(index: number): Promise<void> {
    const { name } = (await cacheShelf.list())[index]!;
    const piece = (await cacheShelf.get(name))!;
    piece.bytes[piece.bytes.length >> 1]! ^= 1;
    await cacheShelf.put(name, piece);
  },
};

declare global {
  var voxlaneStore: StorePage;
}

export type StorePage = typeof storePage;

globalThis.voxlaneStore = storePage;
