import type { Page } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { ReplaceableEngine } from './replaceableEngine';

/** Browsers that end when `kill` is called. */
function fakeBrowsers() {
  const opened: { readonly close: ReturnType<typeof vi.fn>; kill: () => void }[] = [];
  const [prepare, onReplace] = [vi.fn(() => Promise.resolve()), vi.fn()];
  const open = () => {
    const browser = { kill: (): void => undefined, close: vi.fn(() => Promise.resolve()) };
    opened.push(browser);
    const ended = new Promise<void>((resolve) => { browser.kill = resolve; });
    return Promise.resolve({ page: opened.length as unknown as Page, ended, close: browser.close });
  };
  return { engine: new ReplaceableEngine(open, prepare, onReplace), opened, prepare, onReplace };
}

test('if the browser ends, the work is repeated in a new browser with loaded models', async () => {
  const { engine, opened, prepare, onReplace } = fakeBrowsers();
  const work = vi.fn((page: Page) => {
    if (work.mock.calls.length > 1) return Promise.resolve(page);
    opened[0]!.kill();
    return Promise.reject(new Error('Target crashed'));
  });
  expect(await engine.run(work)).toBe(2);
  expect(opened[0]!.close).toHaveBeenCalledOnce();
  expect(prepare.mock.calls).toEqual([[1], [2]]);
  expect(onReplace).toHaveBeenCalledOnce();
  expect(await engine.run((page) => Promise.resolve(page))).toBe(2);
  await engine.close();
  expect(opened[1]!.close).toHaveBeenCalledOnce();
});

test('work that ends two browsers fails with a one-line error, and the next work gets another browser', async () => {
  const { engine, opened } = fakeBrowsers();
  const fatal = () => {
    opened.at(-1)!.kill();
    return Promise.reject(new Error('Target crashed'));
  };
  await expect(engine.run(fatal)).rejects.toThrow(/^the browser ended 2 times during this work/);
  expect(await engine.run((page) => Promise.resolve(page))).toBe(3);
});

test('errors of the work itself are rethrown, and the browser stays open', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const { engine, opened } = fakeBrowsers();
  await expect(engine.run(() => Promise.reject(new Error('no such file')))).rejects.toThrow('no such file');
  expect(opened).toHaveLength(1);
  expect(opened[0]!.close).not.toHaveBeenCalled();
  vi.useRealTimers();
});
