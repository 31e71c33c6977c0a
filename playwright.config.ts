import { defineConfig } from '@playwright/test';
import { chromiumArguments, findChromium } from './cli/chromium';
import { POLICY_REPORTS } from './e2e/support/test';

const PORT = process.env.VOXLANE_TEST_PORT ?? '4180';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/playwright',
  // The models use every core; tests beside each other would time each other out.
  workers: 1,
  timeout: 120_000,
  forbidOnly: Boolean(process.env.CI),
  use: {
    baseURL: `http://127.0.0.1:${PORT}/`,
    // It would answer in the server's place, and with what a test before left there. e2e/offline.spec.ts lets it.
    serviceWorkers: 'block',
    launchOptions: { executablePath: findChromium(), args: chromiumArguments('software') },
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'browser', testIgnore: '**/*.full.spec.ts' },
    { name: 'full', testMatch: '**/*.full.spec.ts' },
  ],
  webServer: {
    command: `npm start -- --host 127.0.0.1 --port ${PORT} --strictPort`,
    url: `http://127.0.0.1:${PORT}/engine.html`,
    timeout: 180_000,
    env: { VOXLANE_POLICY_REPORTS: POLICY_REPORTS },
    // A server that is there already may serve an old build.
    reuseExistingServer: false,
  },
});
