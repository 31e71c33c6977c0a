/** Distributes files to worker processes: retries, and replaces workers that failed or grew. */
import { errorLine } from '../errorLine';
import { VoxlaneError, type ErrorParts } from '../../src/util/errors';
import { hasGrown, type Sizing } from './sizing';
import type { Attempt, CorpusWorker } from './workerProcess';
import type { FileResult, Job, WorkerInfo } from './workerProtocol';

/** The last attempt for a file. */
export type Outcome = {
  /** 1 or 2. */
  readonly attempts: number;
  /** Wall time of the last attempt. */
  readonly seconds: number;
  /** Memory of the worker after the file; null if it crashed. */
  readonly residentBytes: number | null;
} & (
  | { readonly kind: 'done'; readonly result: FileResult }
  | { readonly kind: 'failed'; readonly error: ErrorParts }
);

export interface PoolCalls<Task> {
  readonly jobOf: (task: Task) => Job;
  readonly start: () => Promise<CorpusWorker>;
  /** Number of workers, when the first one has reported its backend. */
  readonly size: (info: WorkerInfo) => Promise<Sizing>;
  /** A file is given to a worker. Errors end the run. */
  readonly onStart: (task: Task) => Promise<void>;
  /** A file is finished. The worker continues with the next file meanwhile. Errors, such as a full disk, end the run. */
  readonly onEnd: (task: Task, outcome: Outcome) => Promise<void>;
  /** Events for the user, such as a retry. */
  readonly note: (task: Task | null, text: string) => void;
}

const MAX_ATTEMPTS = 2;
/** If workers crash with each file, the cause is not a file. */
const MAX_CRASHED_FILES = 5;

/**
 * Errors that depend only on the file and the options: a second attempt would fail in the same way. All others are tried
 * again: also unreadable files, because network disks fail for moments, and failed decoders, which can lack memory.
 */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'audio-empty', 'audio-unsupported', 'audio-no-samples', 'audio-truncated', 'audio-channels', 'audio-not-finite', 'options',
]);

/**
 * Runs all tasks. Each file has at most two attempts, the second in a fresh worker:
 *
 * - A failed file is tried again at once, except for errors of {@link FINAL_CODES}.
 * - A file whose worker was killed is tried again at the end, alone, because the usual reason is a lack of memory.
 * - A file without speech that is not silent is tried again after the others, so that one fresh worker checks many such
 *   files. If the second result is also empty, it counts.
 */
export class Pool<Task> {
  private readonly workers = new Set<CorpusWorker>();
  /** Files without speech, for a second attempt. */
  private readonly empty: Task[] = [];
  /** Files whose workers were killed. */
  private readonly killed: Task[] = [];
  private readonly queue: Task[];
  private isStopped = false;
  private failure: { readonly error: unknown } | null = null;
  private crashedInARow = 0;
  private limitBytes = Infinity;

  /** @param tasks in the order of their start */
  constructor(
    tasks: readonly Task[],
    private readonly calls: PoolCalls<Task>,
  ) {
    this.queue = [...tasks];
  }

  /** @throws errors of the calls, of the start of a worker, and an Error if workers crash again and again */
  async run(): Promise<void> {
    const first = this.queue.length === 0 ? null : await this.startWorker();
    if (first === null) return;
    const sizing = await this.calls.size(first.info).catch(async (error: unknown) => {
      await first.end();
      throw error;
    });
    this.limitBytes = sizing.workerLimitBytes;
    const lanes = (tasks: Task[], attempt: number, worker: CorpusWorker | null) =>
      Promise.all(Array.from({ length: sizing.workers }, (_, index) => this.lane(index === 0 ? worker : null, tasks, attempt)));
    await lanes(this.queue, 1, first);
    await lanes(this.empty, MAX_ATTEMPTS, null);
    await this.lane(null, this.killed, MAX_ATTEMPTS);
    if (this.failure) throw this.failure.error;
  }

  /** Starts no more files. {@link run} resolves when the files in work are finished. */
  stop(): void {
    this.isStopped = true;
  }

  /** Abandons the files in work. */
  kill(): void {
    this.stop();
    for (const worker of this.workers) worker.kill();
  }

  private async startWorker(): Promise<CorpusWorker | null> {
    if (this.isStopped) return null;
    const worker = await this.calls.start().catch((error: unknown) => {
      if (this.isStopped) return null;
      // A worker can fail to start for a moment, but not because of its options or models.
      if (!(error instanceof VoxlaneError && error.code === 'worker-failed')) throw error;
      this.calls.note(null, `a worker did not start and is started again: ${errorLine(error)}`);
      return this.calls.start();
    });
    if (worker === null) return null;
    this.workers.add(worker);
    if (!this.hasStopped()) return worker;
    worker.kill();
    return null;
  }

