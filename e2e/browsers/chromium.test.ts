/**
 * Formats only. Specs of Playwright cover the journey in Chromium: page, editor, speakerCount, earlierWork and csp, and in `full`
 * offlinePage, widgetEmbedded and comparePanel.
 */
import { afterAll, beforeAll } from 'vitest';
import type { Driver } from './driver';
import { chromium } from './drivers/chromium';
import { formatTests } from './formats';
import { serveApp, type AppServer } from './servers';
import { describeUnless } from '../../test/skips';

const missing = chromium.missing();

describeUnless(missing)(chromium.name, () => {
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
