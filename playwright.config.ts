import { defineConfig } from '@playwright/test';
import { chromiumArguments, findChromium, findHeadlessChromium } from './cli/chromium';
import { POLICY_REPORTS } from './test/browser/test';

// The commands that tests start use the same browser.
process.env.CHROMIUM_PATH ??= findHeadlessChromium();

const PORT = process.env.VOXLANE_TEST_PORT ?? '4180';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/playwright',
  // Two workers, because a test that waits for a page leaves a core idle. More would be slower, because models use all cores.
  workers: 2,
  fullyParallel: true,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env.CI),
  use: {
    baseURL: `http://127.0.0.1:${PORT}/`,
    // A service worker could respond with files of an earlier test. The offline tests enable it.
    serviceWorkers: 'block',
    launchOptions: { executablePath: findChromium(), args: chromiumArguments('none') },
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'browser', testIgnore: ['full/**', 'browsers/**'] },
    // Tests that take too long for `npm test`.
    {
      name: 'full',
      testMatch: 'full/**/*.spec.ts',
      use: { launchOptions: { executablePath: findChromium(), args: chromiumArguments('software') } },
    },
  ],
  webServer: {
    command: `tsx test/serve.ts ${PORT}`,
    url: `http://127.0.0.1:${PORT}/cli/engine.html`,
    timeout: 240_000,
    env: { VOXLANE_POLICY_REPORTS: POLICY_REPORTS },
    // A running server could serve an old build.
    reuseExistingServer: false,
  },
});
