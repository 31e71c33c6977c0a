/** Tests `corpus run` in processes of its own: signals, kills, and two processes on the same shard. The engine is simulated. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildStubWorker, bundleForNode } from '../../test/corpus/buildWorker';
import { seededRandom } from '../../test/clustering/random';
import { corpusFiles, type Entry } from './layout';

let worker: string;
let script: string;
let folder: string;
beforeAll(async () => {
  worker = await buildStubWorker();
  script = join(dirname(worker), 'run.mjs');
  const contents = `
    import { runCorpus } from './cli/corpus/run.ts';
    import { runCommand } from './cli/script.ts';
    await runCommand('voxlane', 1, () => runCorpus(process.argv.slice(2), ${JSON.stringify(worker)}));`;
  await bundleForNode({ stdin: { contents, resolveDir: process.cwd(), loader: 'ts' }, outfile: script });
});
afterAll(() => { rmSync(dirname(worker), { recursive: true, force: true }); });
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

function plan(texts: readonly string[]): void {
  const entries = texts.map((text, index): Entry => {
    const path = join(folder, `f${index}.wav`);
    writeFileSync(path, text);
    return { id: `f${index}`, recording: `f${index}`, path, durationSeconds: 100 - index, shard: 0, bytes: 1, modifiedMs: 0 };
  });
  const plan = { version: 1, inputs: [], numShards: 1, numEntries: entries.length, numRefused: 0, totalSeconds: 1, shards: [] };
  writeFileSync(corpusFiles(folder).plan, JSON.stringify(plan));
  writeFileSync(corpusFiles(folder).manifest, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string }>;
}

function start(): Running {
  const args = [script, folder, '--workers', '2', '--backend', 'wasm'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, STUB_LOG: join(folder, 'log') } });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => { stderr += data.toString(); });
  const ended = new Promise<Awaited<Running['ended']>>((resolve) => {
    child.on('close', (code, signal) => { resolve({ code, signal, stderr }); });
  });
  return { child, ended };
}

/** Resolves when the workers have started this number of attempts. */
async function untilAttempts(count: number): Promise<void> {
  while (attempts().length < count) await delay(10);
}

const attempts = (): string[] => readFileSync(join(folder, 'log'), { encoding: 'utf8', flag: 'a+' }).trim().split('\n').filter(Boolean).map((line) => (JSON.parse(line) as { file: string }).file);
const names = (kind: 'results' | 'failures' | 'running'): string[] => readdirSync(join(folder, kind)).sort();

/** Results without what differs between equal runs. */
function results(): unknown[] {
  return names('results').map((name) => {
    const record = JSON.parse(readFileSync(join(folder, 'results', name), 'utf8')) as { result: object };
    return { ...record, seconds: null, finishedMs: null, stamp: null, result: { ...record.result, timings: null } };
  });
}

test('after SIGTERM, files that end soon are finished, others are abandoned, and nothing is left behind', async () => {
  // On a busy machine, the first worker can start its second file before the other worker starts.
  plan(['wait 800', 'wait 600000', 'wait 600000', 'wait 600000']);
  const { child, ended } = start();
  await untilAttempts(2);
  child.kill('SIGTERM');
  const outcome = await ended;
  expect(outcome.signal).toBe('SIGTERM');
  expect(outcome.stderr).toContain('stopped with 1 of 4 files');
  expect(names('results')).toEqual(['f0.json']);
  expect(names('running')).toEqual([]);
  expect(names('failures')).toEqual([]);
});

test('a run that is killed again and again gives the same results, and repeats only the files in work', async () => {
  const texts = Array.from({ length: 16 }, (_, index) => (index === 7 ? 'fail audio-empty' : `wait ${30 + (index % 5) * 20}`));
  plan(texts);
  const random = seededRandom(20);
  for (let kill = 1; kill <= 4; kill++) {
    const before = attempts().length;
    const { child, ended } = start();
    await untilAttempts(before + 2);
    await delay(random() * 120);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
  }
  const done = new Set(names('results').map((name) => name.replace('.json', '.wav')));
  const before = attempts().length;
  expect(await start().ended).toMatchObject({ code: 1, signal: null });
  const last = attempts().slice(before);
  // The failed file is tried in each run.
  expect(last.sort()).toEqual(texts.map((_, index) => `f${index}.wav`).filter((name) => !done.has(name)).sort());
  expect(attempts().filter((name) => name !== 'f7.wav').length).toBeLessThanOrEqual(15 + 4 * 2);
  const interrupted = results();
  for (const kind of ['results', 'failures', 'running'] as const) {
    expect(names(kind).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    rmSync(join(folder, kind), { recursive: true });
  }
  await start().ended;
  expect(interrupted).toEqual(results());
  expect(names('running')).toEqual([]);
});

test('two processes on the same shard leave complete results', async () => {
  plan(Array.from({ length: 8 }, () => 'wait 20'));
  const both = await Promise.all([start().ended, start().ended]);
  expect(both).toMatchObject([{ code: 0 }, { code: 0 }]);
  expect(results()).toHaveLength(8);
  expect(readdirSync(join(folder, 'results'))).toHaveLength(8);
  expect(names('running')).toEqual([]);
});
