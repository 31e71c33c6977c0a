/** The command line with failing processes, disks and pipes. */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { Finished } from '../../test/browser/command';

test.skip(process.platform !== 'linux', 'child processes are looked up in /proc, which only Linux has');

let folder: string;
test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-faults-'));
});
test.afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Running {
  readonly pid: number;
  /** Standard error so far. */
  readonly stderr: () => string;
  readonly finished: Promise<Finished & { readonly signal: NodeJS.Signals | null }>;
}

/** One window of speech, for tests that do not interrupt the run. */
const SHORT = ['--start', '7', '--duration', '5'];
/** Many windows, for tests that interrupt a run before its end. */
const LONG = ['--duration', '14'];

/** Starts `diarize` on WASM. @param isRead whether its standard output stays open */
function diarize(args: readonly string[], environment: NodeJS.ProcessEnv = {}, isRead = true): Running {
  const command = ['--import', 'tsx', 'cli/diarize.ts', '--engine', 'browser', '--backend', 'wasm', '--progress', ...args];
  const child = spawn(process.execPath, command, { env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache'), ...environment } });
  let [stdout, stderr] = ['', ''];
  if (isRead) child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  else child.stdout.destroy();
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const finished = new Promise<Finished & { signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => { resolve({ code, signal, stdout, stderr }); });
  });
  return { pid: child.pid!, stderr: () => stderr, finished };
}

/** Kills the descendants of `pid` whose command line contains `part`. @returns their number */
function kill(pid: number, part: string): number {
  let killed = 0;
  for (const child of childrenOf(pid)) {
    killed += kill(child, part);
    if (!readOf(child, 'cmdline').includes(part)) continue;
    process.kill(child, 'SIGKILL');
    killed++;
  }
  return killed;
}

const childrenOf = (pid: number): number[] => readOf(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);

function readOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // The process has ended.
    return '';
  }
}

/** Copies of the sample with these names. */
function samples(...names: string[]): string[] {
  return names.map((name) => {
    copyFileSync('public/sample.wav', join(folder, `${name}.wav`));
    return join(folder, `${name}.wav`);
  });
}

/** Waits for these lines on standard error in this order. */
async function seen(running: Running, ...lines: readonly RegExp[]): Promise<void> {
  let from = 0;
  for (const line of lines) {
    const find = (): number => running.stderr().slice(from).search(line);
    await expect.poll(find, { message: String(line), timeout: 120_000, intervals: [50] }).toBeGreaterThanOrEqual(0);
    from += find() + 1;
  }
}

const AT_WORK = /embedding \d+ %/;
const AGAIN = /trying again in a new one/;

test('killing renderer, browser and GPU process during a run does not change the results', async () => {
  test.setTimeout(400_000);
  const out = join(folder, 'out');
  const running = diarize([...samples('a', 'b', 'c'), '--out', out, ...LONG]);
  await seen(running, AT_WORK);
  expect(kill(running.pid, '--type=renderer')).toBeGreaterThan(0);
  const isDone = (name: string): RegExp => new RegExp(`${name}\\.wav: .* speakers`);
  await seen(running, AGAIN, isDone('a'), AT_WORK);
  expect(kill(running.pid, '--headless')).toBeGreaterThan(0);
  await seen(running, AGAIN, isDone('a'), AGAIN, isDone('b'), AT_WORK);
  kill(running.pid, '--type=gpu-process');
  const { code, stderr } = await running.finished;
  expect(stderr.match(/the browser ended; trying again in a new one/g)).toHaveLength(2);
  expect(code).toBe(0);
  const expected = await diarize([...samples('d'), ...LONG]).finished;
  for (const name of ['a', 'b', 'c']) {
    expect(readFileSync(join(out, `${name}.rttm`), 'utf8').replaceAll(` ${name} `, ' d ')).toBe(expected.stdout);
  }
  expect(readdirSync(out)).toEqual(['a.rttm', 'b.rttm', 'c.rttm']);
});

