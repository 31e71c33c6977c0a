import { VoxlaneError } from '../util/errors';
import { cancelled, DISPOSE, SerialQueue, unlessAborted } from './calls';
import { type Engine, hasEnded } from './engine';
import {
  checkDiarizerNames,
  checkDiarizerOptions,
  type CheckedDiarizerOptions,
  type CheckedRunOptions,
  checkRunNames,
  checkRunOptions,
  withFiles,
} from './options';
import { choosePreset } from './presets';
import { runPipeline } from './run';
import { checkAgain, describeFailure, isGpuTrouble, startOnWasm, startTrustedEngine } from './selfCheck';
import { type PipelineSettings, settingsOf } from './settings';
import { type DiarizationSource, endingOnFailure, RunInput } from './source';
import { type StageEvent, type StageName, withOwnArtifact } from './stages';
import type { BackendReport, DiarizationResult, DiarizeOptions, DiarizerOptions, PresetId, Progress } from './types';

/** Turns stage reports into progress for people: adds the time that is left, from the pace so far. */
export class ProgressMeter {
  private readonly firstSeen = new Map<StageName, number>();
  private readonly lastCompleted = new Map<StageName, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  read({ stage, completed, total, openEnded }: StageEvent): Progress {
    const time = this.now();
    // A run that starts anew, on WASM after a failure of the GPU, has a pace of its own.
    const isRestart = completed < (this.lastCompleted.get(stage) ?? 0);
    this.lastCompleted.set(stage, completed);
    const start = isRestart ? time : (this.firstSeen.get(stage) ?? time);
    this.firstSeen.set(stage, start);
    const elapsedSeconds = (time - start) / 1000;
    const knowsPace = completed > 0 && elapsedSeconds > 0;
    if (openEnded) return { stage, completed, total, secondsLeft: null, openEnded };
    const secondsLeft = completed >= total ? 0 : knowsPace ? (elapsedSeconds * (total - completed)) / completed : null;
    return { stage, completed, total, secondsLeft };
  }
}

/**
 * Finds who spoke when, on this machine.
 *
 * Holds workers and loaded models from one run to the next. Runs of one diarizer take turns. `using` disposes of it, where
 * the runtime has that.
 *
 * @example
 * const diarizer = await Diarizer.create();
 * const { turns } = await diarizer.diarize(file, { onProgress: console.log });
 * diarizer.dispose();
 */
