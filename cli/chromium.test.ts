import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chromium } from 'playwright-core';
import { findChromium, findHeadlessChromium } from './chromium';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function makeBrowser(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, '', { mode: 0o755 });
  return path;
}

test('CHROMIUM_PATH takes precedence', () => {
  makeBrowser('chromium');
  const mine = makeBrowser('mine');
  expect(findChromium({ CHROMIUM_PATH: mine, PATH: folder })).toBe(mine);
});

test('a CHROMIUM_PATH that cannot be run is an error, not a silent fallback', () => {
  makeBrowser('chromium');
  expect(() => findChromium({ CHROMIUM_PATH: join(folder, 'absent'), PATH: folder })).toThrow(/CHROMIUM_PATH/);
});

test.each(['chromium', 'google-chrome', 'microsoft-edge'])('finds the system browser %s', (name) => {
  const path = makeBrowser(name);
  expect(findChromium({ PATH: folder })).toBe(path);
});

test('a headless shell is preferred only if no window is needed', () => {
  const shell = makeBrowser('chromium-headless-shell');
  expect(findChromium({ PATH: folder })).toBe(shell);
  const browser = makeBrowser('chromium');
  expect(findChromium({ PATH: folder })).toBe(browser);
  expect(findHeadlessChromium({ PATH: folder })).toBe(shell);
  expect(findHeadlessChromium({ CHROMIUM_PATH: browser, PATH: folder })).toBe(browser);
  rmSync(shell);
  expect(findHeadlessChromium({ PATH: folder })).toBe(browser);
});

test("falls back to Playwright's browser; if there is none, the error names the install command", () => {
  const own = vi.spyOn(chromium, 'executablePath').mockReturnValue(makeBrowser('own'));
  expect(findChromium({ PATH: '' })).toBe(join(folder, 'own'));
  own.mockReturnValue(join(folder, 'absent'));
  expect(() => findChromium({ PATH: '' })).toThrow(/Install one with: .*install.* chromium$/);
});
