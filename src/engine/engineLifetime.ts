import { cancelled, Interruptible, onAbort, throwIfAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { type Engine, hasEnded } from './engine';
import type { CheckedDiarizerOptions } from './options';
import { checkAgain, describeFailure, isGpuTrouble, startOnWasm, startTrustedEngine } from './selfCheck';
import type { PipelineSettings } from './settings';
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

/** Parameters of an engine start. */
export interface EngineSetup {
  readonly options: CheckedDiarizerOptions;
  readonly settings: PipelineSettings;
}

/** Calls `use` with a running engine. Calls it again if the GPU fails, so `use` must start from the beginning each time. */
type UseEngine = <Result>(use: (engine: Engine) => Promise<Result>) => Promise<Result>;

/**
 * Starts an engine for the first run, reuses it for later runs, and ends it when it is idle, disposed or unusable. Runs are
 * queued. A canceled run, or one that fails for another reason than its input or options, ends the engine, because nothing
 * else stops a running kernel or frees a WASM heap.
 */
export class EngineLifetime {
  private readonly queue = new SerialQueue();
  /** Aborts the current run. */
  private abort: ((reason: VoxlaneError) => void) | null = null;
  private idleTimer: ReturnType<typeof setTimeout> | undefined;
  private disposal: VoxlaneError | null = null;

  /**
   * @param setup called before each start
   * @param idleSeconds time without runs after which the engine is ended; `Infinity` keeps it
   * @param engine already started with this setup; null to start one for the first run
   * @param onIdle called when the engine is ended for idleness
   */
  constructor(
    private readonly setup: () => EngineSetup | Promise<EngineSetup>,
    private readonly idleSeconds: number,
    private engine: Engine | null = null,
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
  run<Result>(work: (useEngine: UseEngine, signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
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
        return await pending.run(() => work((use) => this.useTrusted(use, controller.signal), controller.signal));
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

  /**
   * Checks the GPU again if its results look wrong. A GPU that passes gets one more try. Otherwise `use` starts again on
   * WASM, because no result of a faulty GPU can be kept.
   */
  private async useTrusted<Result>(use: (engine: Engine) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    // The run may have been canceled before it needed the engine.
    throwIfAborted(signal);
    // A worker can end between two runs.
    if (this.engine && hasEnded(this.engine)) this.stop(cancelled());
    for (let attempt = 0; ; attempt++) {
      const engine = this.engine ?? this.keep(await this.start(signal), signal);
      try {
        return await use(engine);
      } catch (error) {
        // After an abort, `this.engine` may belong to the next run.
        if (signal.aborted || engine.backend.name !== 'webgpu' || !isGpuTrouble(error)) throw error;
        const { options, settings } = await this.setup();
        const checks = error.code === 'gpu-wrong' ? await checkAgain(engine, options).catch(() => null) : null;
        throwIfAborted(signal);
        const passed = checks?.every((check) => check.passed) ?? false;
        if (passed && attempt === 0) continue;
        const why = passed || !checks ? `WebGPU failed in mid-run (${error.problem})` : describeFailure(checks);
        this.stop(error);
        this.keep(await startOnWasm(options, settings, why, checks, signal), signal);
      }
    }
  }

  private async start(signal: AbortSignal): Promise<Engine> {
    const { options, settings } = await this.setup();
    return startTrustedEngine(options, settings, signal);
  }

  /** If the run was aborted just before its engine was ready, nothing else ends the engine. */
  private keep(engine: Engine, signal: AbortSignal): Engine {
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
