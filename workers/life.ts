/**
 * Detects a worker that ended without an `error` event: by `self.close()`, by a crash, or because other code
 * terminated it.
 *
 * A worker that computes for minutes in one call does not answer messages, so a heartbeat would report it as dead.
 * Instead, the worker holds a resource that the browser releases when the worker ends, and the page waits for the
 * release:
 *
 * - a Web Lock in a secure context;
 * - otherwise an open database, because the browser delays its deletion until the last connection is closed.
 *
 * A busy worker keeps its resource, so it is never reported. If a page has neither, as in a sandboxed frame without
 * an origin, only a worker that never starts is detected.
 */

const PREFIX = 'voxlane worker ';
/** After this time, the browser has received the lock request that the worker sent. */
const CONFIRM_MS = 1000;
/** Limit for fetching and starting a worker. Generous, because connections and machines can be slow. */
const START_MS = 120_000;

/** The resource of a worker. `none`: the browser refuses both. */
type Held = 'lock' | 'database' | 'none';

/** Message of a worker when it starts, and again if the browser refuses the lock. */
interface Announcement {
  readonly life: Held;
  readonly name: string;
}

/** How a worker ended. */
export type EndOfLife = 'ended' | 'never-started';

/** The browser features in use. A parameter, so that tests in Node can replace them. */
export interface LifeSources {
  readonly locks: Pick<LockManager, 'request'> | undefined;
  readonly databases: Pick<IDBFactory, 'open' | 'deleteDatabase' | 'databases'> | undefined;
}

const browserSources = (): LifeSources => {
  // The types declare both as always present; some contexts lack them.
  const { locks } = navigator as { readonly locks?: LockManager };
  return { locks, databases: (globalThis as { readonly indexedDB?: IDBFactory }).indexedDB };
};

/**
 * For a worker: holds a lock or a database until the worker ends, and sends its name to the page.
 *
 * @param post sends a message to the page
 * @returns resolves when the browser has granted or refused it. Until then the worker must not compute: a browser may
 *   need the worker's event loop to send the request, and the page would report the worker as ended.
 */
export function announceLife(post: (message: Announcement) => void, { locks, databases } = browserSources()): Promise<void> {
  const name = PREFIX + crypto.getRandomValues(new Uint32Array(4)).join('-');
  const holdDatabase = (): Promise<void> =>
    holdOpen(databases, name).then(
      () => { post({ life: 'database', name }); },
      () => { post({ life: 'none', name }); },
    );
  if (!locks) return holdDatabase();
  const held = new Promise<void>((resolve) => {
    const keep = (): Promise<never> => {
      resolve();
      return new Promise(() => undefined);
    };
    locks.request(name, keep).catch(() => { resolve(holdDatabase()); });
  });
  // Posted before the lock is granted, so the page also detects a worker that ends before that.
  post({ life: 'lock', name });
  return held;
}

/** References that keep the connections open. */
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
 * For the page: calls `onEnd` once if the worker ends by itself or does not start in time.
 *
 * @returns ends the watch; call it before you terminate the worker
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
    // It rejects if the watch was stopped, or if the page may not use locks.
    waitForLock(locks, name, signal).then(endUnlessStopped, () => undefined);
  }
  if (life === 'database' && databases) {
    databases.deleteDatabase(name).onsuccess = endUnlessStopped;
    deleteLeftovers(databases, name).catch(() => undefined);
  }
}

/** Requests the lock twice, because the first request can overtake the worker's, which takes another path to the browser. */
async function waitForLock(locks: Pick<LockManager, 'request'>, name: string, signal: AbortSignal): Promise<void> {
  await locks.request(name, { signal }, () => undefined);
  await new Promise((resolve) => setTimeout(resolve, CONFIRM_MS));
  await locks.request(name, { signal }, () => undefined);
}

/**
 * Deletes databases left over from pages that were closed before their workers. The browser keeps databases that
 * other workers hold open.
 */
async function deleteLeftovers(databases: Pick<IDBFactory, 'deleteDatabase' | 'databases'>, own: string): Promise<void> {
  for (const { name } of await databases.databases()) {
    if (name?.startsWith(PREFIX) && name !== own) databases.deleteDatabase(name);
  }
}

function isAnnouncement(data: unknown): data is Announcement {
  return typeof data === 'object' && data !== null && 'life' in data && 'name' in data;
}
