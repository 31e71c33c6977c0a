import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { buildStubWorker } from '../../test/corpus/buildWorker';
import { corpusFiles, type Entry } from './layout';
import { readStatus } from './readStatus';
import { runCorpus } from './run';

let worker: string;
let folder: string;
let stderr: string;
let stdout: string;
beforeAll(async () => { worker = await buildStubWorker(); });
afterAll(() => { rmSync(dirname(worker), { recursive: true, force: true }); });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-test-'));
  vi.stubEnv('STUB_LOG', join(folder, 'log'));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A plan with one file per text. */
function plan(texts: Readonly<Record<string, string>>, changes: Readonly<Record<string, Partial<Entry>>> = {}, numShards = 1): void {
  const entries = Object.entries(texts).map(([id, text], index): Entry => {
    const path = join(folder, `${id}.wav`);
    writeFileSync(path, text);
    return { id, recording: id, path, durationSeconds: 100 - index, shard: index % numShards, bytes: text.length, modifiedMs: 0, ...changes[id] };
  });
  const plan = { version: 1, inputs: [], numShards, numEntries: entries.length, numRefused: 0, totalSeconds: 1, shards: [] };
  writeFileSync(corpusFiles(folder).plan, JSON.stringify(plan));
  writeFileSync(corpusFiles(folder).manifest, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}

async function run(...args: string[]): Promise<number> {
  [stderr, stdout] = ['', ''];
  return runCorpus([folder, '--workers', '1', '--backend', 'wasm', ...args], worker);
}

const record = (kind: 'results' | 'failures', id: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, kind, `${id}.json`), 'utf8')) as Record<string, unknown>;

