import { throwIfAborted, unlessAborted } from '../util/abort';
import { openSha256 } from '../util/hash';
import type { ByteSource } from './byteSource';

/** Large enough that reading takes less time than hashing. */
const CHUNK_BYTES = 1 << 20;

/** Options of {@link hashSource}. */
export interface HashOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called for each part. */
  readonly onProgress?: ((progress: { readonly doneBytes: number; readonly totalBytes: number }) => void) | undefined;
}

/** SHA-256 of a file as lowercase hex, read in parts. @throws VoxlaneError `cancelled`; errors of the source */
export async function hashSource(source: ByteSource, { signal, onProgress }: HashOptions = {}): Promise<string> {
  const hash = await openSha256();
  for (let start = 0; start < source.size; start += CHUNK_BYTES) {
    const end = Math.min(source.size, start + CHUNK_BYTES);
    hash.update(await unlessAborted(signal, () => source.read(start, end)));
    onProgress?.({ doneBytes: end, totalBytes: source.size });
  }
  throwIfAborted(signal);
  return hash.hex();
}
