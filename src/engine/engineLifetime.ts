import { cancelled, Interruptible, onAbort, throwIfAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import type { BackendReport } from './types';
import { backgroundTimer } from '../util/host';

/** Runs one task at a time, in the order of the calls. */
export class SerialQueue {
  /** The previous task; settles when the next one may start, and never rejects. */
  private previous: Promise<void> = Promise.resolve();

  /**
   * Settles like `work`, which starts when the earlier tasks have ended. If the signal fires before, the task rejects
   * at once with `cancelled` and never starts. After the start, the queue ignores the signal.
   */
  take<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, () => {
        reject(cancelled(signal));
      });
      this.previous = this.previous.then(async () => {
        if (signal?.aborted) return;
        stopListening();
        await work().then(resolve, reject);
      });
    });
  }
}

/** Workers with loaded models. */
export interface RunningEngine {
  readonly backend: BackendReport;
  /** Ends all workers at once; pending calls reject with `reason`. */
  readonly terminate: (reason: VoxlaneError) => void;
}

/** How engines of one kind start, and what to do if one fails. */
export interface EngineSource<Running extends RunningEngine> {
  /** @throws VoxlaneError errors of the start; `cancelled` if `signal` fires */
  start(signal: AbortSignal): Promise<Running>;
  /** Whether a worker has ended, so that another engine is needed. */
  hasEnded(engine: Running): boolean;
  /**
   * Called after a run has failed and was not canceled.
   *
   * @param failure `attempt` counts the failed tries from 0; `end` ends the failed engine
   * @returns the engine for the next try, which may be the same one; null if the failure is final
   */
  recover(engine: Running, failure: { readonly error: unknown; readonly attempt: number; readonly end: () => void }, signal: AbortSignal): Promise<Running | null>;
}

/** Calls `use` with a running engine. Calls it again if the GPU fails, so `use` must start from the beginning each time. */
export type UseEngine<Running> = <Result>(use: (engine: Running) => Promise<Result>) => Promise<Result>;

/**
 * Starts an engine for the first run, reuses it for later runs, and ends it when it is idle, disposed or unusable. Runs are
 * queued. A canceled run, or one that fails for another reason than its input or options, ends the engine, because nothing
 * else stops a running kernel or frees a WASM heap.
 */
export class EngineLifetime<Running extends RunningEngine> {
  private readonly queue = new SerialQueue();
  /** Aborts the current run. */
  private abort: ((reason: VoxlaneError) => void) | null = null;
  private idleTimer: ReturnType<typeof setTimeout> | undefined;
  private disposal: VoxlaneError | null = null;

  /**
   * @param source starts the engines
   * @param idleSeconds time without runs after which the engine is ended; `Infinity` keeps it
   * @param engine already started by this source; null to start one for the first run
   * @param onIdle called when the engine is ended for idleness
   */
  constructor(
    private readonly source: EngineSource<Running>,
    private readonly idleSeconds: number,
    private engine: Running | null = null,
    private readonly onIdle: () => void = () => undefined,
  ) {
    if (engine) this.waitIdle();
  }

  /** Null while no engine is running. */
  get backend(): BackendReport | null {
    return this.engine?.backend ?? null;
  }

  /** The reason that was passed to {@link dispose}; null before. */
  get disposed(): VoxlaneError | null {
    return this.disposal;
  }

  /**
   * Calls `work` after all earlier runs have ended. If `signal` fires, or on {@link dispose}, rejects at once, aborts the
   * signal that `work` received, and ends the engine.
   *
   * @throws VoxlaneError `cancelled`, with the signal's reason as `cause`; the reason of {@link dispose}; errors of a start
   */
  run<Result>(work: (useEngine: UseEngine<Running>, signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    return this.queue.take(async () => {
      if (this.disposal) throw this.disposal;
      clearTimeout(this.idleTimer);
      // Also ends an engine that is still starting.
      const controller = new AbortController();
      // Does not wait for the work, because decoding on the page's thread cannot be stopped.
      const pending = new Interruptible<VoxlaneError>();
      this.abort = (reason) => {
        controller.abort();
        this.stop(reason);
        pending.interrupt(reason);
      };
      const stopListening = onAbort(signal, () => this.abort?.(cancelled(signal)));
      try {
        return await pending.run(() => work((use) => this.useRunning(use, controller.signal), controller.signal));
      } catch (error) {
        if (!leavesEngineUsable(error)) this.stop(cancelled());
        throw error;
      } finally {
        this.abort = null;
        stopListening();
        this.waitIdle();
      }
    }, signal);
  }

  /** Ends the engine for good. The current run and all later ones reject with `reason`. */
  dispose(reason: VoxlaneError): void {
    clearTimeout(this.idleTimer);
    this.disposal = reason;
    this.stop(reason);
    this.abort?.(reason);
  }

  private async useRunning<Result>(use: (engine: Running) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    // The run may have been canceled before it needed the engine.
    throwIfAborted(signal);
    // A worker can end between two runs.
    if (this.engine && this.source.hasEnded(this.engine)) this.stop(cancelled());
    for (let attempt = 0; ; attempt++) {
      const engine = this.engine ?? this.keep(await this.source.start(signal), signal);
      try {
        return await use(engine);
      } catch (error) {
        // After an abort, `this.engine` may belong to the next run.
        if (signal.aborted) throw error;
        const end = (): void => {
          this.stop(error instanceof VoxlaneError ? error : cancelled());
        };
        const next = await this.source.recover(engine, { error, attempt, end }, signal);
        if (!next) throw error;
        this.keep(next, signal);
      }
    }
  }

  /** If the run was aborted just before its engine was ready, nothing else ends the engine. */
  private keep(engine: Running, signal: AbortSignal): Running {
    if (signal.aborted) engine.terminate(cancelled(signal));
    throwIfAborted(signal);
    return (this.engine = engine);
  }

  /** A WASM heap never shrinks. Only ending its worker frees the memory. */
  private waitIdle(): void {
    if (this.disposal || this.idleSeconds === Infinity) return;
    this.idleTimer = backgroundTimer(() => {
      this.stop(new VoxlaneError({ code: 'cancelled', problem: 'The workers were stopped because they were idle' }));
      this.onIdle();
    }, this.idleSeconds * 1000);
  }

  private stop(reason: VoxlaneError): void {
    this.engine?.terminate(reason);
    this.engine = null;
  }
}

/** Whether an error is about the input or the options only. */
function leavesEngineUsable(error: unknown): boolean {
  return error instanceof VoxlaneError && (error.code.startsWith('audio-') || error.code === 'options');
}
