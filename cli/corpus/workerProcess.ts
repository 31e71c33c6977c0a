/** A worker process of `corpus run`, as seen by its parent. */
import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { messageOf, VoxlaneError, type ErrorParts } from '../../src/util/errors';
import type { Job, Reply, Request, WorkerInfo, WorkerSettings } from './workerProtocol';

/** How the attempt to process a file ended. */
export type Attempt =
  | Extract<Reply, { readonly kind: 'done' | 'failed' }>
  /** The process ended. `isKilled`: by SIGKILL, which the system sends if memory is exhausted. */
  | { readonly kind: 'crashed'; readonly error: ErrorParts; readonly isKilled: boolean; readonly seconds: number };

/** A worker that has an engine. */
export interface CorpusWorker {
  readonly info: WorkerInfo;
  /** Processes one file; one call at a time. Never rejects. */
  run(job: Job): Promise<Attempt>;
  /** Ends the process when it is idle, and at the latest after a moment. */
  end(): Promise<void>;
  /** Ends the process at once. */
  kill(): void;
}

const CLOSE_MS = 2000;
const LAST_OUTPUT_MS = 500;
/** Enough for the message of a crash, such as that of V8 for an exhausted heap. */
const STDERR_CHARACTERS = 2000;

/**
 * Starts a worker process and its engine.
 *
 * @param script a module that calls `serveWorker`
 * @throws VoxlaneError of `Diarizer.create`, or `worker-failed` if the process ended
 */
export async function startWorker(script: string, settings: WorkerSettings): Promise<CorpusWorker> {
  const worker = new WorkerProcess(script);
  const reply = await worker.ask({ kind: 'open', settings });
  if (reply.kind === 'ready') {
    worker.info = reply.info;
    return worker;
  }
  worker.kill();
  if (reply.kind === 'done') throw new Error('unexpected reply');
  throw new VoxlaneError(reply.error);
}

/** In the repository, workers are TypeScript. */
function loaderOf(script: string): string[] {
  if (!script.endsWith('.ts')) return [];
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
}

/**
 * By default, V8 lets the young objects of each of the five threads grow to 16 MB, and the memory of a worker grows for
 * hundreds of files. The arrays of the models are not young objects.
 */
const HEAP_FLAGS = ['--max-semi-space-size=2'];

class WorkerProcess implements CorpusWorker {
  info: WorkerInfo = { backend: 'wasm', preset: '' };
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private ending: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null = null;
  private stderr = '';
  private settle: ((reply: Reply | null) => void) | null = null;

  constructor(script: string) {
    // Standard output belongs to the results of the command.
    this.child = fork(script, [], { execArgv: [...HEAP_FLAGS, ...loaderOf(script)], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => { this.stderr = (this.stderr + text).slice(-STDERR_CHARACTERS); });
    this.child.on('message', (reply: Reply) => { this.reply(reply); });
    this.child.on('error', (error) => { this.stderr += messageOf(error); });
    this.exited = new Promise((resolve) => {
      const onEnd = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.ending ??= { code, signal };
        this.reply(null);
        resolve();
      };
      // `close` comes after the last output, and later than `exit` if a program of the worker still has the pipe.
      this.child.once('exit', (code, signal) => {
        this.ending = { code, signal };
        setTimeout(() => { onEnd(code, signal); }, LAST_OUTPUT_MS);
      });
      this.child.once('close', onEnd);
      // There is no other event if the process could not start.
      this.child.once('error', () => { onEnd(null, null); });
    });
  }

  /** The reply, or `crashed` if the process ended. */
  async ask(request: Request): Promise<Reply | Extract<Attempt, { readonly kind: 'crashed' }>> {
    const start = performance.now();
    const reply = this.ending === null ? await this.send(request) : null;
    if (reply) return reply;
    return { kind: 'crashed', error: this.crash(), isKilled: this.ending?.signal === 'SIGKILL', seconds: (performance.now() - start) / 1000 };
  }

  async run(job: Job): Promise<Attempt> {
    const reply = await this.ask({ kind: 'job', job });
    if (reply.kind === 'ready' || reply.kind === 'not-ready') throw new Error('unexpected reply');
    return reply;
  }

  async end(): Promise<void> {
    if (this.ending) return;
    this.child.send({ kind: 'close' }, () => undefined);
    const timer = setTimeout(() => { this.kill(); }, CLOSE_MS);
    await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private send(request: Request): Promise<Reply | null> {
    return new Promise((resolve) => {
      this.settle = resolve;
      // If the channel is closed, `close` follows.
      this.child.send(request, () => undefined);
    });
  }

  private reply(reply: Reply | null): void {
    this.settle?.(reply);
    this.settle = null;
  }

  private crash(): ErrorParts {
    const { code, signal } = this.ending ?? { code: null, signal: null };
    const details = this.stderr.trim();
    const isMemory = signal === 'SIGKILL' || /heap out of memory|Cannot allocate memory/.test(details);
    return {
      code: 'worker-failed',
      problem: `The worker process ended ${signal ? `by ${signal}` : `with exit code ${code ?? 'unknown'}`}`,
      expected: 'a worker process that runs to its end',
      remedy: isMemory
        ? 'Its memory was probably exhausted: use fewer --workers, or plan long recordings as segments'
        : 'Run again; report the details if it happens again',
      ...(details !== '' && { details }),
    };
  }
}
