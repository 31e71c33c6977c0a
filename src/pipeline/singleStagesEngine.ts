import { VoxlaneError } from '../util/errors';
import { cancelled, hasEnded, type Engine } from './engine';
import { withFiles } from './fileBases';
import { askForTheSame, checkDiarizerOptions, optionError, type CheckedDiarizerOptions, type OwnDiarizerOptions } from './options';
import { checkDiarizerNames } from './optionNames';
import { choosePreset } from './presets';
import { PRESETS, type PipelineSettings } from './settings';
import type { StageOptions } from './singleStagesTypes';
import { isGpuTrouble, startOnWasm, startTrustedEngine } from './trust';
import { Turns } from './turns';

/** Those that have workers, or had: one for each set of options. */
const held: StageEngine[] = [];

/**
 * Checks what the stages take.
 *
 * @throws VoxlaneError `options`
 */
export function checkStageOptions(options: StageOptions): OwnDiarizerOptions {
  checkDiarizerNames(options, ['signal']);
  const checked = checkDiarizerOptions(options, document.baseURI);
  const preset: string | undefined = options.preset;
  // Callers without types ask for a speed.
  if (checked.speed === 'exact' && preset !== 'exact') return checked;
  throw optionError('preset', preset, ['auto', ...Object.keys(PRESETS)].join(', '));
}

/** The preset's settings, and where its files are. */
export async function resolveStageOptions(
  checked: OwnDiarizerOptions,
): Promise<{ readonly options: CheckedDiarizerOptions; readonly settings: PipelineSettings }> {
  const options = await withFiles(checked);
  return { options, settings: PRESETS[await choosePreset(options)] };
}

/**
 * Runs `use` on the workers that everybody shares who asks for the same options; pieces of work take turns. The workers
 * are started by the first, and ended after `idleSeconds` without any. Whoever cancels ends them, if it is at work.
 *
 * @throws VoxlaneError `options`, `model-*`, `backend-*`, `worker-failed`, `cancelled`
 */
export async function withEngine<Result>(options: StageOptions, use: (engine: Engine) => Promise<Result>): Promise<Result> {
  const checked = checkStageOptions(options);
  let engine = held.find((one) => askForTheSame(one.options, checked));
  if (!engine) held.push((engine = new StageEngine(checked)));
  return engine.run(use, options.signal);
}

/**
 * Ends the workers of {@link segment} and {@link embed}, and frees their memory, before their time is up. What is under
 * way rejects with code `disposed`; the next call starts them again.
 */
export function releaseStages(): void {
  for (const engine of held.splice(0)) engine.stop(released());
}

class StageEngine {
  private engine: Engine | null = null;
  private readonly turns = new Turns();
  /** Ends an engine that is only just starting. */
  private starting: AbortController | null = null;
  private idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Why it was stopped, for those who still wait. */
  private stopped: VoxlaneError | null = null;

  constructor(readonly options: OwnDiarizerOptions) {}

  run<Result>(use: (engine: Engine) => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    return this.turns.take(async () => {
      const stopped = this.whyStopped();
      if (stopped) throw stopped;
      clearTimeout(this.idleTimer);
      const cancel = (): void => {
        this.endWorkers(cancelled(signal));
      };
      signal?.addEventListener('abort', cancel);
      try {
        return await this.work(use);
      } catch (error) {
        // What was stopped while it was starting does not know why.
        throw this.whyStopped() ?? (hasAborted(signal) ? cancelled(signal) : error);
      } finally {
        signal?.removeEventListener('abort', cancel);
        this.waitIdle();
      }
    }, signal);
  }

  /** Asked anew: it may be stopped while it works, which the type checker does not know. */
  private whyStopped(): VoxlaneError | null {
    return this.stopped;
  }

  /** For good: whoever comes next gets another. */
  stop(reason: VoxlaneError): void {
    clearTimeout(this.idleTimer);
    this.stopped = reason;
    this.endWorkers(reason);
  }

  /** Where a GPU turns out to be at fault, all of the work is done again on WASM, and so is what follows. */
  private async work<Result>(use: (engine: Engine) => Promise<Result>): Promise<Result> {
    // A worker can end between two calls.
    if (this.engine && hasEnded(this.engine)) this.endWorkers(cancelled());
    this.starting = new AbortController();
    const { signal } = this.starting;
    try {
      const engine = this.engine ?? this.keep(await this.start(signal), signal);
      try {
        return await use(engine);
      } catch (error) {
        if (signal.aborted || engine.backend.name !== 'webgpu' || !isGpuTrouble(error)) throw error;
        engine.terminate(error);
        this.engine = null;
        const { options, settings } = await resolveStageOptions(this.options);
        const why = `WebGPU failed in mid-run (${error.problem})`;
        return await use(this.keep(await startOnWasm(options, settings, why, null, signal), signal));
      }
    } catch (error) {
      const isUsable = error instanceof VoxlaneError && (error.code.startsWith('audio-') || error.code === 'options');
      if (!isUsable) this.endWorkers(cancelled());
      throw error;
    } finally {
      this.starting = null;
    }
  }

  private async start(signal: AbortSignal): Promise<Engine> {
    const { options, settings } = await resolveStageOptions(this.options);
    return startTrustedEngine(options, settings, signal);
  }

  /** An engine that has just started. Where it was stopped in the same moment, nobody else would end it. */
  private keep(engine: Engine, signal: AbortSignal): Engine {
    if (signal.aborted) {
      engine.terminate(cancelled());
      throw cancelled(signal);
    }
    return (this.engine = engine);
  }

  /** Only ending a worker stops what it does. */
  private endWorkers(reason: VoxlaneError): void {
    this.starting?.abort();
    this.engine?.terminate(reason);
    this.engine = null;
  }

  private waitIdle(): void {
    const { idleSeconds } = this.options;
    if (this.stopped || idleSeconds === Infinity) return;
    this.idleTimer = setTimeout(() => {
      const index = held.indexOf(this);
      if (index >= 0) held.splice(index, 1);
      this.stop(cancelled());
    }, idleSeconds * 1000);
  }
}

/** Asked anew, like `whyStopped`. */
const hasAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false;

function released(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The workers of the stages were released',
    expected: 'no releaseStages() while a stage is at work',
    remedy: 'Call the stage again: the workers are started anew',
  });
}
