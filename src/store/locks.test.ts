import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withBrowserLock } from './modelStore';

let numRuns = 0;
const work = (): Promise<number> => Promise.resolve(++numRuns);

/** A browser whose locks behave like `request`. */
const stubLocks = (request: (name: string, options: LockOptions, granted: () => unknown) => unknown): void => {
  vi.stubGlobal('navigator', { locks: { request } });
};

beforeEach(() => {
  numRuns = 0;
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test('runs under the lock of its name', async () => {
  const names: string[] = [];
  stubLocks((name, _options, granted) => {
    names.push(name);
    return granted();
  });
  expect(await withBrowserLock('a', work)).toBe(1);
  expect(names).toEqual(['a']);
});

test('runs without a lock if there are no locks, or no permission', async () => {
  vi.stubGlobal('navigator', {});
  expect(await withBrowserLock('a', work)).toBe(1);
  stubLocks(() => Promise.reject(new DOMException('no origin', 'SecurityError')));
  expect(await withBrowserLock('a', work)).toBe(2);
});

test('an error of the work is passed on, and the work is not run again', async () => {
  stubLocks((_name, _options, granted) => granted());
  const failing = async (): Promise<never> => Promise.reject(new Error(`run ${await work()}`));
  await expect(withBrowserLock('a', failing)).rejects.toThrow('run 1');
  expect(numRuns).toBe(1);
});

test('a wait is reported, but not a lock that is free', async () => {
  let isHeld = false;
  stubLocks((_name, { ifAvailable }, granted) => (granted as (lock: object | null) => unknown)(ifAvailable === true && isHeld ? null : {}));
  let numWaits = 0;
  const onWait = (): void => { numWaits++; };
  expect(await withBrowserLock('a', work, undefined, onWait)).toBe(1);
  expect(numWaits).toBe(0);
  isHeld = true;
  expect(await withBrowserLock('a', work, undefined, onWait)).toBe(2);
  expect(numWaits).toBe(1);
});

test('an error of the report of a wait is passed on, and the work does not run without the lock', async () => {
  stubLocks((_name, { ifAvailable }, granted) => (granted as (lock: object | null) => unknown)(ifAvailable === true ? null : {}));
  const onWait = (): void => { throw new Error('closed'); };
  await expect(withBrowserLock('a', work, undefined, onWait)).rejects.toThrow('closed');
  expect(numRuns).toBe(0);
});

test('an error of work under a free lock is passed on', async () => {
  stubLocks((_name, _options, granted) => (granted as (lock: object) => unknown)({}));
  const failing = (): Promise<never> => Promise.reject(new Error('failed'));
  await expect(withBrowserLock('a', failing, undefined, () => undefined)).rejects.toThrow('failed');
});

test('canceled while waiting: a typed error, and the work does not run', async () => {
  stubLocks(
    (_name, { signal }) =>
      new Promise((_resolve, reject) => {
        signal!.addEventListener('abort', () => {
          reject(new DOMException('aborted', 'AbortError'));
        });
      }),
  );
  const abort = new AbortController();
  const waiting = withBrowserLock('a', work, abort.signal);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  expect(numRuns).toBe(0);
});
