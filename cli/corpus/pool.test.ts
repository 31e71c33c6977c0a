import { expect, test } from 'vitest';
import { VoxlaneError, type ErrorCode } from '../../src/util/errors';
import { Pool, type Outcome } from './pool';
import type { Attempt, CorpusWorker } from './workerProcess';
import type { FileResult, Job } from './workerProtocol';

const RESULT: FileResult = { inputSha256: 'a', stamp: null, document: '{}', exactTurns: [], numTurns: 1, numSpeakers: 1, audioSeconds: 1, backend: 'wasm', isSilent: null };
const done = (change: Partial<FileResult> = {}, residentBytes = 1): Attempt => ({ kind: 'done', result: { ...RESULT, ...change }, seconds: 1, residentBytes });
const failed = (code: ErrorCode): Attempt => ({ kind: 'failed', error: { code, problem: 'bad' }, seconds: 1, residentBytes: 1 });
const crashed = (isKilled = false): Attempt => ({ kind: 'crashed', error: { code: 'worker-failed', problem: 'ended' }, isKilled, seconds: 1 });

interface Setup {
  readonly tasks: readonly string[];
  /** Attempts of each file, in order; the last one is repeated. */
  readonly attempts?: Readonly<Record<string, readonly Attempt[]>>;
  readonly workers?: number;
  readonly start?: () => Promise<void>;
  readonly onEnd?: (task: string) => Promise<void>;
  readonly onRun?: (task: string) => unknown;
}

const EIGHT = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** A pool whose workers answer from a table. The log has one line per attempt: worker and file. */
function poolOf({ tasks, attempts = {}, workers = 1, start = () => Promise.resolve(), onEnd, onRun }: Setup) {
  const log: string[] = [];
  const outcomes: Record<string, Outcome> = {};
  const notes: string[] = [];
  const counts = new Map<string, number>();
  let [started, working] = [0, 0];
  const startWorker = async (): Promise<CorpusWorker> => {
    await start();
    const name = started++;
    let isEnded = false;
    return {
      info: { backend: 'wasm', preset: 'campplus' },
      run: async ({ path }: Job) => {
        expect(isEnded).toBe(false);
        working++;
        log.push(`${name} ${path}${working > 1 ? ' (others work)' : ''}`);
        await onRun?.(path);
        await new Promise((resolve) => setTimeout(resolve));
        working--;
        const table = attempts[path] ?? [done()];
        const count = counts.get(path) ?? 0;
        counts.set(path, count + 1);
        return table[Math.min(count, table.length - 1)]!;
      },
      end: () => {
        isEnded = true;
        return Promise.resolve();
      },
      kill: () => undefined,
    };
  };
  const pool = new Pool(tasks, {
    jobOf: (path) => ({ path, options: {} }),
    start: startWorker,
    size: () => Promise.resolve({ workers, threads: 1, batch: undefined, workerLimitBytes: 1000, reason: '' }),
    onStart: () => Promise.resolve(),
    onEnd: async (task, outcome) => {
      await onEnd?.(task);
      expect(outcomes[task]).toBeUndefined();
      outcomes[task] = outcome;
    },
    note: (task, text) => { notes.push(`${task}: ${text}`); },
  });
  return { pool, log, outcomes, notes };
}

test('one worker processes all files', async () => {
  const { pool, log, outcomes, notes } = poolOf({ tasks: ['a', 'b', 'c'] });
  await pool.run();
  expect(log).toEqual(['0 a', '0 b', '0 c']);
  expect(outcomes).toMatchObject({ a: { kind: 'done', attempts: 1 }, b: { kind: 'done' }, c: { kind: 'done' } });
  expect(notes).toEqual([]);
});

test('the worker continues while a result is written; results are written in order', async () => {
  let bStarted = (): void => undefined;
  const started = new Promise<void>((resolve) => { bStarted = resolve; });
  const { pool, outcomes } = poolOf({
    tasks: ['a', 'b', 'c'],
    onRun: (task) => { if (task === 'b') bStarted(); },
    onEnd: (task) => (task === 'a' ? started : Promise.resolve()),
  });
  await pool.run();
  expect(Object.keys(outcomes)).toEqual(['a', 'b', 'c']);
});

test('several workers share the files', async () => {
  const { pool, log, outcomes } = poolOf({ tasks: ['a', 'b', 'c', 'd'], workers: 2 });
  await pool.run();
  expect(new Set(log.map((line) => line[0]))).toEqual(new Set(['0', '1']));
  expect(Object.keys(outcomes).sort()).toEqual(['a', 'b', 'c', 'd']);
});

test('a failed file is tried once more, in a fresh worker', async () => {
  const { pool, log, outcomes, notes } = poolOf({ tasks: ['a', 'b', 'c'], attempts: { a: [failed('audio-decode'), done()], b: [failed('model-output')] } });
  await pool.run();
  expect(log).toEqual(['0 a', '1 a', '1 b', '2 b', '3 c']);
  expect(outcomes).toMatchObject({ a: { kind: 'done', attempts: 2 }, b: { kind: 'failed', attempts: 2, error: { code: 'model-output' } }, c: { kind: 'done' } });
  expect(notes).toEqual(['a: bad; trying again in a new worker', 'b: bad; trying again in a new worker']);
});

