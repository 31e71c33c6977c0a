/**
 * Runs the checks and prints a summary at the end: each reason for skipped tests with their number, and
 * `N passed, N failed, N skipped`.
 *
 * `npm test` runs before each commit: types, lint, unit tests and browser tests. With `--full`, only longer tests run. Two
 * steps run in parallel, because most of them use one core. A step prints its output when it ends, so outputs of two steps
 * never mix.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { findHeadlessChromium } from '../cli/chromium';
import { addTallies, NO_TESTS, readPlaywright, readVitest, skipLines, type Tally } from './testReports';

/** A command and how to read its result. */
interface Step {
  readonly title: string;
  readonly command: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Reads the command's report. Without it, the command counts as one test. */
  readonly tally?: () => Tally | null;
  /** Steps that must end before this one starts. */
  readonly after?: readonly string[];
}

const RESULTS = 'test-results';
const MAX_CONCURRENT_STEPS = 2;

function vitest(title: string, environment: NodeJS.ProcessEnv = {}, after: readonly string[] = []): Step {
  const file = `${RESULTS}/vitest-${title}.json`;
  return {
    title,
    command: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    environment,
    tally: () => readVitest(file),
    after,
  };
}

function playwright(title: string, project: string, after: readonly string[]): Step {
  const file = `${RESULTS}/playwright-${project}.json`;
  return {
    title,
    command: ['playwright', 'test', `--project=${project}`, '--reporter=list,json'],
    environment: { PLAYWRIGHT_JSON_OUTPUT_NAME: file, VOXLANE_BUILT: '1' },
    tally: () => readPlaywright(file),
    after,
  };
}

const FAST: readonly Step[] = [
  { title: 'build', command: ['tsx', 'test/serve.ts', '--build'] },
  { title: 'types', command: ['node', 'node_modules/typescript-go/bin/tsc', '--noEmit'] },
  // Use tsx, because Node 20 cannot load the linter's TypeScript configuration.
  { title: 'lint', command: ['node', '--import', 'tsx', 'node_modules/oxlint/bin/oxlint'] },
  vitest('units'),
  playwright('browser', 'browser', ['build']),
];

const FULL: readonly Step[] = [
  { title: 'build', command: ['tsx', 'test/serve.ts', '--build'] },
  // The package tests run concurrently and use the output of this step.
  { title: 'packages', command: ['tsx', 'test/packages/prepare.ts'] },
  playwright('full', 'full', ['build', 'packages']),
  {
    title: 'browsers',
    command: ['tsx', 'e2e/browsers/run.ts'],
    tally: () => readVitest(`${RESULTS}/browsers.json`),
    after: ['build', 'packages'],
  },
  // Not concurrently with the browsers, because both use all cores. Last, because it keeps both cores busy by itself.
  vitest('units-full', { VOXLANE_FULL: '1' }, ['packages', 'browsers']),
];

/** Runs one step and prints its output at the end. */
async function run({ title, command, environment = {}, tally }: Step): Promise<Tally> {
  const started = Date.now();
  console.log(`── ${title}: started`);
  const [program, ...rest] = command as [string, ...string[]];
  const [file, args] = program === 'node' ? [process.execPath, rest] : ['npx', ['--no-install', program, ...rest]];
  const child = spawn(file, args, {
    env: { ...process.env, ...environment },
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => output.push(data));
  const status = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  process.stdout.write(`\n── ${title}: ${command.join(' ')}\n`);
  process.stdout.write(Buffer.concat(output));
  console.log(`── ${title}: ${status === 0 ? 'passed' : 'failed'} in ${seconds} s`);
  if (!tally) return status === 0 ? { ...NO_TESTS, passed: 1 } : { ...NO_TESTS, failed: 1 };
  const counted = tally();
  // Without a report, nothing shows that a test ran.
  if (!counted) return { ...NO_TESTS, failed: 1 };
  // A runner that crashed before its first test reports no failure.
  return status === 0 || counted.failed > 0 ? counted : { ...counted, failed: 1 };
}

/** Runs steps in parallel. A step starts when fewer than two run and its dependencies have ended. */
async function runAll(steps: readonly Step[]): Promise<Tally> {
  let total = NO_TESTS;
  const waiting = [...steps];
  const ended = new Set<string>();
  const running = new Map<string, Promise<void>>();
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.find(({ after = [] }) => after.every((title) => ended.has(title)));
    if (next && running.size < MAX_CONCURRENT_STEPS) {
      waiting.splice(waiting.indexOf(next), 1);
      running.set(
        next.title,
        run(next).then((tally) => {
          total = addTallies(total, tally);
          ended.add(next.title);
          running.delete(next.title);
        }),
      );
    } else {
      await Promise.race(running.values());
    }
  }
  return total;
}

async function main(): Promise<void> {
  try {
    console.log(`browser: ${findHeadlessChromium()}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
    return;
  }
  const isFull = process.argv.includes('--full');
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });
  const total = await runAll(isFull ? FULL : FAST);
  const { passed, failed, skipped } = total;
  console.log(`\n${skipLines(total).map((line) => `${line}\n`).join('')}${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
