/** Errors of storage that is full or blocked, with the sizes that the user needs to make room. */
import { VoxlaneError } from '../util/errors';
import { ALLOW_STORAGE, STORAGE } from '../util/host';
import { type CacheTools, reasonOf } from './cacheTools';

type Storage = CacheTools['storage'];

/** A size for users, in powers of 1000: `397.0 MB`; less than 1 MB in bytes. */
const sizeText = (bytes: number): string => (bytes < 1e6 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(1)} MB`);

/** Whether the storage has no room, as opposed to a storage that is blocked. `ENOSPC` is the code of a full disk in Node. */
const isFull = (error: unknown): boolean => error instanceof Error && (error.name === 'QuotaExceededError' || ('code' in error && error.code === 'ENOSPC'));

/** A file that could not be stored. */
interface Unstored {
  /** Size of the whole file. */
  readonly bytes: number;
  /** Size of its beginning that is stored. */
  readonly storedBytes: number;
}

/**
 * Why a file could not be stored, as a clause. If the storage is full: with the size of the file, and the room for it if the browser
 * reports it.
 */
export async function whyNotStored(error: unknown, { bytes, storedBytes }: Unstored, storage: Storage): Promise<string> {
  const reason = reasonOf(error);
  if (!isFull(error)) return reason;
  const estimate = await storage?.estimate().catch(() => null);
  if (estimate?.quota === undefined || estimate.usage === undefined) return `${reason}: it needs ${sizeText(bytes)}`;
  return `${reason}: it needs ${sizeText(bytes)}, and there is room for ${sizeText(Math.max(0, estimate.quota - estimate.usage) + storedBytes)}`;
}

/** The error of a file that could not be stored. @param cause error of the storage */
export async function notStored(file: Unstored & { readonly name: string }, cause: unknown, storage: Storage): Promise<VoxlaneError> {
  const { name, bytes } = file;
  return new VoxlaneError(
    {
      code: 'storage',
      problem: `The file ${name} could not be stored, because ${await whyNotStored(cause, file, storage)}`,
      expected: `${STORAGE}, with room for ${sizeText(bytes)}`,
      remedy: isFull(cause) ? 'Delete stored models that you do not need, or free space on the disk, and try again' : `Free some space, or ${ALLOW_STORAGE}`,
    },
    { cause },
  );
}

/** The error of a file that could not be deleted. @param cause error of the storage */
export const notDeleted = (name: string, cause: unknown): VoxlaneError =>
  new VoxlaneError(
    { code: 'storage', problem: `The file ${name} could not be deleted`, expected: STORAGE, remedy: `Try again, or ${ALLOW_STORAGE}` },
    { cause },
  );
