import { chromium, type Browser, type Page } from 'playwright-core';
import type { BackendChoice } from '../src/index';
import type { ToolPages } from '../scripts/toolPages';
import { chromiumArguments, findChromium, type AdapterChoice } from './chromium';
import { onEnding } from './endings';
import { openSite } from './site';

/** The library in a headless browser. */
export interface EnginePage {
  readonly page: Page;
  /** Resolves when the browser, or the process of the page, has ended by itself. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the engine page of the built app.
 *
 * For `webgpu` on a machine without a hardware adapter the browser is started with its software adapter.
 *
 * @param ownHub whether models come from a hub that is not the public one
 * @param tools pages to serve: that of the engine and, for benchmarks, those of the tests
 */
export async function openEnginePage(
  backend: BackendChoice,
  say: (line: string) => void,
  { ownHub = false, tools = ['cli'] }: { readonly ownHub?: boolean; readonly tools?: readonly ToolPages[] } = {},
): Promise<EnginePage> {
  const executablePath = findChromium();
  const site = await openSite(say, tools);
  let forget = (): void => undefined;
  const launch = async (adapter: AdapterChoice): Promise<{ browser: Browser; page: Page }> => {
    // Signals are handled here: Playwright would end the browser and let the command go on without it.
    const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    const browser = await chromium.launch({ executablePath, args: chromiumArguments(adapter), ...signals });
    forget = onEnding(() => browser.close());
    // The policy of the built pages knows the public hub alone; here the user has named another one.
    const page = await browser.newPage({ bypassCSP: ownHub });
    await page.goto(new URL('cli/engine.html', site.address).href);
    await page.waitForFunction(() => 'voxlane' in globalThis);
    return { browser, page };
  };
  try {
    let opened = await launch('hardware');
    if (backend === 'webgpu' && !(await hasAdapter(opened.page))) {
      say('no hardware WebGPU adapter: taking the software adapter, which is slow');
      forget();
      await opened.browser.close();
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
        await browser.close();
        forget();
        await site.close();
      },
    };
  } catch (error) {
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
