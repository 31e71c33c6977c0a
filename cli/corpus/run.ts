/** The command `corpus run`: diarizes the recordings of a plan in worker processes. */
import { version } from '../../package.json';
import { isEnding, onEnding } from '../endings';
import { errorLine } from '../errorLine';
import { requireFile } from '../inputs';
import { findModel } from '../modelFolder';
import { corpusWorker } from '../place';
import { print, say, warn } from '../output';
import { commandOf } from '../script';
import { parsed } from '../usage';
import { VoxlaneError } from '../../src/util/errors';
import { fileSha256 } from './inputHash';
import { jsonLine } from './jsonLines';
import { corpusFiles, type Entry, readEntries, readPlan, type StoredFailure, type StoredResult } from './layout';
import { freeGpuBytes, readMachine } from './machine';
import { Pool } from './pool';
import { type FinishedFile, hours, Progress, summaryLines } from './progress';
import { Records } from './records';
import { fileOptions, HELP, parseRun, recordedOptions, type ModelFile, presetOf, type RunCommand, workerSettings } from './runOptions';
import { chooseShards } from './shards';
import { size, type Sizing, type SizingInput } from './sizing';
import { startWorker } from './workerProcess';
import type { WorkerInfo } from './workerProtocol';

export { HELP };

export const run = commandOf('voxlane', 1, (args) => runCorpus(args));

/** Time for files in work after a signal. `endings.ts` allows 5 s for everything. */
const GRACE_MS = 3500;
/** Stored results that are read at once. */
const READS = 16;

/**
 * @param workerScript a module that calls `serveWorker`
 * @returns the exit status
 * @throws Error with a one-line message for an invalid plan, an engine that cannot start, and a full disk; UsageError
 */
export async function runCorpus(args: readonly string[], workerScript = corpusWorker()): Promise<number> {
  const command = parsed(() => parseRun(args));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  const plan = await readPlan(command.folder);
  const { shards, note } = parsed(() => chooseShards(command.shard, plan.numShards));
  if (note !== undefined) say(note);
  const entries: Entry[] = [];
  for await (const entry of readEntries(command.folder)) {
    if (shards.includes(entry.shard)) entries.push(entry);
  }
  const model = await modelFile(command);
  const identity = { engineVersion: version, optionsOf: (entry: Entry) => recordedOptions(entry, command, model) };
  const records = new Records(command.folder, identity);
  await records.prepare(entries);
  const isDone = await mapLimited(entries, READS, async (entry) => (await records.finished(entry, command.verify)) !== null);
  const { numUnread } = records;
  if (numUnread > 0) warn(`${numUnread} ${numUnread === 1 ? 'file that has a result' : 'files that have results'} cannot be read now; the results count`);
  const before = entries.filter((_, index) => isDone[index]);
  // The longest first: the workers finish at about the same time, and a lack of memory shows early.
  const open = entries.filter((_, index) => !isDone[index]).sort((a, b) => b.durationSeconds - a.durationSeconds);
  const run = new Run(command, model, records, workerScript, { open, before, shards });
  return run.process();
}

/** The model file of the command or of `VOXLANE_MODELS`. */
async function modelFile({ diarize }: RunCommand): Promise<ModelFile | null> {
  const path = diarize.model ?? findModel(diarize.preset);
  if (path === undefined) return null;
  requireFile(path);
  return { path, sha256: await fileSha256(path) };
}

async function mapLimited<Item, Value>(items: readonly Item[], limit: number, map: (item: Item) => Promise<Value>): Promise<Value[]> {
  const values = new Array<Value>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) values[index] = await map(items[index]!);
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return values;
}

interface Work {
  /** In the order of processing. */
  readonly open: readonly Entry[];
  /** Entries with a result that counts. */
  readonly before: readonly Entry[];
  readonly shards: readonly number[];
}

/** Without the values that are undefined. */
const definedOf = <Values extends object>(values: Values): { [Name in keyof Values]?: NonNullable<Values[Name]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [Name in keyof Values]?: NonNullable<Values[Name]> };

const secondsOf = (entries: readonly Entry[]): number => entries.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);

/** One run over the open entries of its shards. */
class Run {
  private readonly progress: Progress;
  private readonly finished: FinishedFile[] = [];
  private readonly leased = new Set<Entry>();
  private readonly startMs = performance.now();
  private readonly total: number;
  private sizing: Sizing;

  constructor(
    private readonly command: RunCommand,
    private readonly model: ModelFile | null,
    private readonly records: Records,
    private readonly workerScript: string,
    private readonly work: Work,
  ) {
    const { open, before } = work;
    this.total = open.length + before.length;
    this.progress = new Progress({ files: this.total, seconds: secondsOf(open) + secondsOf(before) }, { files: before.length, seconds: secondsOf(before) });
    // The first worker reports the real backend.
    this.sizing = size({ ...this.sizingInput(), backend: 'wasm', gpuBytes: null });
  }

