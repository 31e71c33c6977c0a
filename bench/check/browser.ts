import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { chromiumArguments, findChromium } from '../../cli/chromium';
import { openSite } from '../../cli/site';
import type { Say } from './figure';

export interface OpenBrowser {
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
}

/** Serves the app with the test pages and opens a browser without a GPU. Addresses are relative to the app. */
export async function withBrowser<Result>(say: Say, use: (opened: OpenBrowser) => Promise<Result>): Promise<Result> {
  const site = await openSite(say, ['cli', 'test']);
  let browser: Browser | null = null;
  try {
    browser = await chromium.launch({ executablePath: findChromium(), args: chromiumArguments('none') });
    // A service worker would cache files of the previous visit.
    const context = await browser.newContext({ baseURL: site.address, serviceWorkers: 'block' });
    // tsx wraps functions in a helper that does not exist in the page.
    await context.addInitScript('globalThis.__name = (value) => value;');
    return await use({ browser, context, page: await context.newPage() });
  } finally {
    await browser?.close();
    await site.close();
  }
}

export async function openEngine(page: Page): Promise<void> {
  await page.goto('cli/engine.html');
  await page.waitForFunction(() => 'voxlane' in globalThis);
}

/** Waits until the app reaches a state. */
export async function untilState(page: Page, state: string): Promise<void> {
  await page.locator(`[data-testid="state"][data-state="${state}"]`).waitFor({ timeout: 300_000 });
}
