/** The model store on a page without a user interface, because browser storage behaves differently from the in-memory fake. */
import { afterTimeout, browserDownloadTools, type DownloadProgress } from '../../src/store/download';
import { ModelStore, type ModelFile, type StoredModel, type StoreUsage } from '../../src/store/modelStore';
import { cacheShelf } from '../../src/store/cacheTools';
import type { Sources } from '../../src/store/sources';
import { VoxlaneError, type ErrorParts } from '../../src/util/errors';
import { sha256Hex } from '../../src/util/hash';
import { loadWeights } from '../../src/weights/bind';
import { type PreparedWeights, type PrepareOptions, type PrepareProgress, WeightsStore } from '../../src/weights/weightsStore';

/** Result of {@link StorePage.get} without the bytes, but with their hash. */
export interface Got extends Omit<ModelFile, 'bytes'> {
  readonly numBytes: number;
  /** Hash of the bytes computed in the page, not reported by the store. */
  readonly trueSha256: string;
}

/** One call of {@link StorePage.get}. */
export interface StoreRequest {
  readonly id: string;
  readonly sources: Sources;
  /** Address of the hub. */
  readonly hub: string;
  /** Cancels when this number of bytes has arrived. */
  readonly cancelAtBytes?: number;
}

/** One call of {@link StorePage.prepare}. */
export interface WeightsRequest extends Omit<StoreRequest, 'cancelAtBytes'>, Pick<PrepareOptions, 'expected' | 'form' | 'dropOriginal'> {
  /** Cancels at this progress. */
  readonly cancelAt?: Pick<PrepareProgress, 'step' | 'doneBytes'>;
}

/** Result of {@link StorePage.prepare} without the weights, but with a hash of all their values. */
export interface Prepared extends Omit<PreparedWeights, 'weights'> {
  readonly valuesSha256: string;
}

const tools = {
  downloads: {
    ...browserDownloadTools,
    after: (milliseconds: number, action: () => void) => afterTimeout(milliseconds / storePage.haste, action),
  },
};
const store = new ModelStore(tools);
const weightsStore = new WeightsStore(tools);

const storePage = {
  /** Speed-up factor for waits. With this factor, a transfer stalls after 2 s. */
  haste: 10,

  /** Progress of the latest call. */
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

  async prepare({ id, sources, hub, cancelAt, ...wanted }: WeightsRequest): Promise<Prepared | ErrorParts> {
    const abort = new AbortController();
    const onProgress = ({ step, doneBytes }: PrepareProgress): void => {
      if (step === cancelAt?.step && doneBytes >= cancelAt.doneBytes) abort.abort();
    };
    try {
      const options = { base: new URL('models/', location.href).href, hub, onProgress, signal: abort.signal, ...wanted };
      const { weights, ...facts } = await weightsStore.prepare(id, sources, options);
      const values = await new Blob([...(await loadWeights(weights)).values()]).arrayBuffer();
      return { ...facts, valuesSha256: await sha256Hex(new Uint8Array(values)) };
    } catch (error) {
      if (error instanceof VoxlaneError) return error.toParts();
      throw error;
    }
  },

  list: (): Promise<StoredModel[]> => store.list(),
  usage: (): Promise<StoreUsage> => store.usage(),
  delete: (id: string): Promise<boolean> => store.delete(id),
  dropOriginal: (id: string): Promise<void> => weightsStore.dropOriginal(id),

  /** Changes one byte of a stored piece, like a failing disk. */
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