test('an error that depends only on the file is final, and the worker stays', async () => {
  const { pool, log, outcomes } = poolOf({ tasks: ['a', 'b'], attempts: { a: [failed('audio-unsupported')] } });
  await pool.run();
  expect(log).toEqual(['0 a', '0 b']);
  expect(outcomes.a).toMatchObject({ kind: 'failed', attempts: 1 });
});

test('a file whose worker crashed is tried again at once', async () => {
  const { pool, log, outcomes } = poolOf({ tasks: ['a', 'b'], attempts: { a: [crashed(), done()] } });
  await pool.run();
  expect(log).toEqual(['0 a', '1 a', '1 b']);
  expect(outcomes.a).toMatchObject({ kind: 'done', attempts: 2 });
});

test('a file whose worker was killed is tried again at the end, alone', async () => {
  const { pool, log, outcomes } = poolOf({ tasks: ['a', 'b', 'c', 'd'], workers: 2, attempts: { a: [crashed(true), done()], b: [crashed(true)] } });
  await pool.run();
  expect(log.slice(-2).map((line) => line.slice(2))).toEqual(['a', 'b']);
  expect(outcomes).toMatchObject({ a: { kind: 'done', attempts: 2 }, b: { kind: 'failed', attempts: 2 }, d: { kind: 'done' } });
});

test('an empty result counts at once only if the file is silent', async () => {
  const empty = (isSilent: boolean | null): Attempt => done({ numTurns: 0, isSilent });
  const { pool, log, outcomes } = poolOf({
    tasks: ['silent', 'noise', 'unknown', 'fault'],
    attempts: { silent: [empty(true)], noise: [empty(false)], unknown: [empty(null)], fault: [empty(false), done()] },
  });
  await pool.run();
  expect(log).toEqual(['0 silent', '0 noise', '0 unknown', '0 fault', '1 noise', '1 unknown', '1 fault']);
  expect(outcomes).toMatchObject({
    silent: { attempts: 1, result: { numTurns: 0 } },
    noise: { attempts: 2, result: { numTurns: 0 } },
    unknown: { attempts: 2, result: { numTurns: 0 } },
    fault: { attempts: 2, result: { numTurns: 1 } },
  });
});

test('a worker whose memory has grown is replaced', async () => {
  const { pool, log } = poolOf({ tasks: ['a', 'b', 'c'], attempts: { b: [done({}, 1001)] } });
  await pool.run();
  expect(log).toEqual(['0 a', '0 b', '1 c']);
});

test('workers that crash with each file end the run', async () => {
  const { pool, outcomes } = poolOf({ tasks: EIGHT, attempts: Object.fromEntries(EIGHT.map((name) => [name, [crashed()]])) });
  await expect(pool.run()).rejects.toThrow('crashed with 5 files in a row');
  expect(Object.keys(outcomes)).toEqual(['a', 'b', 'c', 'd']);
});

test('a full disk ends the run after the files in work', async () => {
  const tasks = EIGHT;
  const { pool, outcomes } = poolOf({ tasks, workers: 2, onEnd: (task) => (task === 'c' ? Promise.reject(new Error('no space is left')) : Promise.resolve()) });
  await expect(pool.run()).rejects.toThrow('no space is left');
  expect(Object.keys(outcomes).length).toBeLessThan(5);
});

test('an engine that cannot start is an error before any file', async () => {
  const { pool, log } = poolOf({ tasks: ['a'], start: () => Promise.reject(new VoxlaneError({ code: 'model-missing', problem: 'no model' })) });
  await expect(pool.run()).rejects.toThrow('no model');
  expect(log).toEqual([]);
});

test('a worker that crashes at its start is started once more', async () => {
  let count = 0;
  const start = (): Promise<void> => (count++ === 0 ? Promise.reject(new VoxlaneError({ code: 'worker-failed', problem: 'ended' })) : Promise.resolve());
  const { pool, outcomes } = poolOf({ tasks: ['a'], start });
  await pool.run();
  expect(outcomes.a).toMatchObject({ kind: 'done', attempts: 1 });
});

test('after a stop, only the files in work are finished, and crashes are not recorded', async () => {
  const { pool, outcomes } = poolOf({
    tasks: EIGHT,
    workers: 2,
    attempts: { b: [crashed(true)] },
    onRun: (task) => { if (task === 'b') pool.stop(); },
  });
  await pool.run();
  expect(Object.keys(outcomes)).toEqual(['a']);
});

test('without files, no worker starts', async () => {
  const { pool } = poolOf({ tasks: [], start: () => Promise.reject(new Error('started')) });
  await pool.run();
});
