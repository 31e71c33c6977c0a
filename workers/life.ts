/**
 * Notices a worker that ended without an `error` event: by `self.close()`, by a crash, or because other code terminated it.
 *
 * A worker that computes for minutes in one call does not answer messages, so a heartbeat by messages would take it for dead.
 * Instead, the worker holds something that the browser releases when the worker ends, and the page waits for that:
 *
 * - a Web Lock in a secure context;
 * - otherwise an open database, which the browser deletes only after its last connection is closed.
 *
 * Browsers measure nothing here, so a busy worker is never mistaken. If a page has neither, as in a sandboxed frame without an
 * origin, only a worker that never starts is noticed.
 */

const PREFIX = 'voxlane worker ';
/** A lock request that the worker has sent is at the browser by then. */
const CONFIRM_MS = 1000;
/** Longest time in which a worker has to be fetched and started. Long, because connections and machines can be slow. */
const START_MS = 120_000;

/** What a worker holds. `none`: this browser refuses both. */
type Held = 'lock' | 'database' | 'none';

/** What a worker sends when it starts, and again if the browser refuses what it asked for first. */
interface Announcement {
  readonly life: Held;
  readonly name: string;
}

/** How a worker ended. */
export type EndOfLife = 'ended' | 'never-started';

/** What is used of the browser. A parameter, so that tests in Node can replace it. */
export interface LifeSources {
  readonly locks: Pick<LockManager, 'request'> | undefined;
  readonly databases: Pick<IDBFactory, 'open' | 'deleteDatabase' | 'databases'> | undefined;
}

const browserSources = (): LifeSources => {
  // Neither exists everywhere, whatever the types say.
  const { locks } = navigator as { readonly locks?: LockManager };
  return { locks, databases: (globalThis as { readonly indexedDB?: IDBFactory }).indexedDB };
};

/**
 * For a worker: holds a lock or a database until the worker ends, and sends the page its name.
 *
 * @param post sends a message to the page
 */
export function announceLife(post: (message: Announcement) => void, { locks, databases } = browserSources()): void {
  const name = PREFIX + crypto.getRandomValues(new Uint32Array(4)).join('-');
  const holdDatabase = (): void => {
    holdOpen(databases, name).then(
      () => { post({ life: 'database', name }); },
      () => { post({ life: 'none', name }); },
    );
  };
  if (!locks) {
    holdDatabase();
    return;
  }
  locks.request(name, () => new Promise<never>(() => undefined)).catch(holdDatabase);
  // Not only once the lock is granted: a worker that ends until then is noticed too.
  post({ life: 'lock', name });
}

/** The connections stay open as long as they are referenced. */
const connections: IDBDatabase[] = [];

function holdOpen(databases: LifeSources['databases'], name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!databases) throw new Error('no IndexedDB');
    const opening = databases.open(name);
    opening.onsuccess = () => {
      connections.push(opening.result);
      resolve();
    };
    opening.onerror = () => { reject(opening.error ?? new Error('not opened')); };
  });
}

/**
 * For the page: calls `onEnd` once, when the worker has ended by itself or has not started in time.
 *
 * @returns a function that ends the watch; to be called before the page terminates the worker
 */
export function watchLife(
  worker: Pick<Worker, 'addEventListener' | 'removeEventListener'>,
  onEnd: (how: EndOfLife) => void,
  sources = browserSources(),
): () => void {
  let waiting = new AbortController();
  const end = (how: EndOfLife): void => {
    stop();
    onEnd(how);
  };
  const starting = setTimeout(() => { end('never-started'); }, START_MS);
  const onMessage = ({ data }: MessageEvent<unknown>): void => {
    clearTimeout(starting);
    if (!isAnnouncement(data)) return;
    waiting.abort();
    waiting = new AbortController();
    waitForEnd(data, waiting.signal, sources, () => { end('ended'); });
  };
  const stop = (): void => {
    clearTimeout(starting);
    waiting.abort();
    worker.removeEventListener('message', onMessage as EventListener);
  };
  worker.addEventListener('message', onMessage as EventListener);
  return stop;
}

function waitForEnd({ life, name }: Announcement, signal: AbortSignal, { locks, databases }: LifeSources, onEnd: () => void): void {
  const endUnlessStopped = (): void => {
    if (!signal.aborted) onEnd();
  };
  if (life === 'lock' && locks) {
    // A failure is an abort, or a page that may not use locks.
    waitForLock(locks, name, signal).then(endUnlessStopped, () => undefined);
  }
  if (life === 'database' && databases) {
    databases.deleteDatabase(name).onsuccess = endUnlessStopped;
    deleteLeftovers(databases, name).catch(() => undefined);
  }
}

/** Twice, because the first request can overtake the worker's own, which goes another way to the browser. */
async function waitForLock(locks: Pick<LockManager, 'request'>, name: string, signal: AbortSignal): Promise<void> {
  await locks.request(name, { signal }, () => undefined);
  await new Promise((resolve) => setTimeout(resolve, CONFIRM_MS));
  await locks.request(name, { signal }, () => undefined);
}

/** Databases of pages that were closed before their workers. The browser keeps those that another page's worker holds open. */
async function deleteLeftovers(databases: Pick<IDBFactory, 'deleteDatabase' | 'databases'>, own: string): Promise<void> {
  for (const { name } of await databases.databases()) {
    if (name?.startsWith(PREFIX) && name !== own) databases.deleteDatabase(name);
  }
}

function isAnnouncement(data: unknown): data is Announcement {
  return typeof data === 'object' && data !== null && 'life' in data && 'name' in data;
}
