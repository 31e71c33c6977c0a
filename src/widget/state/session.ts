import type { DiarizationSource } from '../../pipeline/run';
import type { DiarizerShare } from '../../pipeline/sharedDiarizer';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions, ModelDownload, Progress } from '../../pipeline/types';
import { VoxlaneError } from '../../util/errors';
import { Scope } from '../../util/scope';
import type { WidgetSettings } from '../settings';
import { overallProgress, type Outcome, type Phase, type RunState, type StageProgress } from './phase';
import { openRecording, type Recording } from './recording';
import { enterQueue, type QueueEntry } from './runQueue';

/** Opens the library. A function that answers later, because the page needs none of it until a recording is there. */
export type LoadEngine = () => Promise<(options: DiarizerOptions) => DiarizerShare>;

/** What a session tells. */
export interface SessionEvents {
  readonly onPhase: (phase: Phase) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly onResult: (result: DiarizationResult) => void;
  readonly onFailed: (error: VoxlaneError) => void;
  readonly onCancelled: () => void;
}

/** What is to be analyzed. */
export interface RunRequest {
  readonly source: DiarizationSource | string;
  /** For a person. */
  readonly name: string;
  readonly settings: WidgetSettings;
}

/** Runs of one widget, one at a time: a new one ends the one before. Knows nothing of the DOM. */
export class Session {
  private share: { readonly key: string; readonly share: DiarizerShare } | null = null;
  private controller: AbortController | null = null;
  private outcome: Outcome | null = null;
  /** Of a model, while it arrives. */
  private download: RunState['download'] = null;
  private onDownloaded: () => void = () => undefined;
  /** The page's own, of the run that was started last: options that differ in it alone have the same share. */
  private hearsDownload: DiarizerOptions['onDownload'];
  private current: Phase = { kind: 'empty' };

  constructor(
    private readonly load: LoadEngine,
    private readonly events: SessionEvents,
  ) {}

  get phase(): Phase {
    return this.current;
  }

  /** The last recording that was analyzed; null until there is one. */
  get last(): Outcome | null {
    return this.outcome;
  }

  get isRunning(): boolean {
    return this.controller !== null;
  }

  /**
   * Diarizes a recording, and first ends the run that is under way.
   *
   * @throws VoxlaneError what `Diarizer.create` and `diarize` throw, and `options` for an address that gives no file;
   * `cancelled` also where whoever heard of the ended run has started another, which is the newer one
   */
  async run({ source, name, settings }: RunRequest): Promise<DiarizationResult> {
    this.cancel();
    if (this.controller) throw cancelled();
    const controller = new AbortController();
    const { signal } = controller;
    this.controller = controller;
    // What the run before was waiting for when it was ended.
    this.download = null;
    const scope = new Scope();
    let stages: StageProgress = {};
    let place: QueueEntry | null = null;
    const tell = (): void => {
      if (this.controller !== controller) return;
      const progress = overallProgress(stages);
      const before = place === null ? 'fetching' : place.isFirst() ? 'loading' : 'waiting';
      const step = progress.step === 'loading' ? before : progress.step;
      this.show({ kind: 'running', run: { ...progress, name, step, download: step === 'loading' ? this.download : null } });
    };
    try {
      tell();
      const recording = await openRecording(source, signal);
      const share = await this.shareOf(settings, signal);
      place = enterQueue(keyOf(settings), tell);
      scope.add(place.leave);
      this.onDownloaded = tell;
      tell();
      const result = await share.diarize(recording.input, {
        ...runOptions(settings, recording),
        signal,
        onProgress: (progress) => {
          if (this.controller !== controller) return;
          stages = { ...stages, [progress.stage]: progress };
          tell();
          this.events.onProgress(progress);
        },
      });
      // A result that is just too late for its cancelling.
      signal.throwIfAborted();
      this.controller = null;
      this.outcome = { name, result, sound: recording.sound };
      this.show({ kind: 'done', outcome: this.outcome });
      this.events.onResult(result);
      return result;
    } catch (thrown) {
      const error = signal.aborted ? cancelled() : asVoxlaneError(thrown);
      if (this.controller === controller) {
        this.controller = null;
        this.show({ kind: 'failed', name, error });
        this.events.onFailed(error);
      }
      throw error;
    } finally {
      scope.dispose();
    }
  }

