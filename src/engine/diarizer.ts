import { DISPOSE, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import type { Engine } from './engine';
import { EngineLifetime, type RunningEngine } from './engineLifetime';
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
import { startTrustedEngine } from './selfCheck';
import { isWindowed, NEMOTRON, type PipelineSettings, settingsOf, type StreamSettings } from './settings';
import { type DiarizationSource, endingOnFailure, type ReadyInput, RunInput } from './source';
import { type StageEvent, type StageHook, type StageName, withOwnArtifact } from './stages';
import type { BackendReport, DiarizationResult, DiarizeOptions, DiarizerOptions, PresetId, Progress } from './types';
import { baseAddress } from '../util/host';
import { startStreamEngine, streamSource } from './streamEngine';
import { runStream } from './streamRun';
import type { StreamEngine } from './streamStart';
import { windowedSource } from './windowedSource';

/** Converts stage reports to progress for users: adds the remaining time, estimated from the pace so far. */
export class ProgressMeter {
  private readonly firstSeen = new Map<StageName, number>();
  private readonly lastCompleted = new Map<StageName, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  read({ stage, completed, total, openEnded }: StageEvent): Progress {
    const time = this.now();
    // A run that restarts on WASM after a GPU failure has a new pace.
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
 * Performs speaker diarization on this machine.
 *
 * Keeps workers and loaded models between runs. Runs of one diarizer take turns. Supports `using` for disposal.
 *
 * @example
 * const diarizer = await Diarizer.create();
 * const { turns } = await diarizer.diarize(file, { onProgress: console.log });
 * diarizer.dispose();
 */
export class Diarizer {
  private constructor(private readonly pipeline: Pipeline) {}

  /**
   * Starts the workers and loads the models.
   *
   * @throws VoxlaneError `options`, `model-missing`, `model-altered`, `model-invalid`, `backend-unavailable`,
   *   `backend-failed`, `worker-failed`, `cancelled` if `signal` fires, with its reason as `cause`
   */
  static async create(
    options: DiarizerOptions & {
      /** Aborts the creation; ignored afterward. */
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Diarizer> {
    checkDiarizerNames(options, ['signal']);
    const own = checkDiarizerOptions(options, baseAddress());
    const { signal } = options;
    const create = async (): Promise<Diarizer> => {
      const checked = await withFiles(own);
      return new Diarizer(await startPipeline(checked, signal));
    };
    return unlessAborted(signal, create, { discard: (late) => { late.dispose(); } });
  }

  /** The selected preset. */
  get preset(): PresetId {
    return this.pipeline.settings.preset;
  }

  /** The backend that runs the models; null while there are no workers: after a canceled run or an idle period. */
  get backend(): BackendReport | null {
    return this.pipeline.lifetime.backend;
  }

  /**
   * Diarizes one recording, after earlier calls have ended.
   *
   * @throws VoxlaneError `audio-*` if the source cannot be read, `options`, `cancelled` with the signal's reason as
   * `cause`, `disposed`, `model-output`, and the errors of {@link Diarizer.create} if the workers must be started again
   */
  async diarize(source: DiarizationSource, options: DiarizeOptions = {}): Promise<DiarizationResult> {
    const { checked, input } = endingOnFailure(source, () => {
      const { disposed } = this.pipeline.lifetime;
      if (disposed) throw disposed;
      checkRunNames(options);
      const run = checkRunOptions(options);
      return { checked: run, input: new RunInput(source, run.sampleRate, run.track) };
    });
    try {
      const { pipeline } = this;
      const run: OneRun = { checked, input, options };
      return await (pipeline.kind === 'windowed' ? runOn(pipeline.lifetime, runPipeline, run) : runOn(pipeline.lifetime, runStream, run));
    } finally {
      input.close();
    }
  }

  /** Ends the workers and frees their memory. A current run rejects with `disposed`. */
  dispose(): void {
    this.pipeline.lifetime.dispose(disposedError());
  }

  /** Calls {@link dispose}, for `using`. */
  [DISPOSE](): void {
    this.dispose();
  }
}

/** Settings and engines of a diarizer. */
type Pipeline =
  | { readonly kind: 'windowed'; readonly settings: PipelineSettings; readonly lifetime: EngineLifetime<Engine> }
  | { readonly kind: 'streamed'; readonly settings: StreamSettings; readonly lifetime: EngineLifetime<StreamEngine> };

async function startPipeline(options: CheckedDiarizerOptions, signal: AbortSignal | undefined): Promise<Pipeline> {
  const { idleSeconds, clustering } = options;
  const preset = await choosePreset(options);
  if (isWindowed(preset)) {
    const settings = settingsOf(preset, clustering);
    const engine = await startTrustedEngine(options, settings, signal);
    return { kind: 'windowed', settings, lifetime: new EngineLifetime(windowedSource(() => ({ options, settings })), idleSeconds, engine) };
  }
  const settings = NEMOTRON;
  const engine = await startStreamEngine({ options, settings, signal });
  return { kind: 'streamed', settings, lifetime: new EngineLifetime(streamSource(options, settings), idleSeconds, engine) };
}

/** The parts of one call of {@link Diarizer.diarize}. */
interface OneRun {
  readonly checked: CheckedRunOptions;
  readonly input: RunInput;
  readonly options: DiarizeOptions;
}

function runOn<Running extends RunningEngine>(
  lifetime: EngineLifetime<Running>,
  run: (engine: Running, input: ReadyInput, options: CheckedRunOptions, hook: StageHook) => Promise<DiarizationResult>,
  { checked, input, options }: OneRun,
): Promise<DiarizationResult> {
  return lifetime.run(async (useEngine, signal) => {
    const events = new RunEvents(checked, options, signal);
    try {
      const ready = await input.settle();
      return await useEngine((engine) => run(engine, ready, events.options, events.report));
    } catch (error) {
      throw input.causeOf(error);
    } finally {
      events.stop();
    }
  }, options.signal);
}

/** Forwards the events of a run until the run is over. Later events are dropped. */
class RunEvents {
  readonly options: CheckedRunOptions;
  private readonly meter = new ProgressMeter();
  private isOver = false;

  constructor(
    checked: CheckedRunOptions,
    private readonly listeners: DiarizeOptions,
    private readonly signal: AbortSignal,
  ) {
    const { onPreview } = checked;
    this.options = { ...checked, onPreview: onPreview && ((preview) => { if (this.isActive) onPreview(preview); }) };
  }

  readonly report = (event: StageEvent): void => {
    if (!this.isActive) return;
    this.listeners.hook?.(withOwnArtifact(event));
    this.listeners.onProgress?.(this.meter.read(event));
  };

  stop(): void {
    this.isOver = true;
  }

  private get isActive(): boolean {
    return !this.isOver && !this.signal.aborted;
  }
}

function disposedError(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The diarizer was disposed',
    expected: 'a diarizer that is not disposed',
    remedy: 'Create a new one with Diarizer.create()',
  });
}
