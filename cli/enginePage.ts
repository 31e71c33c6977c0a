import { chromium, type Browser, type Page } from 'playwright-core';
import type { BackendChoice } from '../src/index';
import { chromiumArguments, findChromium, type AdapterChoice } from './chromium';
import type { ToolPages } from '../scripts/toolPages';
import { openSite } from './site';

/** The library in a headless browser. */
export interface EnginePage {
  readonly page: Page;
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
  const launch = async (adapter: AdapterChoice): Promise<{ browser: Browser; page: Page }> => {
    const browser = await chromium.launch({ executablePath, args: chromiumArguments(adapter) });
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
      await opened.browser.close();
      opened = await launch('software');
    }
    const { browser, page } = opened;
    let isOpen = true;
    return {
      page,
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        await browser.close();
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
