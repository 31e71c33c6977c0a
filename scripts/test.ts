/**
 * Runs every check and closes with one line over all of them: `N passed, N failed, N skipped`.
 *
 * `npm test` runs types, lint, units and the browser tests; `--full` only what takes longer than those.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { findChromium } from '../cli/chromium';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const RESULTS = 'test-results';
const total: Tally = { passed: 0, failed: 0, skipped: 0 };

function run(title: string, command: string[], environment: NodeJS.ProcessEnv = {}): boolean {
  console.log(`\n── ${title}: npx ${command.join(' ')}`);
  const { status } = spawnSync('npx', ['--no-install', ...command], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
    shell: process.platform === 'win32',
  });
  return status === 0;
}

/** A check without tests of its own counts as one. */
function check(title: string, command: string[]): void {
  add(run(title, command) ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 });
}

function add(tally: Tally): void {
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
}

function units(environment: NodeJS.ProcessEnv = {}): void {
  const file = `${RESULTS}/vitest.json`;
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const passed = run('units', ['vitest', 'run', ...reporters], environment);
  const report = readReport(file) as { numPassedTests: number; numFailedTests: number; numPendingTests: number } | null;
  const tally = {
    passed: report?.numPassedTests ?? 0,
    failed: report?.numFailedTests ?? 0,
    skipped: report?.numPendingTests ?? 0,
  };
  add(atLeastOneFailure(tally, passed));
}

interface PlaywrightSuite {
  readonly suites?: PlaywrightSuite[];
  readonly specs?: { title: string; tests: { status: string; annotations: { type: string; description?: string }[] }[] }[];
}

interface PlaywrightReport extends PlaywrightSuite {
  readonly stats: { expected: number; unexpected: number; flaky: number; skipped: number };
}

function browser(project: string): void {
  const file = `${RESULTS}/playwright-${project}.json`;
  const passed = run('browser', ['playwright', 'test', `--project=${project}`, '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: file,
  });
  const report = readReport(file) as PlaywrightReport | null;
  const { expected = 0, unexpected = 0, flaky = 0, skipped = 0 } = report?.stats ?? {};
  if (report) printSkipReasons(report);
  add(atLeastOneFailure({ passed: expected + flaky, failed: unexpected, skipped }, passed));
}

/** A runner that broke before its first test reports no failure. */
function atLeastOneFailure(tally: Tally, passed: boolean): Tally {
  return passed || tally.failed > 0 ? tally : { ...tally, failed: 1 };
}

function printSkipReasons({ suites = [], specs = [] }: PlaywrightSuite): void {
  for (const { title, tests } of specs) {
    for (const { status, annotations } of tests) {
      if (status !== 'skipped') continue;
      console.log(`skipped: ${title}: ${annotations.find(({ type }) => type === 'skip')?.description ?? 'no reason given'}`);
    }
  }
  suites.forEach(printSkipReasons);
}

/** What a runner wrote; null where it broke before it could. */
function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch {
    return null;
  }
}

function main(): void {
  try {
    console.log(`browser: ${findChromium()}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
    return;
  }
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });
  if (process.argv.includes('--full')) {
    // The tests of the packages look at what this makes.
    check('packages', ['tsx', 'scripts/package/build.ts']);
    units({ VOXLANE_FULL: '1' });
    browser('full');
  } else {
    check('types', ['tsc', '--noEmit']);
    check('lint', ['eslint', '.', '--max-warnings', '0']);
    units();
    browser('browser');
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

main();