/** Files of the attempts since the last call. */
function attempts(): Record<string, unknown>[] {
  const path = join(folder, 'log');
  const lines = readFileSync(path, { encoding: 'utf8', flag: 'a+' }).trim().split('\n').filter(Boolean);
  rmSync(path);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
const names = (): unknown[] => attempts().map(({ file }) => file);

test('results and failures are recorded, each failed file after two attempts', async () => {
  plan({ good: 'x', bad: 'fail audio-unsupported', broken: 'fail model-output', exits: 'exit', killed: 'kill', later: 'once kill' });
  expect(await run()).toBe(1);
  expect(names()).toEqual(['good.wav', 'bad.wav', 'broken.wav', 'broken.wav', 'exits.wav', 'exits.wav', 'killed.wav', 'later.wav', 'killed.wav', 'later.wav']);
  expect(readdirSync(join(folder, 'results')).sort()).toEqual(['good.json', 'later.json']);
  expect(readdirSync(join(folder, 'failures')).sort()).toEqual(['bad.json', 'broken.json', 'exits.json', 'killed.json']);
  expect(readdirSync(join(folder, 'running'))).toEqual([]);
  expect(record('results', 'good')).toMatchObject({ status: 'done', attempts: 1, counts: { turns: 1, speakers: 1, audioSeconds: 2 }, options: { preset: 'campplus', speed: 'exact' } });
  expect(record('results', 'later')).toMatchObject({ attempts: 2 });
  expect(record('failures', 'bad')).toMatchObject({ error: { code: 'audio-unsupported' }, attempts: 1 });
  expect(record('failures', 'exits')).toMatchObject({ error: { code: 'worker-failed', problem: 'The worker process ended with exit code 7' }, attempts: 2 });
  expect(record('failures', 'killed')).toMatchObject({ error: { problem: 'The worker process ended by SIGKILL' } });
  expect(stderr).toContain('[1/6] good: 2.0 s, 1 speaker, ');
  expect(stderr).toContain('[2/6] bad: failed: A simulated failure\n');
  expect(stderr).toContain('2 of 6 files are done, 4 failed');
});

test('a file with which the engine hangs is tried in two workers, and the others are done', async () => {
  vi.stubEnv('STUB_STALL_MS', '200');
  plan({ hangs: 'hang', later: 'once hang', good: 'x' });
  expect(await run()).toBe(1);
  expect(names()).toEqual(['hangs.wav', 'hangs.wav', 'later.wav', 'later.wav', 'good.wav']);
  expect(record('failures', 'hangs')).toMatchObject({ error: { code: 'worker-failed', remedy: 'Convert the recording to WAV, or remove it from the plan' }, attempts: 2 });
  expect(readdirSync(join(folder, 'results')).sort()).toEqual(['good.json', 'later.json']);
});

test('a second run processes only what is not done', async () => {
  plan({ a: 'x', b: 'once exit', c: 'fail audio-empty' });
  expect(await run()).toBe(1);
  names();
  writeFileSync(join(folder, 'c.wav'), 'x');
  writeFileSync(join(folder, 'results', '.a.json.0123456789ab.tmp'), '{');
  // A run was killed after it had written the result.
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(join(folder, 'running', 'a'), JSON.stringify({ pid, host: hostname(), shard: 0, startedMs: 1 }));
  expect(await run()).toBe(0);
  expect(names()).toEqual(['c.wav']);
  expect(readdirSync(join(folder, 'running'))).toEqual([]);
  expect(stderr).toContain('2 of 3 files are done already');
  expect(readdirSync(join(folder, 'failures'))).toEqual([]);
  expect(readdirSync(join(folder, 'results')).sort()).toEqual(['a.json', 'b.json', 'c.json']);
  expect(await run()).toBe(0);
  expect(names()).toEqual([]);
});

test('other bytes, options, numbers of speakers or damaged results are processed again', async () => {
  const texts = { a: 'x', b: 'y' };
  plan(texts);
  await run();
  names();
  writeFileSync(join(folder, 'a.wav'), 'z');
  utimesSync(join(folder, 'b.wav'), 1, 1);
  expect(await run()).toBe(0);
  expect(names()).toEqual(['a.wav']);
  await run('--min-duration-on', '0.5');
  expect(names()).toEqual(['a.wav', 'b.wav']);
  await run('--min-duration-on', '0.5', '--batch', '2');
  expect(names()).toEqual([]);
  plan({ ...texts, a: 'z' }, { b: { numSpeakers: 3 } });
  await run('--min-duration-on', '0.5');
  expect(attempts()).toEqual([{ file: 'b.wav', minDurationOn: 0.5, speakers: 3 }]);
  writeFileSync(join(folder, 'results', 'a.json'), '{"id":');
  await run('--min-duration-on', '0.5');
  expect(names()).toEqual(['a.wav']);
});

test('a file that fails with new options counts as failed, and its result counts again with the old ones', async () => {
  const current = async (): Promise<object> => {
    const { numDone, numFailed } = await readStatus(folder, 0);
    return { numDone, numFailed };
  };
  plan({ a: 'x' });
  writeFileSync(corpusFiles(folder).refused, '');
  await run();
  const result = record('results', 'a');
  // For example on a disk that is not mounted.
  rmSync(join(folder, 'a.wav'));
  expect(await run('--min-duration-on', '0.5')).toBe(1);
  expect(record('failures', 'a')).toMatchObject({ error: { code: 'source-missing' } });
  expect(await current()).toEqual({ numDone: 0, numFailed: 1 });
  expect(record('results', 'a')).toEqual(result);
  expect(await run()).toBe(0);
  expect(readdirSync(join(folder, 'failures'))).toEqual([]);
  expect(await current()).toEqual({ numDone: 1, numFailed: 0 });
});

test('an empty result is computed again, unless the file is silent', async () => {
  plan({ a: 'empty', b: 'once empty' });
  expect(await run()).toBe(0);
  expect(names()).toEqual(['a.wav', 'b.wav', 'a.wav', 'b.wav']);
  expect(record('results', 'a')).toMatchObject({ status: 'done', attempts: 2, note: 'No speech was found in two attempts.' });
  expect(record('results', 'b')).toMatchObject({ counts: { turns: 1 } });
  expect(await run()).toBe(0);
  expect(names()).toEqual([]);
});

test('segments and the number of speakers are passed to the engine', async () => {
  plan({ a: 'x', b: 'x' }, { a: { startSeconds: 5, endSeconds: 9, numSpeakers: 2 } });
  await run('--max-speakers', '4', '--duration', '3');
  expect(attempts()).toEqual([
    { file: 'a.wav', speakers: 2, startSeconds: 5, durationSeconds: 3 },
    { file: 'b.wav', maxSpeakers: 4, durationSeconds: 3 },
  ]);
});

test('a run processes its shard only', async () => {
  plan({ a: 'x', b: 'x', c: 'x' }, {}, 2);
  expect(await run('--shard', '1/2')).toBe(0);
  expect(names()).toEqual(['b.wav']);
  vi.stubEnv('JOB_COMPLETION_INDEX', '0');
  expect(await run()).toBe(0);
  expect(names()).toEqual(['a.wav', 'c.wav']);
});

test('several workers process all files', async () => {
  plan(Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((id) => [id, 'wait 50'])));
  expect(await run('--workers', '2')).toBe(0);
  expect(names().sort()).toEqual(['a.wav', 'b.wav', 'c.wav', 'd.wav', 'e.wav']);
  expect(stderr).toContain('2 workers on wasm, each with');
});

