/** A corpus on a real Slurm: an array job with a killed task gives the same bytes as one process. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { corpusFiles, readEntries, type Entry } from '../../cli/corpus/layout';
import { MERGED_FILES } from '../../cli/corpus/mergeCorpus';
import { sampleWav } from '../audio/sampleWav';
import { startSlurm, whyNoSlurm, type Slurm } from '../corpus/slurm';
import { installPackages } from '../packages/pack';
import { itUnless } from '../skips';

const RECORDINGS = 40;
const SHARDS = 4;
const BROKEN = ['clip-17', 'clip-30'] as const;
/** In the sample, speech begins here. */
const SPEECH_SECONDS = 7;
/** Much more than an idle machine needs. */
const LIMIT_MS = 600_000;
const POLL_MS = 20;

const reason = whyNoSlurm();

let root: string;
let corpus: string;
let voxlane: string;
let slurm: Slurm;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'voxlane-corpus-'));
  corpus = join(root, 'corpus');
  voxlane = join(root, 'voxlane');
  if (reason !== null) return;
  const script = join(await installPackages(), 'node_modules/voxlane/bin/voxlane.js');
  writeFileSync(voxlane, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`, { mode: 0o755 });
  slurm = await startSlurm(2);
}, LIMIT_MS);

afterAll(async () => {
  if (reason === null) await slurm.stop();
  rmSync(root, { recursive: true, force: true });
});

itUnless(reason)('an array of tasks, one of them killed, gives the bytes of one process', { timeout: LIMIT_MS }, async () => {
  const recordings = join(root, 'recordings');
  const clip = (index: number): string => join(recordings, `clip-${String(index).padStart(2, '0')}.wav`);
  mkdirSync(recordings);
  const writeClips = (): void => {
    for (let index = 0; index < RECORDINGS; index++) writeFileSync(clip(index), sampleWav(SPEECH_SECONDS + index / 2, 2 + (index % 3) / 2));
    writeFileSync(clip(3), 'This is no audio.');
  };
  /** The plan refuses one recording. The two in {@link BROKEN} break after it. */
  const planOf = (shards: number): void => {
    writeClips();
    expect(run('corpus', 'plan', recordings, '--out', corpus, '--shards', String(shards)).status).toBe(1);
    truncateSync(join(recordings, `${BROKEN[0]}.wav`), 20_000);
    rmSync(join(recordings, `${BROKEN[1]}.wav`));
  };

  planOf(1);
  expect(run('corpus', 'run', corpus, '--workers', '1').status).toBe(1);
  expect(run('corpus', 'merge', corpus).status).toBe(1);
  const expected = merged();
  expect(expected['corpus.rttm']!.trim().split('\n').length).toBeGreaterThan(20);
  rmSync(corpus, { recursive: true });

  planOf(SHARDS);
  const job = join(root, 'job.sh');
  expect(run('corpus', 'template', 'slurm', '--corpus', corpus, '--cpus', '1', '--memory', '0.5', '--time', '0.2', '--out', job).status).toBe(0);
  const { status, stderr } = spawnSync('bash', [job], { env: { ...slurm.environment, VOXLANE: voxlane }, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const { finished, inFlight } = await killTask(1);
  await slurm.finished(LIMIT_MS);

  const jobs = slurm.run('scontrol', 'show', 'job');
  expect(jobs.match(/Restarts=\d+/g)?.toSorted(), logs()).toEqual(['Restarts=0', 'Restarts=0', 'Restarts=0', 'Restarts=0', 'Restarts=1']);
  expect(merged(), logs()).toEqual(expected);
  // Only the file in work was done again.
  expect(finished.map(({ id, modifiedMs }) => [id, modifiedMs])).toEqual(finished.map(({ id }) => [id, modifiedOf(id)]));
  expect(existsSync(corpusFiles(corpus).result(inFlight))).toBe(true);
  expect(readdirSync(corpusFiles(corpus).results).filter((name) => !name.endsWith('.json'))).toEqual([]);
});

function run(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(voxlane, args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const modifiedOf = (id: string): number => statSync(corpusFiles(corpus).result(id)).mtimeMs;

/** Kills a task while it works on a valid file and has finished another. @returns its finished files, and the one in work */
async function killTask(shard: number): Promise<{ readonly finished: readonly { readonly id: string; readonly modifiedMs: number }[]; readonly inFlight: string }> {
  const files = corpusFiles(corpus);
  const entries: Entry[] = [];
  for await (const entry of readEntries(corpus)) if (entry.shard === shard && !BROKEN.some((id) => id === entry.id)) entries.push(entry);
  const isDone = ({ id }: Entry): boolean => existsSync(files.result(id));
  for (let waitedMs = 0; waitedMs < LIMIT_MS / 2; waitedMs += POLL_MS) {
    await sleep(POLL_MS);
    const finished = entries.filter(isDone);
    const leased = entries.filter((entry) => existsSync(files.lease(entry.id)) && !isDone(entry));
    if (finished.length === 0 || leased.length === 0) continue;
    // Stopped first, so that the file in work stays in work.
    const processes = processesOf(shard);
    for (const id of processes) process.kill(id, 'SIGSTOP');
    const inFlight = leased.find((entry) => existsSync(files.lease(entry.id)) && !isDone(entry));
    for (const id of processes) process.kill(id, inFlight ? 'SIGKILL' : 'SIGCONT');
    if (inFlight) return { finished: entries.filter(isDone).map(({ id }) => ({ id, modifiedMs: modifiedOf(id) })), inFlight: inFlight.id };
  }
  throw new Error(`task ${shard} was never at work\n${logs()}`);
}

/** The processes of Node in a task. The shell of the job is not among them. */
function processesOf(task: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => {
    try {
      const [program] = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
      return program === process.execPath && readFileSync(`/proc/${id}/environ`, 'utf8').split('\0').includes(`SLURM_ARRAY_TASK_ID=${task}`);
    } catch {
      return false;
    }
  });
}

/** The merged files. In results.jsonl, without what differs between two runs. */
function merged(): Record<string, string> {
  const texts = MERGED_FILES.map((name) => [name, readFileSync(join(corpus, name), 'utf8')] as const);
  const turns = readdirSync(join(corpus, 'rttm')).map((name) => [name, readFileSync(join(corpus, 'rttm', name), 'utf8')] as const);
  const timeless = (text: string): string =>
    text.trim().split('\n').map((line) => {
      const record = JSON.parse(line) as Record<string, unknown>;
      return JSON.stringify({ ...record, shard: 0, seconds: 0, timings: 0, finishedMs: 0 });
    }).join('\n');
  return Object.fromEntries([...texts, ...turns].map(([name, text]) => [name, name === 'results.jsonl' ? timeless(text) : text]));
}

function logs(): string {
  const folder = join(corpus, 'logs');
  if (!existsSync(folder)) return '';
  return readdirSync(folder).map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`).join('\n');
}
