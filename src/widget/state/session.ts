import type { DiarizationSource } from '../../engine/run';
import type { DiarizerShare } from '../../engine/sharedDiarizer';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions, ModelDownload, Progress } from '../../engine/types';
import { Scope } from '../../ui-kit/scope';
import { VoxlaneError } from '../../util/errors';
import type { GivenResult } from '../givenResult';
import type { WidgetSettings } from '../settings';
import { newMemory, type Outcome, overallProgress, type Phase, type RunState, type StageProgress } from './phase';
import { lengthOf, openRecording, type Recording } from './recording';

/**
 * Running and queued runs by engine. Widgets with equal options share one engine whose runs take turns; the widget
 * shows the user that it waits.
 */
const queues = new Map<string, QueueEntry[]>();

/** The position of a run in its queue. */
interface QueueEntry {
  /** Whether no other run is ahead of this one. */
  readonly isFirst: () => boolean;
  /** Leaves the queue; idempotent. */
  readonly leave: () => void;
}

/**
 * @param key equal for runs that share an engine
 * @param onChange called when a run leaves the queue
 */
function enterQueue(key: string, onChange: () => void): QueueEntry {
  const queue = queues.get(key) ?? [];
  queues.set(key, queue);
  const listeners = listenersOf(queue);
  const entry: QueueEntry = {
    isFirst: () => queue[0] === entry,
    leave() {
      const index = queue.indexOf(entry);
      if (index < 0) return;
      queue.splice(index, 1);
      listeners.delete(entry);
      if (queue.length === 0) queues.delete(key);
      for (const listener of [...listeners.values()]) listener();
    },
  };
  queue.push(entry);
  listeners.set(entry, onChange);
  return entry;
}

const listenersByQueue = new WeakMap<QueueEntry[], Map<QueueEntry, () => void>>();

function listenersOf(queue: QueueEntry[]): Map<QueueEntry, () => void> {
  const listeners = listenersByQueue.get(queue) ?? new Map<QueueEntry, () => void>();
  listenersByQueue.set(queue, listeners);
  return listeners;
}

/** Loads the library. Asynchronous, because the page does not need it before the first recording. */
export type LoadEngine = () => Promise<(options: DiarizerOptions) => DiarizerShare>;

/** Callbacks of a session. */
interface SessionEvents {
  readonly onPhase: (phase: Phase) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly onResult: (result: DiarizationResult) => void;
  readonly onFailed: (error: VoxlaneError) => void;
  readonly onCancelled: () => void;
}

/** A recording to analyze, with its settings. */
interface RunRequest {
  readonly source: DiarizationSource | string;
  /** Display name. */
  readonly name: string;
  readonly settings: WidgetSettings;
}

/** A result of the page, with the recording to play. */
interface Showing {
  readonly given: GivenResult;
  /** Null: the result is shown without a recording. */
  readonly source: DiarizationSource | string | null;
  /** Display name of the recording. */
  readonly name: string;
  /** Audio track of the recording, counted from 1; undefined for the default of the file. */
  readonly track: number | undefined;
}

/** Runs of one widget, one at a time: a new run ends the previous one. Independent of the DOM. */
export class Session {
  private share: { readonly key: string; readonly share: DiarizerShare } | null = null;
  private controller: AbortController | null = null;
  /** Ends the reading of the recording of a result that the page has set. */
  private opening: AbortController | null = null;
  private outcome: Outcome | null = null;
  /** The model download in progress. */
  private download: RunState['download'] = null;
  private onDownloaded: () => void = () => undefined;
  /**
   * The page's callback of the last run. It is not part of the key of a share: options that differ only in it are
   * equal.
   */
  private hearsDownload: DiarizerOptions['onDownload'];
  private current: Phase = { kind: 'empty' };

  constructor(
    private readonly load: LoadEngine,
    private readonly events: SessionEvents,
  ) {}

  get phase(): Phase {
    return this.current;
  }

  /** The last recording with a result; null before the first. */
  get last(): Outcome | null {
    return this.outcome;
  }

  get isRunning(): boolean {
    return this.controller !== null;
  }

  /** Whether the recording of a result that the page has set is being read. */
  get isOpening(): boolean {
    return this.opening !== null;
  }