test('--json prints one event per line', async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text, ...rest: unknown[]) => {
    stdout += String(text);
    (rest.at(-1) as () => void)();
    return true;
  });
  plan({ a: 'x', b: 'fail audio-empty' });
  await run('--json');
  const events = stdout.trim().split('\n').map((line) => JSON.parse(line) as object);
  expect(events).toMatchObject([
    { event: 'start', shards: [0], doneBefore: 0, files: 2, totalAudioSeconds: 199, secondsLeft: null },
    { event: 'workers', workers: 1, backend: 'wasm' },
    { event: 'file', id: 'a', status: 'done', audioSeconds: 2, speakers: 1, finishedFiles: 1, finishedAudioSeconds: 100 },
    { event: 'file', id: 'b', status: 'failed', code: 'audio-empty', text: 'A simulated failure', secondsLeft: 0 },
    { event: 'end', done: 1, failed: 1, files: 2 },
  ]);
});

test('a missing input is a failure of its own', async () => {
  plan({ a: 'x', b: 'x' });
  rmSync(join(folder, 'a.wav'));
  expect(await run()).toBe(1);
  expect(record('failures', 'a')).toMatchObject({ error: { code: 'source-missing' } });
  expect(record('results', 'b')).toMatchObject({ status: 'done' });
});

test.each([[], ['--verify']])('the result of a file that is gone later stays and counts %s', async (...flags) => {
  plan({ a: 'x', b: 'x' });
  expect(await run()).toBe(0);
  const stored = record('results', 'a');
  rmSync(join(folder, 'a.wav'));
  expect(await run(...flags)).toBe(0);
  expect(record('results', 'a')).toEqual(stored);
  expect(stderr).toContain('1 file that has a result cannot be read now');
});

test('an engine that cannot start and an unwritable folder end the run with one error', async () => {
  plan({ a: 'x', b: 'x' });
  await expect(run('--hub', 'http://localhost:1')).rejects.toThrow('The hub has no model');
  rmSync(join(folder, 'failures'), { recursive: true });
  rmSync(join(folder, 'results'), { recursive: true });
  writeFileSync(join(folder, 'results'), '');
  await expect(run()).rejects.toThrow('results cannot be written: a part of its path is not a folder');
  expect(names()).toEqual([]);
});

test.each([
  [['--shard', '9/9'], 'the plan has 1 shard'],
  [['--workers', '0'], '--workers is 0. Expected a whole number from 1 to 256'],
  [['--batch', '64'], 'from 1 to 32'],
  [['--format', 'json'], 'corpus merge'],
  [['--speakers', '0'], '--speakers is 0'],
  [['other'], 'expected one corpus folder'],
])('%s is wrong usage', async (args, message) => {
  plan({ a: 'x' });
  await expect(runCorpus([folder, ...args], worker)).rejects.toThrow(message);
});

test('a folder without a plan is an error', async () => {
  await expect(runCorpus([folder], worker)).rejects.toThrow('plan.json');
  await expect(runCorpus([], worker)).rejects.toThrow('expected a corpus folder');
  mkdirSync(join(folder, 'x'));
});
