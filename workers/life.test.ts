import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeLocks } from '../test/workers/fakeLocks';
import { announceLife, watchLife, type LifeSources } from './life';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
/** Longer than the wait before the page's second request, but shorter than the start limit. */
const aWhile = (): Promise<unknown> => vi.advanceTimersByTimeAsync(5000);

const pageOf = (sources: Partial<LifeSources>): LifeSources => ({ locks: undefined, databases: undefined, ...sources });

/** The worker's end of the message channel, and the page's watch. */
function watched(sources: LifeSources) {
  const worker = new EventTarget();
  const ends: string[] = [];
  const stop = watchLife(worker as Worker, (how) => { ends.push(how); }, sources);
  const post = (data: unknown): void => { worker.dispatchEvent(Object.assign(new Event('message'), { data })); };
  return { ends, stop, post };
}

test('a worker that ends is detected; one that computes without a pause is not reported', async () => {
  const browser = new FakeLocks();
  const thread = browser.thread();
  const { ends, post } = watched(pageOf({ locks: browser.thread().locks }));
  void announceLife(post, pageOf({ locks: thread.locks }));
  // It sends nothing in ten minutes.
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ends).toEqual([]);
  thread.end();
  await aWhile();
  expect(ends).toEqual(['ended']);
});

test('a page whose lock request overtakes that of the worker does not report it as ended', async () => {
  const browser = new FakeLocks();
  const thread = browser.thread();
  const slow = {
    async request(...parameters: unknown[]) {
      await new Promise((resolve) => { setTimeout(resolve, 500); });
      return thread.locks.request(...(parameters as Parameters<LockManager['request']>));
    },
  };
  const { ends, post } = watched(pageOf({ locks: browser.thread().locks }));
  void announceLife(post, pageOf({ locks: slow }));
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ends).toEqual([]);
  thread.end();
  await aWhile();
  expect(ends).toEqual(['ended']);
});

test('a worker that ends before its lock is granted is detected', async () => {
  const browser = new FakeLocks();
  const { ends, post } = watched(pageOf({ locks: browser.thread().locks }));
  // Its request ends with it.
  void announceLife(post, pageOf({ locks: { request: () => new Promise<never>(() => undefined) } }));
  await aWhile();
  expect(ends).toEqual(['ended']);
});

test.each(['granted', 'refused'])('a worker is not ready for calls until its lock is %s', async (outcome) => {
  let settle = (): void => undefined;
  const locks = {
    async request(_name: string, work: () => unknown) {
      await new Promise<void>((resolve) => { settle = resolve; });
      if (outcome === 'refused') throw new DOMException('no origin', 'SecurityError');
      return work();
    },
  };
  let isReady = false;
  const posted: unknown[] = [];
  void announceLife((message) => { posted.push(message.life); }, pageOf({ locks: locks as LifeSources['locks'] })).then(() => { isReady = true; });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(isReady).toBe(false);
  settle();
  await vi.advanceTimersByTimeAsync(0);
  expect(isReady).toBe(true);
  expect(posted).toEqual(outcome === 'refused' ? ['lock', 'none'] : ['lock']);
});

test('a worker that sends nothing has not started; any message shows that it has', async () => {
  const { ends } = watched(pageOf({}));
  const other = watched(pageOf({}));
  other.post({ id: 'an answer' });
  await vi.advanceTimersByTimeAsync(200_000);
  expect(ends).toEqual(['never-started']);
  expect(other.ends).toEqual([]);
});

test('a watch that was stopped reports nothing, and leaves no pending request', async () => {
  const browser = new FakeLocks();
  const thread = browser.thread();
  const { ends, post, stop } = watched(pageOf({ locks: browser.thread().locks }));
  let name = '';
  void announceLife((message) => { ({ name } = message); post(message); }, pageOf({ locks: thread.locks }));
  await settle();
  stop();
  thread.end();
  await vi.advanceTimersByTimeAsync(200_000);
  expect(ends).toEqual([]);
  // The lock is free again.
  expect(await browser.thread().locks.request(name, () => 'granted')).toBe('granted');
});

/** Databases of one browser: a deletion waits until no connection is open. */
function fakeDatabases() {
  const open = new Map<string, number>();
  const deletions: { readonly name: string; readonly request: { onsuccess?: () => void } }[] = [];
  const settleDeletions = (): void => {
    for (const { name, request } of deletions) {
      if (open.get(name) === 0 && open.delete(name)) request.onsuccess?.();
    }
  };
  const databases = {
    open(name: string) {
      const request: { onsuccess?: () => void; result?: unknown } = { result: {} };
      queueMicrotask(() => {
        open.set(name, 1);
        request.onsuccess?.();
      });
      return request;
    },
    deleteDatabase(name: string) {
      const request = {};
      deletions.push({ name, request });
      queueMicrotask(settleDeletions);
      return request;
    },
    databases: () => Promise.resolve([...open.keys()].map((name) => ({ name, version: 1 }))),
  };
  return {
    sources: pageOf({ databases: databases as unknown as IDBFactory }),
    open,
    close: (): void => {
      for (const name of open.keys()) open.set(name, 0);
      settleDeletions();
    },
  };
}

test.each(['no locks', 'locks that are refused'])('without a secure context, an open database is used instead: %s', async (kind) => {
  const { sources, open, close } = fakeDatabases();
  const refusing = { request: () => Promise.reject(new DOMException('no origin', 'SecurityError')) };
  const own = kind === 'no locks' ? sources : { ...sources, locks: refusing };
  open.set('voxlane worker of a page that was closed', 0);
  open.set('keyval-store', 0);
  const { ends, post } = watched(own);
  void announceLife(post, own);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ends).toEqual([]);
  // The leftover of another page is deleted. Databases of others stay.
  expect([...open.keys()].filter((name) => name.startsWith('voxlane'))).toHaveLength(1);
  expect(open.has('keyval-store')).toBe(true);
  close();
  await settle();
  expect(ends).toEqual(['ended']);
});

test('a running worker is not reported as ended if both are refused', async () => {
  const { ends, post } = watched(pageOf({}));
  void announceLife(post, pageOf({}));
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ends).toEqual([]);
});
