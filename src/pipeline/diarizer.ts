import { VoxlaneError } from '../util/errors';
import { cancelled, type Engine } from './engine';
import { checkDiarizerOptions, checkRunOptions, type CheckedDiarizerOptions, type CheckedRunOptions } from './options';
import { ProgressMeter } from './progress';
import { runPipeline, type DiarizationSource } from './run';
import { choosePreset } from './presets';
import { PRESETS, type PipelineSettings } from './settings';
import type { StageEvent } from './stages';
import { checkAgain, describeFailure, isGpuTrouble, startOnWasm, startTrustedEngine } from './trust';
import type { BackendReport, DiarizationResult, DiarizeOptions, DiarizerOptions, PresetId } from './types';

/**
 * Finds who spoke when, on this machine.
 *
 * Holds workers and loaded models from one run to the next. Runs of one diarizer take turns.
 *
 * @example
 * const diarizer = await Diarizer.create();
 * const { turns } = await diarizer.diarize(file, { onProgress: console.log });
 * diarizer.dispose();
 */
export class Diarizer {
  private disposed = false;
  /** The run before; settles when the next one may start, and never rejects. */
  private previous: Promise<unknown> = Promise.resolve();
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
   * `backend-failed`, `worker-failed`, `cancelled` when `signal` fires
   */
  static async create(options: DiarizerOptions & { readonly signal?: AbortSignal } = {}): Promise<Diarizer> {
    const checked = checkDiarizerOptions(options, document.baseURI);
    const settings = PRESETS[await choosePreset(checked)];
    return new Diarizer(checked, settings, await startTrustedEngine(checked, settings, options.signal));
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
   * Diarizes one recording.
   *
   * @param source a file (audio or video, anything that this browser plays), its bytes, or mono samples at the
   * model's rate, 16 kHz, nominally in [-1, 1]
   * @throws VoxlaneError `audio-*` for a source that cannot be read, `options`, `cancelled`, `disposed`,
   * `model-output`, and what {@link Diarizer.create} throws when the workers have to be started again
   */
  diarize(source: DiarizationSource, options: DiarizeOptions = {}): Promise<DiarizationResult> {
    const run = this.previous.then(() => this.run(source, options));
    this.previous = run.catch(() => undefined);
    return run;
  }

  /** Ends the workers and frees their memory. A run under way rejects with `disposed`. */
  dispose(): void {
    clearTimeout(this.idleTimer);
    this.disposed = true;
    this.stop(disposedError());
    this.abort?.(disposedError());
  }

  private async run(source: DiarizationSource, options: DiarizeOptions): Promise<DiarizationResult> {
    if (this.disposed) throw disposedError();
    const checked = checkRunOptions(options);
    const { signal } = options;
    if (signal?.aborted) throw cancelled();
    clearTimeout(this.idleTimer);
    // Also ends an engine that is only just starting.
    const controller = new AbortController();
    const aborted = new Promise<never>((_, reject) => {
      this.abort = (reason) => {
        controller.abort();
        this.stop(reason);
        reject(reason);
      };
    });
    const cancel = (): void => this.abort?.(cancelled());
    signal?.addEventListener('abort', cancel);
    try {
      // A race, because what the page itself decodes cannot be interrupted: it ends unheard.
      return await Promise.race([this.runOnTrusted(source, checked, reporter(options), controller.signal), aborted]);
    } catch (error) {
      this.stopUnlessUsable(error);
      throw error;
    } finally {
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
    source: DiarizationSource,
    options: CheckedRunOptions,
    hook: (event: StageEvent) => void,
    signal: AbortSignal,
  ): Promise<DiarizationResult> {
    for (let attempt = 0; ; attempt++) {
      const engine = (this.engine ??= await startTrustedEngine(this.options, this.settings, signal));
      try {
        return await runPipeline(engine, source, options, hook);
      } catch (error) {
        if (engine.backend.name !== 'webgpu' || !isGpuTrouble(error)) throw error;
        const proofs = error.code === 'gpu-wrong' ? await checkAgain(engine, this.options).catch(() => null) : null;
        const passed = proofs?.every((proof) => proof.passed) ?? false;
        if (passed && attempt === 0) continue;
        const why = passed || !proofs ? `WebGPU failed in mid-run (${error.problem})` : describeFailure(proofs);
        this.stop(error);
        if (signal.aborted) throw error;
        this.engine = await startOnWasm(this.options, this.settings, why, proofs, signal);
      }
    }
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

function reporter({ hook, onProgress }: DiarizeOptions): (event: StageEvent) => void {
  const meter = new ProgressMeter();
  return (event) => {
    hook?.(event);
    onProgress?.(meter.read(event));
  };
}

function disposedError(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The diarizer was disposed',
    expected: 'a diarizer that is still in use',
    remedy: 'Make a new one with Diarizer.create()',
  });
}
