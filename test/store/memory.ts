/** Fakes of browser features for tests. */
import type { CacheTools, Piece, StoredModel } from '../../src/store/cacheTools';
import { type Timer, afterTimeout, browserDownloadTools, type DownloadTools } from '../../src/store/download';
import type { WithLock } from '../../src/store/modelStore';
import { cancelled } from '../../src/util/abort';

/** In-memory storage of one browser profile with a limited number of bytes. */
export class MemoryStorage implements CacheTools {
  readonly pieces = new Map<string, Piece>();
  readonly entries = new Map<string, StoredModel>();

  constructor(
    readonly pieceBytes: number,
    public roomBytes = Infinity,
  ) {}

  private get usedBytes(): number {
    return Array.from(this.pieces.values()).reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** A browser without a limit reports none. */
  readonly storage: NonNullable<CacheTools['storage']> = {
    estimate: () => Promise.resolve(Number.isFinite(this.roomBytes) ? { quota: this.roomBytes, usage: this.usedBytes } : {}),
    persist: () => Promise.resolve(false),
    persisted: () => Promise.resolve(false),
  };

  readonly shelf: CacheTools['shelf'] = {
    put: (name, piece) => {
      if (this.usedBytes + piece.bytes.length > this.roomBytes) return Promise.reject(new DOMException('full', 'QuotaExceededError'));
      this.pieces.set(name, { ...piece, bytes: piece.bytes.slice() });
      return Promise.resolve();
    },
    get: (name) => Promise.resolve(this.pieces.get(name) ?? null),
    names: () => Promise.resolve([...this.pieces.keys()]),
    list: () => Promise.resolve(Array.from(this.pieces, ([name, { bytes }]) => ({ name, bytes: bytes.length }))),
    delete: (name) => {
      this.pieces.delete(name);
      return Promise.resolve();
    },
  };

  readonly index: CacheTools['index'] = {
    get: (key) => Promise.resolve(this.entries.get(key) ?? null),
    set: (key, entry) => {
      this.entries.set(key, entry);
      return Promise.resolve();
    },
    list: () => Promise.resolve([...this.entries.values()]),
    delete: (key) => {
      this.entries.delete(key);
      return Promise.resolve();
    },
  };
}

/** Storage whose calls all fail, as in some private windows. */
export const blockedStorage: CacheTools = (() => {
  const blocked = (): Promise<never> => Promise.reject(new Error('The operation is insecure.'));
  const calls = { put: blocked, get: blocked, set: blocked, names: blocked, list: blocked, delete: blocked };
  return { shelf: calls, index: calls, storage: null, pieceBytes: 1000 };
})();

/** Locks of one browser, without the tabs. */
export function memoryLocks(): WithLock {
  const tails = new Map<string, Promise<unknown>>();
  return (name, work, signal, onWait) => {
    const before = tails.get(name);
    if (before) onWait?.();
    const begin = (): ReturnType<typeof work> => {
      if (signal?.aborted === true) throw cancelled(signal);
      return work();
    };
    const mine = Promise.resolve(before).then(begin, begin);
    const held: Promise<unknown> = mine.catch(() => undefined).then(() => {
      if (tails.get(name) === held) tails.delete(name);
    });
    tails.set(name, held);
    // A caller that cancels does not wait for its turn.
    let isHeld = false;
    void Promise.resolve(before).then(() => { isHeld = true; });
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => { if (!isHeld) reject(cancelled(signal)); });
      mine.then(resolve, reject);
    });
  };
}

/** Speed-up factor for time. A transfer stalls after 1 s, which does not happen on a busy machine. */
const STALL_HASTE = 20;
const WAIT_HASTE = 500;

/** Download tools for Node: real requests, fast clock, no randomness. `onWait` receives every wait in milliseconds. */
export function hastyTools(onWait: (milliseconds: number) => void = () => undefined): DownloadTools {
  const after: Timer = (milliseconds, action) => {
    const isStall = milliseconds === browserDownloadTools.stallMs;
    if (!isStall) onWait(milliseconds);
    return afterTimeout(milliseconds / (isStall ? STALL_HASTE : WAIT_HASTE), action);
  };
  return { ...browserDownloadTools, after, random: () => 1 };
}
