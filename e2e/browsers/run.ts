/**
 * `npm run test:browsers`: runs the journey in Chromium, Firefox and WebKit, and the GPU kernels in Firefox. Prints the reason for
 * each missing browser and `browsers: N passed, N failed, N skipped` at the end. Status 1 if a test failed, the run crashed, or
 * all browsers are missing. Names of browsers limit the run: `npm run test:browsers -- webkit`.
 *
 * To install all three on Debian: apt-get install chromium firefox-esr webkit2gtk-driver xvfb xauth gstreamer1.0-plugins-base
 * gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav gstreamer1.0-gl
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { failuresOf, NO_TESTS, readVitest, skipLines } from '../../scripts/testReports';

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
  const { passed, skipped } = tally ?? NO_TESTS;
  const numFailed = failuresOf(tally, status);
  for (const line of skipLines(tally ?? NO_TESTS)) console.log(line);
  if (tally && passed === 0 && tally.failed === 0) console.log('failed: no test ran, because each requested browser is missing');
  console.log(`\nbrowsers: ${passed} passed, ${numFailed} failed, ${skipped} skipped`);
  process.exitCode = numFailed === 0 ? 0 : 1;
}

main();
