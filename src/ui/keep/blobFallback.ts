import { clear, createStore, set } from 'idb-keyval';
import type { KeepBackend } from './backend';

/** The stored form of a Blob if the storage refuses Blobs. */
interface BlobBytes {
  readonly isBlob: true;
  readonly type: string;
  readonly bytes: ArrayBuffer;
}

/**
 * Stores the bytes of a Blob if the storage refuses Blobs. Unlike a Blob, the bytes pass through memory.
 *
 * @param takesBlobs whether `backend` does; asked once, before the first Blob is written
 */
export function withBlobFallback(backend: KeepBackend, takesBlobs: () => Promise<boolean> = indexedDbTakesBlobs): KeepBackend {
  let answer: Promise<boolean> | undefined;
  return {
    get: async (key) => asBlob(await backend.get(key)),
    getAll: async (names) => (await backend.getAll(names)).map(asBlob),
    keys: () => backend.keys(),
    delete: (names) => backend.delete(names),
    async write(key, change, entries) {
      const mustConvert = entries.some(([, value]) => value instanceof Blob) && !(await (answer ??= takesBlobs()));
      const written = mustConvert ? await Promise.all(entries.map(async ([name, value]) => [name, await bytesOf(value)] as const)) : entries;
      return backend.write(key, change, written);
    },
  };
}

/**
 * WebKit's IndexedDB refuses Blobs in private windows and under automation: "Error preparing Blob/File data to be stored
 * in object store". The failed transaction blocks later ones, so the test uses a separate database.
 */
async function indexedDbTakesBlobs(): Promise<boolean> {
  try {
    const store = createStore('voxlane-blob-probe', 'probe');
    await set('blob', new Blob(['.']), store);
    await clear(store);
    return true;
  } catch {
    return false;
  }
}

async function bytesOf(value: unknown): Promise<unknown> {
  if (!(value instanceof Blob)) return value;
  return { isBlob: true, type: value.type, bytes: await value.arrayBuffer() } satisfies BlobBytes;
}

function asBlob(value: unknown): unknown {
  return isBlobBytes(value) ? new Blob([value.bytes], { type: value.type }) : value;
}

function isBlobBytes(value: unknown): value is BlobBytes {
  return typeof value === 'object' && value !== null && 'isBlob' in value && value.isBlob === true && 'bytes' in value;
}
