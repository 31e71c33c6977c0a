import { join } from 'node:path';
import { chromium as playwright } from 'playwright-core';
import { chromiumArguments, findChromium } from '../../../cli/chromium';
import type { BrowserKind, Driver } from '../driver';
import { captureWholePage } from './wholePage';

/** Chromium through Playwright. Without a GPU, because checking a software adapter takes longer than a run on WASM. */
export const chromium: BrowserKind = {
  name: 'chromium',
  needsSoundOutput: false,
  missing() {
    try {
      findChromium();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
  async start(downloadFolder) {
    const browser = await playwright.launch({ executablePath: findChromium(), args: chromiumArguments('none') });
    const page = await browser.newPage();
    page.on('download', (download) => {
      void download.saveAs(join(downloadFolder, download.suggestedFilename()));
    });
    const first = (selector: string) => page.locator(selector).first();
    const evaluate: Driver['evaluate'] = (body, ...parameters) =>
      // Playwright supports only one argument.
      page.evaluate(`(${body.toString()})(...${JSON.stringify(parameters)})`);
    const driver: Driver = {
      async open(address) {
        await page.goto(address);
      },
      async reload() {
        await page.reload();
      },
      evaluate,
      click: (selector) => first(selector).click(),
      type: (text) => page.keyboard.type(text),
      press: (...keys) => page.keyboard.press(keys.join('+')),
      chooseFiles: (selector, ...paths) => first(selector).setInputFiles(paths),
      screenshot: (widthPixels) =>
        captureWholePage(
          {
            evaluate,
            resize: (width, height) => page.setViewportSize({ width, height }),
            capture: () => page.screenshot(),
          },
          widthPixels,
        ),
      close: () => browser.close(),
    };
    return driver;
  },
};
