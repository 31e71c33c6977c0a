import { chromium, type BrowserContext, type Page } from 'playwright-core';
import type { BackendChoice } from '../src/index';
import type { ToolPages } from '../scripts/toolPages';
import { openProfile, PROFILE_PORT } from './browserProfile';
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

interface EnginePageOptions {
  /** Whether models come from a hub other than the public one. */
  readonly ownHub?: boolean;
  /** Pages to serve: the engine page and, for benchmarks, the test pages. */
  readonly tools?: readonly ToolPages[];
  /** Whether the browser keeps compiled code, models and verdicts for the next run. */
  readonly keepsProfile?: boolean;
}

/**
 * Opens the engine page of the built app.
 *
 * For `webgpu` without a hardware adapter, the browser is started with its software adapter.
 */
export async function openEnginePage(
  backend: BackendChoice,
  say: (line: string) => void,
  { ownHub = false, tools = ['cli'], keepsProfile = false }: EnginePageOptions = {},
): Promise<EnginePage> {
  const executablePath = findChromium();
  const profile = keepsProfile ? await openProfile() : null;
  const site = await openSite(say, tools, profile ? PROFILE_PORT : 0).catch(async (error: unknown) => {
    await profile?.release();
    throw error;
  });
  let closeBrowser = (): Promise<void> => Promise.resolve();
  const start = async (folder: string | null, adapter: AdapterChoice): Promise<{ context: BrowserContext; close: () => Promise<void> }> => {
    // endings.ts handles signals. Playwright would close the browser while the command continues.
    const options = { executablePath, args: chromiumArguments(adapter), handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    // The content security policy of the built pages allows only the public hub.
    const policy = { bypassCSP: ownHub };
    if (folder !== null) {
      const context = await chromium.launchPersistentContext(folder, { ...options, ...policy });
      return { context, close: () => context.close() };
    }
    const browser = await chromium.launch(options);
    return { context: await browser.newContext(policy), close: () => browser.close() };
  };
  const launch = async (adapter: AdapterChoice): Promise<{ context: BrowserContext; page: Page }> => {
    const { context, close } = await start(profile?.folder ?? null, adapter).catch((error: unknown) => {
      // A kept profile can be unusable, for example if another version of the browser wrote it.
      if (profile) return start(null, adapter);
      throw error;
    });
    const forget = onEnding(close);
    closeBrowser = async () => {
      await close();
      forget();
    };
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(new URL('cli/engine.html', site.address).href);
    await page.waitForFunction(() => 'voxlane' in globalThis);
    return { context, page };
  };
  const closeAll = async (): Promise<void> => {
    await closeBrowser();
    await site.close();
    await profile?.release();
  };
  try {
    let opened = await launch('hardware');
    if (backend === 'webgpu' && !(await hasAdapter(opened.page))) {
      say('no hardware WebGPU adapter: using the slow software adapter');
      await closeBrowser();
      opened = await launch('software');
    }
    const { context, page } = opened;
    let isOpen = true;
    const ended = new Promise<void>((resolve) => {
      page.once('crash', () => { resolve(); });
      page.once('close', () => { resolve(); });
      context.once('close', () => { resolve(); });
    });
    return {
      page,
      ended,
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function hasAdapter(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    const { gpu } = navigator as { gpu?: GPU };
    return Boolean(await gpu?.requestAdapter());
  });
}
