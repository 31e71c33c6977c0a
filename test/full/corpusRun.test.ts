/**
 * Tests `corpus run` with the real engine: kills at random moments, and all bad inputs in one run. Starts the packed command,
 * because TypeScript would be compiled in each of some dozens of processes.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../clustering/random';
import { cutWav, sampleClips, wavFile, writeCorpus, type CorpusInput } from '../corpus/makeCorpus';
import { installPackages } from '../packages/pack';
import { SHARED } from '../shared';

/** `VOXLANE_KILLS=20` tests more moments. */
const KILLS = Number(process.env.VOXLANE_KILLS ?? 8);
const WORKERS = '2';
/** For a busy machine. */
const TIMEOUT_MS = 900_000;

let folder: string;
let script: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-test-'));
  script = join(await installPackages(), 'node_modules/voxlane/bin/voxlane.js');
}, TIMEOUT_MS);
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** @param killAfterMs after the first worker is ready; the start of a process takes longer on a busy machine */
function run(corpus: string, killAfterMs?: number): Promise<Ended> {
  const args = [script, 'corpus', 'run', corpus, '--backend', 'wasm', '--workers', WORKERS];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    const isReady = stderr.includes(' on wasm');
    stderr += data.toString();
    if (killAfterMs === undefined || isReady || !stderr.includes(' on wasm')) return;
    void delay(killAfterMs).then(() => child.kill('SIGKILL'));
  });
  return new Promise((done) => { child.on('close', (code, signal) => { done({ code, signal, stderr }); }); });
}

/** Result files, with the parts that differ between equal runs removed. */
function results(corpus: string): Record<string, unknown> {
  const names = readdirSync(join(corpus, 'results')).sort();
  return Object.fromEntries(names.map((name) => {
    const record = JSON.parse(readFileSync(join(corpus, 'results', name), 'utf8')) as { result: object };
    return [name, JSON.stringify({ ...record, seconds: 0, finishedMs: 0, result: { ...record.result, timings: {} } })];
  }));
}

/** Complete results, by name, with their modification times. */
function finished(corpus: string): Map<string, number> {
  const results = join(corpus, 'results');
  if (!existsSync(results)) return new Map();
  const names = readdirSync(results).filter((name) => name.endsWith('.json'));
  return new Map(names.map((name) => [name, statSync(join(results, name)).mtimeMs]));
}

const leftBehind = (corpus: string): string[] =>
  ['results', 'failures', 'running'].flatMap((part) => readdirSync(join(corpus, part)).filter((name) => part === 'running' || name.endsWith('.tmp')));

test('a run that is killed at random moments and continued gives the same bytes, and repeats only the files in work', async () => {
  const corpus = join(folder, 'killed');
  const inputs = sampleClips(join(folder, 'clips'), 24, 2);
  writeCorpus(corpus, inputs);
  // Results record when their input was last changed, but only of files that are older than two seconds.
  await delay(2500);
  expect(KILLS).toBeGreaterThan(0);
  const random = seededRandom(20);
  let [kills, repeats] = [0, 0];
  while (kills < KILLS) {
    const before = finished(corpus);
    const { code, signal, stderr } = await run(corpus, 1500 * random());
    const after = finished(corpus);
    for (const [name, time] of before) expect(after.get(name), name).toBe(time);
    if (signal === 'SIGKILL') {
      kills++;
      continue;
    }
    // The run was complete before the kill.
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(after.size).toBe(inputs.length);
    expect(leftBehind(corpus)).toEqual([]);
    // Continue with another half of the files.
    for (const name of [...after.keys()].filter((_, index) => index % 2 === repeats % 2)) rmSync(join(corpus, 'results', name));
    repeats++;
  }
  expect(await run(corpus)).toMatchObject({ code: 0 });
  expect(leftBehind(corpus)).toEqual([]);
  const undisturbed = join(folder, 'undisturbed');
  writeCorpus(undisturbed, inputs);
  expect(await run(undisturbed)).toMatchObject({ code: 0 });
  expect(results(corpus)).toEqual(results(undisturbed));
  expect(Object.keys(results(corpus))).toHaveLength(inputs.length);
}, TIMEOUT_MS);

/** Files that are broken in a way of their own, and files that were difficult in earlier versions. */
function difficultInputs(): CorpusInput[] {
  const made = join(folder, 'made');
  mkdirSync(made);
  const speech = cutWav('public/sample.wav', 10, 3);
  const nan = wavFile(new Uint8Array(4 * 16_000));
  nan.writeUInt16LE(3, 20);
  nan.writeUInt32LE(64_000, 28);
  nan.writeUInt16LE(4, 32);
  nan.writeUInt16LE(32, 34);
  nan.writeFloatLE(NaN, 44 + 400);
  const files: Record<string, Uint8Array> = {
    'empty.wav': new Uint8Array(),
    'text.wav': Buffer.from('This is not audio.'),
    'header-only.wav': wavFile(new Uint8Array()),
    'cut-off.wav': speech.subarray(0, speech.length / 2),
    'nan.wav': nan,
    'silent.wav': wavFile(new Uint8Array(96_000)),
    'speech.wav': speech,
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(made, name), bytes);
  // Both folders contain some of the same files.
  const others = new Map(['e2e/fixtures/cases', join(SHARED, 'cases/files')].flatMap((path) =>
    existsSync(path) ? readdirSync(path).map((name) => [name, resolve(path, name)] as const) : []));
  const paths = [...readdirSync(made).map((name) => join(made, name)), ...others.values(), join(made, 'missing.wav'), made];
  return paths.map((path, index) => ({ id: `${index}${extname(path)}`, path, durationSeconds: 8 }));
}

test('one run over every difficult file records a failure for each bad one, and does all others', async () => {
  const corpus = join(folder, 'difficult');
  const inputs = difficultInputs();
  writeCorpus(corpus, inputs);
  const { code, stderr } = await run(corpus);
  expect(code).toBe(1);
  expect(leftBehind(corpus)).toEqual([]);
  const codes = inputs.map(({ id, path }): [string, string | null] => {
    const [result, failure] = [join(corpus, 'results', `${id}.json`), join(corpus, 'failures', `${id}.json`)];
    expect(existsSync(failure), path).toBe(!existsSync(result));
    return [basename(path), existsSync(failure) ? (JSON.parse(readFileSync(failure, 'utf8')) as { error: { code: string } }).error.code : null];
  });
  // Which codecs can be decoded depends on the machine.
  expect(Object.fromEntries(codes)).toMatchObject({
    'empty.wav': 'audio-empty',
    'text.wav': 'audio-unsupported',
    'header-only.wav': 'audio-no-samples',
    'cut-off.wav': 'audio-truncated',
    'nan.wav': 'audio-not-finite',
    'missing.wav': 'source-missing',
    'made': 'audio-missing',
    'silent.wav': null,
    'speech.wav': null,
    'lying.zip': 'audio-unsupported',
    '400-speakers.rttm': 'audio-unsupported',
    'huge-dims.onnx': 'audio-unsupported',
    'stereo_phase_inverted.wav': null,
    'wav_data_22_bytes_too_long.wav': null,
    'wav_placeholder_2000000000_pocket_tts.wav': null,
  });
  const failed = codes.filter(([, kind]) => kind !== null);
  expect(stderr).toContain(`${inputs.length - failed.length} of ${inputs.length} files are done, ${failed.length} failed`);
}, TIMEOUT_MS);
