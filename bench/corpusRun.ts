/**
 * Measures `corpus run`: throughput with several workers, and the overhead and memory of many short files.
 *
 *   npm run --silent bench:corpus -- workers [--copies N] [--repeats N]
 *   npm run --silent bench:corpus -- clips [--count N]
 *
 * `workers` diarizes copies of the sample with one and with two workers of one thread each, in turns, and prints the audio per
 * second between the first and the last finished file and the ratio of the medians. The start of the engines is left out.
 *
 * `clips` diarizes different clips of 3 s in one run with one worker, and prints the resident memory of the worker over time
 * and the time per file:
 *
 * - outside the worker: wall time per file without the time in the worker: messages, leases, atomic writes
 * - around the models: time in the worker without the stages' own time: hashing, opening, calls between threads
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { corpusFiles } from '../cli/corpus/layout';
import { nodeEngineFolder } from '../cli/nodeEngine';
import { runCommand } from '../cli/script';
import { count, oneOf } from '../cli/arguments';
import { parsed, parseFlags, refuseIdle } from '../cli/usage';
import { sampleClips, writeCorpus } from '../test/corpus/makeCorpus';
import { machine, median } from './figures';

const SAMPLE_SECONDS = 30;

interface FileEvent {
  readonly event: string;
  readonly id: string;
  readonly status: string;
  readonly audioSeconds: number;
  /** Wall time in the worker. */
  readonly seconds: number;
  readonly residentBytes: number | null;
  /** When the event arrived, in milliseconds. */
  readonly atMs: number;
}

/** Runs the command and returns the events of its files, and the time at which the engine was ready. */
async function run(folder: string, workers: number): Promise<{ readonly files: readonly FileEvent[]; readonly readyMs: number }> {
  const args = ['--import', 'tsx', 'cli/voxlane.ts', 'corpus', 'run', folder, '--backend', 'wasm', '--json', '--quiet', '--workers', String(workers), '--threads', '1'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = new Promise<number | null>((resolve) => { child.on('close', resolve); });
  const files: FileEvent[] = [];
  let readyMs = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = { ...(JSON.parse(line) as FileEvent), atMs: performance.now() };
    if (event.event === 'workers') readyMs = event.atMs;
    if (event.event === 'file') files.push(event);
  }
  const status = await closed;
  if (status !== 0) throw new Error(`corpus run ended with status ${status}`);
  return { files, readyMs };
}

async function inFolder<Value>(work: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Seconds of audio per second, from the first finished file to the last. */
async function throughput(workers: number, copies: number): Promise<number> {
  return inFolder(async (folder) => {
    const inputs = Array.from({ length: copies }, (_, index) => ({ id: `copy-${index}`, path: join(process.cwd(), 'public/sample.wav'), durationSeconds: SAMPLE_SECONDS }));
    writeCorpus(folder, inputs);
    const { files } = await run(folder, workers);
    const measured = files.slice(workers);
    const seconds = (files.at(-1)!.atMs - files[workers - 1]!.atMs) / 1000;
    return measured.reduce((sum, { audioSeconds }) => sum + audioSeconds, 0) / seconds;
  });
}

async function measureWorkers(copies: number, repeats: number): Promise<void> {
  const [one, two]: [number[], number[]] = [[], []];
  for (let repeat = 0; repeat < repeats; repeat++) {
    one.push(await throughput(1, copies));
    two.push(await throughput(2, copies));
    console.log(`1 worker ${one.at(-1)!.toFixed(1)}, 2 workers ${two.at(-1)!.toFixed(1)} s of audio per second: ${(two.at(-1)! / one.at(-1)!).toFixed(2)} times`);
  }
  console.log(`medians: ${median(one).toFixed(1)} and ${median(two).toFixed(1)}: ${(median(two) / median(one)).toFixed(2)} times`);
}

async function measureClips(count: number): Promise<void> {
  await inFolder(async (folder) => {
    writeCorpus(folder, sampleClips(join(folder, 'clips'), count, 3));
    const { files, readyMs } = await run(folder, 1);
    const megabytes = (index: number): string => ((files[index]?.residentBytes ?? NaN) / 1e6).toFixed(0);
    const places = [0, 9, 49, 99, 249, 499, 749, 999, 1999, 4999].filter((index) => index < count);
    console.log(`resident memory of the worker after ${places.map((index) => `${index + 1}: ${megabytes(index)} MB`).join(', ')}`);
    const settled = files.slice(50).map(({ residentBytes }) => (residentBytes ?? NaN) / 1e6);
    if (settled.length > 0) console.log(`after the first 50: ${Math.min(...settled).toFixed(0)} to ${Math.max(...settled).toFixed(0)} MB`);
    const stages = files.map(({ id }) => {
      const { timings } = (JSON.parse(readFileSync(corpusFiles(folder).result(id), 'utf8')) as { result: { timings: Record<string, number> } }).result;
      return Object.values(timings).reduce((sum, seconds) => sum + seconds, 0);
    });
    const wall = (files.at(-1)!.atMs - readyMs) / count;
    const inWorker = median(files.map(({ seconds }) => 1000 * seconds));
    const inStages = median(stages.map((seconds) => 1000 * seconds));
    const mean = (1000 * files.reduce((sum, { seconds }) => sum + seconds, 0)) / count;
    console.log(`per file: ${wall.toFixed(1)} ms; outside the worker ${(wall - mean).toFixed(1)} ms; in the worker ${inWorker.toFixed(1)} ms, of which stages ${inStages.toFixed(1)} ms, around the models ${(inWorker - inStages).toFixed(1)} ms`);
  });
}

await runCommand('bench:corpus', 1, async () => {
  const options = { copies: { type: 'string' }, repeats: { type: 'string' }, count: { type: 'string' } } as const;
  const { what, copies, repeats, clips } = parsed(() => {
    const { values, positionals } = parseFlags({ allowPositionals: true, options });
    const what = oneOf('the measurement', positionals.join(' '), ['workers', 'clips']);
    refuseIdle(values, what === 'clips' ? ['copies', 'repeats'] : ['count'], `with ${what}`);
    return {
      what,
      copies: count('--copies', values.copies ?? '8'),
      repeats: count('--repeats', values.repeats ?? '3'),
      clips: count('--count', values.count ?? '1000'),
    };
  });
  console.log(machine());
  // Otherwise the first worker builds the engine, and keeps the memory of the build.
  await nodeEngineFolder();
  if (what === 'workers') await measureWorkers(copies, repeats);
  else await measureClips(clips);
  return 0;
});
