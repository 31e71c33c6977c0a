import type { KeepBackend } from './backend';

/** What has to be read into memory. Beyond, the recording is not kept. */
const MOST_BYTES = 128 * 2 ** 20;

/** A Blob whose bytes were kept in its place. */
interface BlobBytes {
  readonly isBlob: true;
  readonly type: string;
  readonly bytes: ArrayBuffer;
}

/**
 * Keeps the bytes of a Blob where the storage refuses the Blob itself: WebKit writes none to IndexedDB in a private
 * window, and its automation has no other. (bugs.webkit.org 156347)
 */
export function withBlobFallback(backend: KeepBackend): KeepBackend {
  return {
    async get(key) {
      const value = await backend.get(key);
      return isBlobBytes(value) ? new Blob([value.bytes], { type: value.type }) : value;
    },
    keys: () => backend.keys(),
    delete: (names) => backend.delete(names),
    async write(key, change, entries) {
      try {
        return await backend.write(key, change, entries);
      } catch (error) {
        const sizes = entries.map(([, value]) => (value instanceof Blob ? value.size : 0));
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const isFull = error instanceof Error && error.name === 'QuotaExceededError';
        if (total === 0 || total > MOST_BYTES || isFull) throw error;
        return backend.write(key, change, await Promise.all(entries.map(async ([name, value]) => [name, await bytesOf(value)] as const)));
      }
    },
  };
}

async function bytesOf(value: unknown): Promise<unknown> {
  if (!(value instanceof Blob)) return value;
  return { isBlob: true, type: value.type, bytes: await value.arrayBuffer() } satisfies BlobBytes;
}

function isBlobBytes(value: unknown): value is BlobBytes {
  return typeof value === 'object' && value !== null && 'isBlob' in value && value.isBlob === true && 'bytes' in value;
}
