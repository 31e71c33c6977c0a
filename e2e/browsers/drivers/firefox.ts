import { existsSync } from 'node:fs';
import puppeteer, { type ElementHandle, type KeyInput } from 'puppeteer-core';
import type { BrowserKind, Driver } from '../driver';
import { findCommand } from './findCommand';
import { captureWholePage } from './wholePage';

const APPLICATIONS = ['/Applications/Firefox.app/Contents/MacOS/firefox', 'C:\\Program Files\\Mozilla Firefox\\firefox.exe'];

type Preferences = Readonly<Record<string, string | number | boolean>>;

/** Firefox through Puppeteer and WebDriver BiDi with default settings. Debian's releases disable WebGPU. */
export const firefox = firefoxWith('firefox', {});

/** Firefox with WebGPU. In headless mode, it has a fallback adapter that computes on the CPU. */
export const firefoxWithWebGpu = firefoxWith('firefox with WebGPU', {
  'dom.webgpu.enabled': true,
  'dom.webgpu.workers.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
});

function firefoxWith(name: string, preferences: Preferences): BrowserKind {
  return {
    name,
    needsSoundOutput: true,
    missing: () => (findFirefox() ? null : 'Firefox is not installed: apt-get install firefox-esr'),
    start: (downloadFolder) => startFirefox(downloadFolder, preferences),
  };
}

function findFirefox(): string | null {
  return findCommand('firefox-esr') ?? findCommand('firefox') ?? APPLICATIONS.find((path) => existsSync(path)) ?? null;
}

async function startFirefox(downloadFolder: string, preferences: Preferences): Promise<Driver> {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: findFirefox()!,
    protocolTimeout: 300_000,
    extraPrefsFirefox: {
      // 2: use the folder in `browser.download.dir`.
      'browser.download.folderList': 2,
      'browser.download.dir': downloadFolder,
      'browser.download.alwaysOpenPanel': false,
      // As on phones and in the other browsers, scroll bars take no width.
      'ui.useOverlayScrollbars': 1,
      ...preferences,
    },
  });
  // The document of the initial page is never active and dispatches no focus events.
  const page = await browser.newPage();
  page.on('dialog', (dialog) => void dialog.accept());
  const find = async (selector: string): Promise<ElementHandle> => {
    const element = await page.$(selector);
    if (!element) throw new Error(`the page has no ${selector}`);
    return element;
  };
  async function evaluate<Result, Parameters extends readonly unknown[]>(body: (...parameters: Parameters) => Result | Promise<Result>, ...parameters: Parameters): Promise<Result> {
    const call = `(${body.toString()})(...${JSON.stringify(parameters)})`;
    // Return text, because BiDi serializes repeated objects only once.
    const json = (await page.evaluate(`(async () => JSON.stringify(await ${call}))()`)) as string | undefined;
    return (json === undefined ? undefined : JSON.parse(json)) as Result;
  }
  return {
    async open(address) {
      await page.goto(address);
    },
    async reload() {
      await page.reload();
    },
    evaluate,
    click: async (selector) => (await find(selector)).click(),
    type: (text) => page.keyboard.type(text),
    async press(...keys) {
      for (const key of keys) await page.keyboard.down(key as KeyInput);
      for (const key of keys.toReversed()) await page.keyboard.up(key as KeyInput);
    },
    async chooseFiles(selector, ...paths) {
      await ((await find(selector)) as ElementHandle<HTMLInputElement>).uploadFile(...paths);
    },
    screenshot: (widthPixels) =>
      captureWholePage(
        {
          evaluate,
          resize: (width, height) => page.setViewport({ width, height }),
          capture: async () => Buffer.from(await page.screenshot()),
        },
        widthPixels,
      ),
    close: () => browser.close(),
  };
}
