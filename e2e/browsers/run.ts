/**
 * `npm run test:browsers`: runs the journey in Firefox and WebKit, formats also in Chromium, and the GPU kernels in Firefox. Prints
 * `browsers: N passed, N failed, N skipped` at the end. Status 1 if a test failed or the run crashed. Names of browsers limit
 * the run: `npm run test:browsers -- webkit`.
 *
 * To install all three on Debian: apt-get install chromium firefox-esr webkit2gtk-driver xvfb xauth gstreamer1.0-plugins-base
 * gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav gstreamer1.0-gl
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { NO_TESTS, readVitest, skipLines } from '../../scripts/testReports';

const REPORT = 'test-results/browsers.json';

function main(): void {
  mkdirSync('test-results', { recursive: true });
  // Remove the report of an earlier run, in case this run crashes.
  rmSync(REPORT, { force: true });
  const options = ['--config', 'e2e/browsers/vitest.config.ts', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const { status } = spawnSync('npx', ['--no-install', 'vitest', 'run', ...options, ...process.argv.slice(2)], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  const tally = readVitest(REPORT);
  const { passed, failed, skipped } = tally ?? NO_TESTS;
  const numFailed = Math.max(failed, status === 0 && tally ? 0 : 1);
  for (const line of skipLines(tally ?? NO_TESTS)) console.log(line);
  console.log(`\nbrowsers: ${passed} passed, ${numFailed} failed, ${skipped} skipped`);
  process.exitCode = numFailed === 0 ? 0 : 1;
}

main();
