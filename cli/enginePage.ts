import { chromium, type Browser, type Page } from 'playwright-core';
import type { BackendChoice } from '../src/index';
import type { ToolPages } from '../scripts/toolPages';
import { chromiumArguments, findChromium, type AdapterChoice } from './chromium';
import { onEnding } from './endings';
import { openSite } from './site';

/** The library in a headless browser. */
export interface EnginePage {
  readonly page: Page;
  /** Resolves when the browser or the page's process has ended. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the engine page of the built app.
 *
 * For `webgpu` without a hardware adapter, the browser is started with its software adapter.
 *
 * @param ownHub whether models come from a hub other than the public one
 * @param tools pages to serve: the engine page and, for benchmarks, the test pages
 */
export async function openEnginePage(
  backend: BackendChoice,
  say: (line: string) => void,
  { ownHub = false, tools = ['cli'] }: { readonly ownHub?: boolean; readonly tools?: readonly ToolPages[] } = {},
): Promise<EnginePage> {
  const executablePath = findChromium();
  const site = await openSite(say, tools);
  let closeBrowser = (): Promise<void> => Promise.resolve();
  const launch = async (adapter: AdapterChoice): Promise<{ browser: Browser; page: Page }> => {
    // endings.ts handles signals. Playwright would close the browser while the command continues.
    const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    const browser = await chromium.launch({ executablePath, args: chromiumArguments(adapter), ...signals });
    const forget = onEnding(() => browser.close());
    closeBrowser = async () => {
      await browser.close();
      forget();
    };
    // The content security policy of the built pages allows only the public hub.
    const page = await browser.newPage({ bypassCSP: ownHub });
    await page.goto(new URL('cli/engine.html', site.address).href);
    await page.waitForFunction(() => 'voxlane' in globalThis);
    return { browser, page };
  };
  try {
    let opened = await launch('hardware');
    if (backend === 'webgpu' && !(await hasAdapter(opened.page))) {
      say('no hardware WebGPU adapter: using the slow software adapter');
      await closeBrowser();
      opened = await launch('software');
    }
    const { browser, page } = opened;
    let isOpen = true;
    const ended = new Promise<void>((resolve) => {
      page.once('crash', () => { resolve(); });
      page.once('close', () => { resolve(); });
      browser.once('disconnected', () => { resolve(); });
    });
    return {
      page,
      ended,
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        await closeBrowser();
        await site.close();
      },
    };
  } catch (error) {
    await closeBrowser();
    await site.close();
    throw error;
  }
}

async function hasAdapter(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    const { gpu } = navigator as { gpu?: GPU };
    return Boolean(await gpu?.requestAdapter());
  });
}
