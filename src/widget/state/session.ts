import type { DiarizationSource } from '../../engine/run';
import type { DiarizerShare } from '../../engine/sharedDiarizer';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions, ModelDownload, Progress } from '../../engine/types';
import { Scope } from '../../ui-kit/scope';
import { VoxlaneError } from '../../util/errors';
import { fetchFile, isMissing } from '../../util/fetch';
import type { WidgetSettings } from '../settings';
import { type Outcome, overallProgress, type Phase, type RunState, type StageProgress } from './phase';

/** What the engine gets and what can be played. */
export interface Recording {
  readonly input: DiarizationSource;
  /** Null where only samples are there: nothing plays them. */
  readonly sound: Blob | null;
}

/** Name of a recording for a person; null where the source has none. */
export function nameOfSource(source: DiarizationSource | string): string | null {
  if (source instanceof File) return source.name;
  if (typeof source !== 'string') return null;
  const last = source.split(/[?#]/, 1)[0]!.split('/').filter(Boolean).at(-1);
  if (last === undefined || source.startsWith('data:') || source.startsWith('blob:')) return null;
  try {
    return decodeURIComponent(last);
  } catch {
    // A per cent sign that escapes nothing.
    return last;
  }
}

/**
 * Fetches what is an address, and leaves the rest as it is.
 *
 * @throws VoxlaneError `source-missing` if the server has no such file, `audio-missing` if it cannot be fetched for another
 *   reason; `cancelled`
 */
export async function openRecording(source: DiarizationSource | string, signal: AbortSignal): Promise<Recording> {
  if (typeof source === 'string') {
    const blob = await fetchRecording(source, signal);
    return { input: blob, sound: blob };
  }
  if (source instanceof ArrayBuffer) {
    // One copy for both: the engine would else make another of its own.
    const blob = new Blob([source]);
    return { input: blob, sound: blob };
  }
  return { input: source, sound: source instanceof Blob ? source : null };
}

function fetchRecording(address: string, signal: AbortSignal): Promise<Blob> {
  return fetchFile(
    new URL(address, document.baseURI),
    (response) => response.blob(),
    (why, cause, status) =>
      new VoxlaneError(
        {
          code: isMissing(status) ? 'source-missing' : 'audio-missing',
          problem: `The recording at ${address} could not be fetched: ${why}`,
          expected: 'the address of an audio or video file that this page may read',
          remedy: 'Check the attribute src and the connection; a file on another origin needs its server to allow this page (CORS)',
        },
        { cause },
      ),
    signal,
  );
}

/**
 * Which widget's run is under way, and which ones wait: widgets with the same options have one engine, whose runs take
 * turns, and a person who sees nothing move wants to know why.
 */
const queues = new Map<string, QueueEntry[]>();

/** A run's place. */
export interface QueueEntry {
  /** Whether no other run is before this one. */
  readonly isFirst: () => boolean;
  /** Gives the place up; may be called again. */
  readonly leave: () => void;
}

/**
 * @param key the same for runs that wait for each other
 * @param onChange is called when a run before this one has ended
 */
export function enterQueue(key: string, onChange: () => void): QueueEntry {
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