test('a file that ends two browsers is a failure, and the next file gets a new browser', async () => {
  test.setTimeout(400_000);
  const [a, b] = samples('a', 'b') as [string, string];
  const running = diarize([a, b, '--out', join(folder, 'out'), ...LONG]);
  await seen(running, AT_WORK);
  kill(running.pid, '--type=renderer');
  await seen(running, AGAIN, AT_WORK);
  kill(running.pid, '--type=renderer');
  const { code, stderr } = await running.finished;
  expect(code).toBe(1);
  expect(stderr.split('\n').filter((line) => line.startsWith('voxlane: '))).toEqual([
    `voxlane: ${a}: the browser ended 2 times during this work. Free some memory, or split the recording`,
  ]);
  expect(readdirSync(join(folder, 'out'))).toEqual(['b.rttm']);
});

test('two runs at the same time: the second one uses a temporary profile', async () => {
  const [a, b] = samples('a', 'b') as [string, string];
  const [first, second] = [diarize([a, ...SHORT]), diarize([b, ...SHORT])];
  const results = await Promise.all([first.finished, second.finished]);
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  expect(results[0].stdout).toBe(results[1].stdout.replaceAll(' b ', ' a '));
  expect(readdirSync(join(folder, 'cache', 'voxlane'))).toEqual(['browser']);
});

test('unreadable inputs and unwritable results cause one line each, and the other files are diarized', async () => {
  const out = join(folder, 'out');
  mkdirSync(join(out, 'b.rttm'), { recursive: true });
  symlinkSync('/dev/full', join(out, 'c.rttm'));
  writeFileSync(join(folder, 'empty.wav'), '');
  const [a, b, c] = samples('a', 'b', 'c') as [string, string, string];
  const { code, stderr } = await diarize([b, join(folder, 'empty.wav'), join(folder, 'absent.wav'), c, a, '--out', out, ...SHORT]).finished;
  expect(stderr.split('\n').filter((line) => line.startsWith('voxlane: '))).toEqual([
    `voxlane: ${b}: ${join(out, 'b.rttm')} cannot be written: it is a folder`,
    `voxlane: ${join(folder, 'empty.wav')}: the file is empty`,
    `voxlane: ${join(folder, 'absent.wav')}: the file does not exist`,
    `voxlane: ${c}: ${join(out, 'c.rttm')} cannot be written: no space is left on the disk`,
  ]);
  expect(code).toBe(1);
  expect(readFileSync(join(out, 'a.rttm'), 'utf8')).toContain('SPEAKER a ');
  expect(readdirSync(out)).toEqual(['a.rttm', 'b.rttm', 'c.rttm']);
});

test('a closed standard output causes one line per file and no stack trace', async () => {
  const [a, b] = samples('a', 'b') as [string, string];
  const { code, stderr } = await diarize([a, b, ...SHORT], {}, false).finished;
  expect(stderr.split('\n').filter((line) => line.startsWith('voxlane: ') || line.includes(' at '))).toEqual([
    `voxlane: ${a}: standard output cannot be written: its reader has closed it`,
    `voxlane: ${b}: not diarized, because standard output is closed`,
  ]);
  expect(code).toBe(1);
});

test('a signal during a run ends the browser and leaves no temporary folder', async () => {
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const running = diarize(samples('a'), { TMPDIR: temporary });
  await seen(running, AT_WORK);
  const browsers = childrenOf(running.pid);
  process.kill(running.pid, 'SIGTERM');
  const { signal, stdout, stderr } = await running.finished;
  expect(signal).toBe('SIGTERM');
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/voxlane: | at /);
  for (const browser of browsers) expect(readOf(browser, 'cmdline')).toBe('');
  // tsx keeps its caches between runs.
  expect(readdirSync(temporary).filter((name) => !name.startsWith('tsx-') && name !== 'node-compile-cache')).toEqual([]);
});
