/**
 * Formats only. Specs of Playwright cover the journey in Chromium: page, editor, speakerCount, earlierWork and csp, and in `full`
 * offlinePage, widgetEmbedded and comparePanel.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import type { Driver } from './driver';
import { chromium } from './drivers/chromium';
import { formatTests } from './formats';
import { serveApp, type AppServer } from './servers';

const missing = chromium.missing();

describe.skipIf(missing !== null)(missing === null ? chromium.name : `${chromium.name} [${missing}]`, () => {
  let driver: Driver;
  let server: AppServer;
  beforeAll(async () => {
    server = await serveApp();
    driver = await chromium.start('.');
  });
  afterAll(async () => {
    await driver.close();
    await server.end();
  });
  formatTests(chromium, () => driver, () => server.address);
});
