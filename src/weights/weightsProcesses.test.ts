/** Two processes that convert the same file in the same cache folder, and processes that end in the middle of a conversion. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleForNode } from '../../test/corpus/buildWorker';
import { networkFile } from '../../test/weights/network';

let scripts: string;
let script: string;
let folder: string;

/** Small pieces, so that a conversion has hundreds of writes during which another process can disturb it. */
const CONTENTS = `
  import { readFileSync, writeSync } from 'node:fs';
  import { NETWORK } from './test/weights/network';
  import { ModelCache } from './src/store/cache';
  import { hostCacheTools, processLock } from './src/store/nodeCacheTools';
  import { WeightsStore } from './src/weights/weightsStore';
  import { loadWeights } from './src/weights/bind';
  const file = new File([readFileSync(process.argv[2])], 'weights.safetensors');
  const isStopping = process.argv[3] === 'stop';
  const store = new WeightsStore({ cache: new ModelCache({ ...hostCacheTools(), pieceBytes: 8 }), withLock: processLock });
  let steps = '';
  const { weights, stored } = await store.prepare('net', [], {
    base: 'http://base.invalid/', hub: null, expected: NETWORK, form: 'float16', dropped: file, trustUnknown: true,
    onProgress: ({ step }) => {
      steps += step[0];
      if (isStopping && /c{12}/.test(steps)) { writeSync(1, 'converting'); for (;;) {} }
    },
  });
  const loaded = await loadWeights(weights);
  if (!stored || loaded.size !== NETWORK.length) throw new Error('not stored, or not whole');
  process.stdout.write(steps);`;

beforeAll(async () => {
  scripts = mkdtempSync(join(tmpdir(), 'voxlane-test-'));
  symlinkSync(resolve('node_modules'), join(scripts, 'node_modules'));
  script = join(scripts, 'convert.mjs');
  await bundleForNode({ stdin: { contents: CONTENTS, resolveDir: resolve('.'), loader: 'ts' }, outfile: script });
  writeFileSync(join(scripts, 'weights.safetensors'), networkFile());
});
afterAll(() => { rmSync(scripts, { recursive: true, force: true }); });
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [script, join(scripts, 'weights.safetensors'), ...args], { env: { ...process.env, VOXLANE_CACHE: folder } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => { stdout += data.toString(); });
  child.stderr.on('data', (data: Buffer) => { stderr += data.toString(); });
  return { child, ended: new Promise((done) => { child.on('close', (code) => { done({ code, stdout, stderr }); }); }) };
}

const locks = (): string[] => {
  const place = join(folder, 'models/locks');
  return readdirSync(place).flatMap((name) => readdirSync(join(place, name)));
};

test('two processes convert a file once, and both use it', async () => {
  const both = await Promise.all([start().ended, start().ended]);
  for (const { code, stderr } of both) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  // Only one of them has converted.
  expect(both.map(({ stdout }) => stdout.includes('c')).toSorted()).toEqual([false, true]);
  expect(locks()).toEqual([]);
});

test('a process that is killed in mid-conversion leaves nothing that disturbs the next one', async () => {
  const first = start('stop');
  await new Promise((done) => { first.child.stdout!.once('data', done); });
  expect(locks()).toHaveLength(1);
  first.child.kill('SIGKILL');
  await first.ended;
  const { code, stdout, stderr } = await start().ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('c');
  expect(locks()).toEqual([]);
});

test('the file of a lock of another machine counts until it shows no sign', async () => {
  const place = join(folder, 'models/locks', encodeURIComponent('voxlane-weights/net'));
  mkdirSync(place, { recursive: true });
  const other = join(place, `1.0.0.${encodeURIComponent(`not ${hostname()}`)}`);
  writeFileSync(other, '');
  const running = start();
  let isEnded = false;
  void running.ended.then(() => { isEnded = true; });
  // It waits as long as the file is there.
  await new Promise((done) => { setTimeout(done, 1500); });
  expect(isEnded).toBe(false);
  rmSync(other);
  expect((await running.ended).code).toBe(0);
});