export class Diarizer {
  private disposed = false;
  private readonly turns = new SerialQueue();
  /** Rejects the run under way. */
  private abort: ((reason: VoxlaneError) => void) | null = null;
  /** Ends the workers when nothing has run for a while. */
  private idleTimer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    private readonly options: CheckedDiarizerOptions,
    private readonly settings: PipelineSettings,
    private engine: Engine | null,
  ) {
    this.waitIdle();
  }

  /**
   * Starts the workers and loads the models.
   *
   * @throws VoxlaneError `options`, `model-missing`, `model-altered`, `model-invalid`, `backend-unavailable`,
   * `backend-failed`, `worker-failed`, `cancelled` when `signal` fires, with its reason as `cause`
   */
  static async create(
    options: DiarizerOptions & {
      /** Takes the creation back; has no effect after it. */
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Diarizer> {
    checkDiarizerNames(options, ['signal']);
    const own = checkDiarizerOptions(options, document.baseURI);
    const { signal } = options;
    const create = async (): Promise<Diarizer> => {
      const checked = await withFiles(own);
      const settings = settingsOf(await choosePreset(checked), checked.clustering);
      return new Diarizer(checked, settings, await startTrustedEngine(checked, settings, signal));
    };
    return unlessAborted(signal, create, (late) => { late.dispose(); });
  }

  /** The preset that was taken. */
  get preset(): PresetId {
    return this.settings.preset;
  }

  /** The backend that the models run on; null while there are no workers: after a cancelled run, or an idle time. */
  get backend(): BackendReport | null {
    return this.engine?.backend ?? null;
  }

  /**
   * Diarizes one recording, after those that were asked for before.
   *
   * @throws VoxlaneError `audio-*` for a source that cannot be read, `options`, `cancelled` with the signal's reason as
   * `cause`, `disposed`, `model-output`, and what {@link Diarizer.create} throws when the workers have to be started again
   */
  async diarize(source: DiarizationSource, options: DiarizeOptions = {}): Promise<DiarizationResult> {
    const { checked, input } = endingOnFailure(source, () => {
      if (this.disposed) throw disposedError();
      checkRunNames(options);
      const run = checkRunOptions(options);
      return { checked: run, input: new RunInput(source, run.sampleRate, run.track) };
    });
    try {
      return await this.turns.take(() => this.run(input, checked, options), options.signal);
    } finally {
      input.close();
    }
  }

  /** Ends the workers and frees their memory. A run under way rejects with `disposed`. */
  dispose(): void {
    clearTimeout(this.idleTimer);
    this.disposed = true;
    this.stop(disposedError());
    this.abort?.(disposedError());
  }

  /** {@link dispose}, by the name that `using` knows. */
  [DISPOSE](): void {
    this.dispose();
  }

  private async run(input: RunInput, checked: CheckedRunOptions, options: DiarizeOptions): Promise<DiarizationResult> {
    if (this.disposed) throw disposedError();
    const { signal } = options;
    clearTimeout(this.idleTimer);
    const events = new RunEvents(checked, options);
    // Also ends an engine that is only just starting.
    const controller = new AbortController();
    const aborted = new Promise<never>((_, reject) => {
      this.abort = (reason) => {
        events.stop();
        controller.abort();
        this.stop(reason);
        reject(reason);
      };
    });
    const cancel = (): void => this.abort?.(cancelled(signal));
    signal?.addEventListener('abort', cancel);
    try {
      // A race, because what the page itself decodes cannot be interrupted: it ends unheard.
      return await Promise.race([this.runOnTrusted(input, events.options, events.report, controller.signal), aborted]);
    } catch (thrown) {
      const error = input.causeOf(thrown);
      this.stopUnlessUsable(error);
      throw error;
    } finally {
      events.stop();
      this.abort = null;
      signal?.removeEventListener('abort', cancel);
      this.waitIdle();
    }
  }

  /**
   * Runs, and where the GPU turns out to be at fault, checks it again: a GPU that passes gets one more try, and
   * otherwise the whole recording is done on WASM, because nothing that a faulty GPU gave can be kept.
   */
  private async runOnTrusted(
    input: RunInput,
    options: CheckedRunOptions,
    hook: (event: StageEvent) => void,
    signal: AbortSignal,
  ): Promise<DiarizationResult> {
    const ready = await input.settle();
    // What was cancelled meanwhile starts nothing.
    throwIfAborted(signal);
    // A worker can end between two runs.
    if (this.engine && hasEnded(this.engine)) this.stop(cancelled());
    for (let attempt = 0; ; attempt++) {
      const engine = this.engine ?? this.keep(await startTrustedEngine(this.options, this.settings, signal), signal);
      try {
        return await runPipeline(engine, ready, options, hook);
      } catch (error) {
        if (engine.backend.name !== 'webgpu' || !isGpuTrouble(error)) throw error;
        const checks = error.code === 'gpu-wrong' ? await checkAgain(engine, this.options).catch(() => null) : null;
        // What was cancelled meanwhile must not touch the engine, which may be the next run's by now.
        throwIfAborted(signal);
        const passed = checks?.every((check) => check.passed) ?? false;
        if (passed && attempt === 0) continue;
        const why = passed || !checks ? `WebGPU failed in mid-run (${error.problem})` : describeFailure(checks);
        this.stop(error);
        this.keep(await startOnWasm(this.options, this.settings, why, checks, signal), signal);
      }
    }
  }

  /** An engine that has just started. Where the run was cancelled in the same moment, nobody else would end it. */
  private keep(engine: Engine, signal: AbortSignal): Engine {
    if (signal.aborted) engine.terminate(cancelled(signal));
    throwIfAborted(signal);
    return (this.engine = engine);
  }

  /** A WASM heap never shrinks: ending its worker gives it back. */
  private waitIdle(): void {
    const { idleSeconds } = this.options;
    if (this.disposed || idleSeconds === Infinity) return;
    this.idleTimer = setTimeout(() => {
      this.stop(new VoxlaneError({ code: 'cancelled', problem: 'The workers were idle and were ended' }));
    }, idleSeconds * 1000);
  }

  /** Only ending a worker really stops it, and a failed backend cannot be used again. The next run starts anew. */
  private stop(reason: VoxlaneError): void {
    this.engine?.terminate(reason);
    this.engine = null;
  }

  private stopUnlessUsable(error: unknown): void {
    const usable = error instanceof VoxlaneError && (error.code.startsWith('audio-') || error.code === 'options');
    if (!usable) this.stop(cancelled());
  }
}

/** A function, because the compiler believes that a signal that was not aborted stays so. */
function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled(signal);
}

/** Passes on a run's events until the run is over. Work that ends later is not reported. */
class RunEvents {
  readonly options: CheckedRunOptions;
  private readonly meter = new ProgressMeter();
  private isOver = false;

  constructor(
    checked: CheckedRunOptions,
    private readonly listeners: DiarizeOptions,
  ) {
    const { onPreview } = checked;
    this.options = { ...checked, onPreview: onPreview && ((preview) => { if (!this.isOver) onPreview(preview); }) };
  }

  readonly report = (event: StageEvent): void => {
    if (this.isOver) return;
    this.listeners.hook?.(withOwnArtifact(event));
    this.listeners.onProgress?.(this.meter.read(event));
  };

  stop(): void {
    this.isOver = true;
  }
}

function disposedError(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The diarizer was disposed',
    expected: 'a diarizer that is still in use',
    remedy: 'Make a new one with Diarizer.create()',
  });
}