  /** Ends the run under way, which rejects with `cancelled`; what was there before is shown again. */
  cancel(): void {
    if (!this.controller) return;
    this.abort();
    this.showLast();
    this.events.onCancelled();
  }

  /** Leaves a failure for the last result, or for nothing. */
  showLast(): void {
    this.show(this.outcome ? { kind: 'done', outcome: this.outcome } : { kind: 'empty' });
  }

  /** Drops the last result. */
  clear(): void {
    this.outcome = null;
    if (!this.controller) this.showLast();
  }

  /** Ends the run and gives the engine back. The session can be used again. */
  release(): void {
    const wasRunning = this.isRunning;
    this.abort();
    this.share?.share.release();
    this.share = null;
    if (!wasRunning) return;
    this.current = this.outcome ? { kind: 'done', outcome: this.outcome } : { kind: 'empty' };
    this.events.onCancelled();
  }

  private abort(): void {
    const { controller } = this;
    this.controller = null;
    controller?.abort();
  }

  private show(phase: Phase): void {
    this.current = phase;
    this.events.onPhase(phase);
  }

  /** Held from the first run on, so that a second one finds the models loaded; given back when options are others. */
  private async shareOf(settings: WidgetSettings, signal: AbortSignal): Promise<DiarizerShare> {
    const key = keyOf(settings);
    this.hearsDownload = settings.diarizer.onDownload;
    if (this.share?.key === key) return this.share.share;
    const open = await this.load().catch((cause: unknown) => {
      throw new VoxlaneError(
        { code: 'worker-failed', problem: 'The library could not be loaded', remedy: 'Check the connection and reload the page' },
        { cause },
      );
    });
    // The widget may be gone by now; a share would be nobody's.
    signal.throwIfAborted();
    const onDownload = (progress: ModelDownload): void => {
      this.download = progress.receivedBytes < progress.totalBytes ? progress : null;
      this.onDownloaded();
      this.hearsDownload?.(progress);
    };
    const share = open({ ...settings.diarizer, onDownload });
    this.share?.share.release();
    this.share = { key, share };
    return share;
  }
}

let serial = 0;
const serials = new WeakMap<object, number>();

/** The same for options that are the same, whoever hears of downloads: objects and functions by which they are, the rest by value. */
function keyOf({ diarizer }: WidgetSettings): string {
  const entries = Object.entries(diarizer).filter(([name]) => name !== 'onDownload').sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries.map(([name, value]) => [name, isIdentity(value) ? serialOf(value) : String(value)]));
}

const isIdentity = (value: unknown): value is object =>
  typeof value === 'function' || (typeof value === 'object' && value !== null && !(value instanceof URL));

function serialOf(value: object): number {
  const known = serials.get(value) ?? ++serial;
  serials.set(value, known);
  return known;
}

function cancelled(): VoxlaneError {
  return new VoxlaneError({ code: 'cancelled', problem: 'The run was cancelled' });
}

/** The engine throws nothing else, but a listener of the page, or a browser at its end, may. */
function asVoxlaneError(thrown: unknown): VoxlaneError {
  if (thrown instanceof VoxlaneError) return thrown;
  return new VoxlaneError({ code: 'backend-failed', problem: 'Something failed that the widget did not foresee', remedy: 'Try again, or reload the page' }, { cause: thrown });
}

/** Samples need a rate, and files have their own. */
function runOptions({ run: { sampleRate, track, ...others } }: WidgetSettings, { sound }: Recording): DiarizeOptions {
  if (sound) return { ...others, ...(track !== undefined && { track }) };
  return { ...others, ...(sampleRate !== undefined && { sampleRate }) };
}