  /** @returns the exit status */
  async process(): Promise<number> {
    const { open, before, shards } = this.work;
    if (before.length > 0) say(`${before.length} of ${this.total} files are done already, ${hours(secondsOf(before))} of audio`);
    await this.emit({ event: 'start', shards, doneBefore: before.length, ...this.progress.state() });
    const pool = this.createPool();
    const running = pool.run();
    const forget = onEnding(() => this.end(pool, running));
    let failure: { readonly error: unknown } | null = null;
    try {
      await running;
    } catch (error) {
      failure = { error };
    } finally {
      await this.releaseAll();
      forget();
    }
    if (isEnding()) return 1;
    await this.summarize();
    if (failure !== null) throw failure.error;
    const done = this.finished.filter(({ status }) => status !== 'failed').length;
    return done === open.length ? 0 : 1;
  }

  private createPool(): Pool<Entry> {
    return new Pool(this.work.open, {
      jobOf: (entry) => ({ path: entry.path, options: fileOptions(entry, this.command.diarize.options) }),
      start: () => startWorker(this.workerScript, workerSettings(this.command, this.model, this.sizing)),
      size: (info) => this.size(info),
      onStart: async (entry) => {
        this.leased.add(entry);
        await this.records.lease(entry);
      },
      onEnd: async (entry, outcome) => {
        const record = await this.records.write(entry, outcome);
        this.leased.delete(entry);
        await this.records.release(entry);
        await this.report(finishedFile(entry, record, outcome.residentBytes));
      },
      note: (entry, text) => { say(entry === null ? text : `${entry.id}: ${text}`); },
    });
  }

  private sizingInput(): Omit<SizingInput, 'backend' | 'gpuBytes'> {
    const { workers, threads, batch } = this.command;
    const longestSeconds = this.work.open[0]?.durationSeconds ?? 0;
    return { ...readMachine(), preset: presetOf(this.command.diarize, this.model), hasModelFile: this.model !== null, files: this.work.open.length, longestSeconds, ...definedOf({ workers, threads, batch }) };
  }

  private async size({ backend, preset }: WorkerInfo): Promise<Sizing> {
    if (backend === 'webgpu') this.sizing = size({ ...this.sizingInput(), backend, gpuBytes: await freeGpuBytes() });
    const { workers, threads, reason } = this.sizing;
    this.progress.begin();
    const each = workers === 1 ? '' : ', each';
    const cores = backend === 'webgpu' ? '' : ` with ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    say(`${workers} ${workers === 1 ? 'worker' : 'workers'} on ${backend}${each}${cores} (${reason}); preset ${preset}`);
    await this.emit({ event: 'workers', workers, threads, backend, preset, batch: this.sizing.batch ?? null, reason });
    return this.sizing;
  }

  private async report(file: FinishedFile): Promise<void> {
    this.finished.push(file);
    const tell = file.status === 'failed' ? warn : say;
    tell(this.progress.add(file));
    await this.emit({ event: 'file', ...file, ...this.progress.state() });
    const line = this.progress.line();
    if (line !== null) say(line);
  }

  private async summarize(): Promise<void> {
    const wallSeconds = (performance.now() - this.startMs) / 1000;
    const failures = corpusFiles(this.command.folder).failures;
    const failed = this.finished.filter(({ status }) => status === 'failed').length;
    const tell = failed > 0 ? warn : say;
    for (const line of summaryLines(this.finished, this.work.before.length, this.total, wallSeconds, failures)) tell(line);
    const done = this.work.before.length + this.finished.length - failed;
    await this.emit({ event: 'end', done, failed, files: this.total, seconds: Math.round(wallSeconds * 1000) / 1000 });
  }

  private async emit(event: object): Promise<void> {
    if (this.command.json) await print(jsonLine(event));
  }

  /** After a signal: finishes the files in work if they end in time, and abandons the others. */
  private async end(pool: Pool<Entry>, running: Promise<void>): Promise<void> {
    say('stopping; files in work are finished if they end soon');
    pool.stop();
    const settled = running.catch(() => undefined);
    const timer = setTimeout(() => { pool.kill(); }, GRACE_MS);
    await settled;
    clearTimeout(timer);
    await this.releaseAll();
    say(`stopped with ${this.work.before.length + this.finished.length} of ${this.total} files; run the same command again to continue`);
  }

  /** A disk that cannot be written was reported already. */
  private async releaseAll(): Promise<void> {
    await Promise.all([...this.leased].map((entry) => this.records.release(entry).catch(() => undefined)));
  }
}

function finishedFile(entry: Entry, record: StoredResult | StoredFailure, residentBytes: number | null): FinishedFile {
  const common = { residentBytes, id: entry.id, plannedSeconds: entry.durationSeconds, seconds: record.seconds, attempts: record.attempts };
  if ('error' in record) {
    const text = errorLine(new VoxlaneError(record.error));
    return { ...common, status: 'failed', audioSeconds: null, speakers: null, text, code: record.error.code };
  }
  const { status, counts, note } = record;
  return { ...common, status, audioSeconds: counts.audioSeconds, speakers: counts.speakers, ...(note !== undefined && { text: note }) };
}