  /**
   * Ends the current run, then diarizes a recording.
   *
   * @throws VoxlaneError the errors of `Diarizer.create` and `diarize`, and those of {@link openRecording};
   *   `cancelled` also if a listener for the end of the previous run has started a newer run
   */
  async run({ source, name, settings }: RunRequest): Promise<DiarizationResult> {
    this.cancel();
    if (this.controller) throw cancelled();
    const controller = new AbortController();
    const { signal } = controller;
    this.controller = controller;
    // The download of the previous run.
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
      // The run was aborted just before its result arrived.
      signal.throwIfAborted();
      this.controller = null;
      this.outcome = { name, result, sound: recording.sound, hasRecording: true, track: settings.run.track, memory: newMemory() };
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

  /** Takes a result of the page without showing it; ends the current run. {@link showGiven} shows it. */
  take({ result, names }: GivenResult, name: string): void {
    this.cancel();
    this.outcome = { name, result, sound: null, hasRecording: false, track: undefined, memory: newMemory(names) };
  }

  /**
   * Shows the result of {@link take}, with its recording if there is one. A recording that cannot be fetched is reported;
   * the turns are shown without it.
   */
  async showGiven({ given, source, name, track }: Showing): Promise<void> {
    // A recording that is still being read is replaced without showing the result in between.
    this.opening?.abort();
    this.opening = null;
    this.cancel();
    const controller = new AbortController();
    this.opening = controller;
    const memory = this.outcome?.memory ?? newMemory(given.names);
    memory.peaks = null;
    let sound: Blob | null = null;
    let problem: VoxlaneError | null = null;
    let lengthSeconds: number | null = null;
    this.outcome = { name, result: given.result, sound, hasRecording: source !== null, track, memory };
    try {
      if (typeof source === 'string') this.show({ kind: 'running', run: { name, step: 'fetching', fraction: 0, secondsLeft: null, download: null } });
      if (source !== null) ({ sound } = await openRecording(source, controller.signal));
      if (sound && !given.isLengthKnown) lengthSeconds = await lengthOf(sound);
    } catch (thrown) {
      problem = asVoxlaneError(thrown);
    }
    if (this.opening !== controller) return;
    this.opening = null;
    const durationSeconds = Math.max(given.result.durationSeconds, lengthSeconds ?? 0);
    const result = lengthSeconds === null ? given.result : { ...given.result, durationSeconds };
    this.outcome = { ...this.outcome, result, sound };
    this.show({ kind: 'done', outcome: this.outcome });
    if (problem) this.events.onFailed(problem);
  }

  /** Ends the current run, which rejects with `cancelled`; the previous state is shown again. */
  cancel(): void {
    if (this.opening) {
      this.opening.abort();
      this.opening = null;
      this.showLast();
    }
    if (!this.controller) return;
    this.abort();
    this.showLast();
    this.events.onCancelled();
  }

  /** Leaves an error: shows the last result, or the empty state. */
  showLast(): void {
    this.show(this.outcome ? { kind: 'done', outcome: this.outcome } : { kind: 'empty' });
  }

  /** Removes the last result. */
  clear(): void {
    this.opening?.abort();
    this.opening = null;
    this.outcome = null;
    if (!this.controller) this.showLast();
  }

  /** Ends the run and releases the engine. The session can be used again. */
  release(): void {
    const { isRunning: wasRunning, isOpening: wasOpening } = this;
    this.opening?.abort();
    this.opening = null;
    this.abort();
    this.share?.share.release();
    this.share = null;
    if (wasRunning || wasOpening) this.current = this.outcome ? { kind: 'done', outcome: this.outcome } : { kind: 'empty' };
    if (wasRunning) this.events.onCancelled();
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

  /**
   * The share is kept after a run, so that the next run finds the models loaded. It is released when the options
   * change.
   */
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
    // The run may have been aborted while the library was loading: do not acquire a share.
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

/**
 * Equal for equal options, except `onDownload`: objects and functions are compared by identity, other values by value.
 */
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
  return new VoxlaneError({ code: 'cancelled', problem: 'The run was canceled' });
}

/** The engine throws only `VoxlaneError`, but a listener of the page or the browser may throw other errors. */
function asVoxlaneError(thrown: unknown): VoxlaneError {
  if (thrown instanceof VoxlaneError) return thrown;
  return new VoxlaneError({ code: 'backend-failed', problem: 'An unexpected error occurred', remedy: 'Try again, or reload the page' }, { cause: thrown });
}

/** Samples require a rate; files have their own. */
function runOptions({ run: { sampleRate, track, ...others } }: WidgetSettings, { sound }: Recording): DiarizeOptions {
  if (sound) return { ...others, ...(track !== undefined && { track }) };
  return { ...others, ...(sampleRate !== undefined && { sampleRate }) };
}