  private hasStopped(): boolean {
    return this.isStopped;
  }

  /** Processes tasks one after the other. An error ends the other lanes after their current files. */
  private async lane(first: CorpusWorker | null, tasks: Task[], firstAttempt: number): Promise<void> {
    const seat = new Seat(first, () => this.startWorker(), (worker) => this.workers.delete(worker));
    let ending = Promise.resolve();
    try {
      for (let task = this.next(tasks); task !== undefined; task = this.next(tasks)) {
        const outcome = await this.process(task, seat, firstAttempt);
        await ending;
        if (outcome) ending = this.calls.onEnd(task, outcome).catch((error: unknown) => { this.fail(error); });
      }
    } catch (error) {
      this.fail(error);
    } finally {
      await ending;
      await seat.clear();
    }
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.stop();
  }

  private next(tasks: Task[]): Task | undefined {
    return this.isStopped ? undefined : tasks.shift();
  }

  /** @returns null if the file is tried again later, or if the run was stopped */
  private async process(task: Task, seat: Seat, firstAttempt: number): Promise<Outcome | null> {
    await this.calls.onStart(task);
    for (let attempts = firstAttempt; ; attempts++) {
      const attempt = await seat.run(this.calls.jobOf(task));
      // A killed worker is a consequence of the end of the run.
      if (attempt === null || (this.isStopped && attempt.kind === 'crashed')) return null;
      const again = attempts < MAX_ATTEMPTS ? retryOf(attempt) : null;
      if (!isSound(attempt) || seat.hasGrown(this.limitBytes)) await seat.clear();
      if (again === null) {
        this.count(attempt);
        return outcomeOf(attempt, attempts);
      }
      this.calls.note(task, again.text);
      if (again.when === 'empty' || again.when === 'killed') this[again.when].push(task);
      if (again.when !== 'now' || this.isStopped) return null;
    }
  }

  private count(attempt: Attempt): void {
    this.crashedInARow = attempt.kind === 'crashed' ? this.crashedInARow + 1 : 0;
    if (attempt.kind !== 'crashed' || this.crashedInARow < MAX_CRASHED_FILES) return;
    throw new Error(`the workers crashed with ${MAX_CRASHED_FILES} files in a row, so the run was stopped. The last time: ${errorLine(new VoxlaneError(attempt.error))}`);
  }
}

/** Whether the worker can process further files. */
const isSound = (attempt: Attempt): boolean => attempt.kind === 'done' || (attempt.kind === 'failed' && FINAL_CODES.has(attempt.error.code));

interface Retry {
  readonly when: 'now' | 'empty' | 'killed';
  readonly text: string;
}

/** The second attempt that a first one needs; null if it is final. */
function retryOf(attempt: Attempt): Retry | null {
  if (attempt.kind === 'done') {
    const { numTurns, isSilent } = attempt.result;
    if (numTurns > 0 || isSilent === true) return null;
    const level = isSilent === null ? 'no speech was found' : 'no speech was found, but the file is not silent';
    return { when: 'empty', text: `${level}; trying again after the other files` };
  }
  if (isSound(attempt)) return null;
  const error = errorLine(new VoxlaneError(attempt.error));
  if (attempt.kind === 'crashed' && attempt.isKilled) return { when: 'killed', text: `${error}; trying again at the end, alone` };
  return { when: 'now', text: `${error}; trying again in a new worker` };
}

function outcomeOf(attempt: Attempt, attempts: number): Outcome {
  const common = { attempts, seconds: attempt.seconds, residentBytes: attempt.kind === 'crashed' ? null : attempt.residentBytes };
  if (attempt.kind === 'done') return { kind: 'done', result: attempt.result, ...common };
  return { kind: 'failed', error: attempt.error, ...common };
}

/** The place of one worker at a time. */
class Seat {
  private history: number[] = [];

  constructor(
    private worker: CorpusWorker | null,
    private readonly start: () => Promise<CorpusWorker | null>,
    private readonly forget: (worker: CorpusWorker) => void,
  ) {}

  /** Starts a worker unless one is running. @returns null if the run was stopped */
  async run(job: Job): Promise<Attempt | null> {
    this.worker ??= await this.start();
    const attempt = (await this.worker?.run(job)) ?? null;
    if (attempt && attempt.kind !== 'crashed') this.history.push(attempt.residentBytes);
    return attempt;
  }

  hasGrown(limitBytes: number): boolean {
    return hasGrown(this.history, limitBytes);
  }

  async clear(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    this.history = [];
    await worker?.end();
    if (worker) this.forget(worker);
  }
}
