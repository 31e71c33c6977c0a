/**
 * `npm run test:browsers`: runs the journey in Firefox and WebKit, formats also in Chromium, and the GPU kernels in Firefox. Prints
 * `browsers: N passed, N failed, N skipped` at the end. Status 1 if a test failed or the run crashed. Names of browsers limit
 * the run: `npm run test:browsers -- webkit`.
 *
 * To install all three on Debian: apt-get install chromium firefox-esr webkit2gtk-driver xvfb xauth gstreamer1.0-plugins-base
 * gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav gstreamer1.0-gl
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { chromium } from './drivers/chromium';
import { firefox } from './drivers/firefox';
import { webkit } from './drivers/webkit';

const REPORT = 'test-results/browsers.json';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

function main(): void {
  for (const kind of [chromium, firefox, webkit]) {
    const reason = kind.missing();
    if (reason) console.log(`skipped: ${kind.name}: ${reason}`);
  }
  mkdirSync('test-results', { recursive: true });
  // Remove the report of an earlier run, in case this run crashes.
  rmSync(REPORT, { force: true });
  const options = ['--config', 'e2e/browsers/vitest.config.ts', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const { status } = spawnSync('npx', ['--no-install', 'vitest', 'run', ...options, ...process.argv.slice(2)], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  const report = readReport();
  const failed = Math.max(report?.numFailedTests ?? 0, status === 0 && report ? 0 : 1);
  console.log(`\nbrowsers: ${report?.numPassedTests ?? 0} passed, ${failed} failed, ${report?.numPendingTests ?? 0} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Reads the report; null if Vitest crashed before writing it. */
function readReport(): Report | null {
  try {
    return JSON.parse(readFileSync(REPORT, 'utf8')) as Report;
  } catch {
    return null;
  }
}

main();
