import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { chromiumArguments, findChromium } from '../../cli/chromium';
import { openSite } from '../../cli/site';
import type { Say } from './figure';

export interface OpenBrowser {
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
}

/** Serves the app with the pages of the tests, and opens a browser without a GPU. Addresses are relative to the app's. */
export async function withBrowser<Result>(say: Say, use: (opened: OpenBrowser) => Promise<Result>): Promise<Result> {
  const site = await openSite(say, ['cli', 'test']);
  let browser: Browser | null = null;
  try {
    browser = await chromium.launch({ executablePath: findChromium(), args: chromiumArguments('none') });
    // A service worker would keep files of the visit before.
    const context = await browser.newContext({ baseURL: site.address, serviceWorkers: 'block' });
    // tsx wraps functions that are sent to the page in a helper that the page does not have.
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

/** Waits until the app's page is in a state. */
export async function untilState(page: Page, state: string): Promise<void> {
  await page.locator(`[data-testid="state"][data-state="${state}"]`).waitFor({ timeout: 300_000 });
}
