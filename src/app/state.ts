import type { Annotation } from '../editing/annotation';
import type { StageName } from '../engine/stages';
import type { BackendChoice, DiarizationResult, DiarizeOptions, Preview, Progress, Speed } from '../engine/types';
import type { EngineRequest, PresetChoice } from './engineKeeper';
import type { Failure } from '../ui-kit/failure';
import { afterDownload, afterStop, INITIAL_MODELS, reduceModels, type ModelsAction, type ModelsState } from './models/state';
import type { Notice } from '../ui-kit/texts/en';

/**
 * The page's state machine. Pure: time and randomness come in with the events, so that every path can be
 * tested without a browser.
 *
 *   empty ──start──▶ loading ──progress──▶ running ──finished──▶ done
 *     ▲                 │ cancelled / failed  │                    │
 *     └─────────────────┴──────▶ empty / error ◀──────new / start──┘
 */

/** A recording before its bytes are there, so that a retry can get them again. */
export interface Source {
  readonly name: string;
  readonly load: (signal: AbortSignal) => Promise<Blob>;
  /** Number of the audio track to read; the file's default if there is none. */
  readonly track?: number;
  /** Files that came along, such as a transcript: for the result of this recording. */
  readonly companions?: readonly File[];
}

export type SpeakerMode = 'auto' | 'exact' | 'range';

export interface RunOptions {
  readonly speakerMode: SpeakerMode;
  readonly exact: number;
  readonly min: number;
  readonly max: number;
  readonly backend: BackendChoice;
  readonly preset: PresetChoice;
  readonly speed: Speed;
}

export interface Job {
  /** Tells the events of this run from late ones of a cancelled run. */
  readonly id: number;
  readonly source: Source;
  /** `performance.now()` at the start. */
  readonly startedAt: number;
  readonly stages: Readonly<Partial<Record<StageName, Progress>>>;
  /** The newest turns of the part that is done; null until there are some to go by. */
  readonly preview: Preview | null;
}

/** One recording with its turns, as they came: computed here, or read from a file. Corrections are kept apart. */
export interface Outcome {
  /** Under this the work is kept in the browser. */
  readonly id: string;
  readonly name: string;
  /** The sound; null where only a file of turns was opened. */
  readonly blob: Blob | null;
  /** What the engine gave; null where the turns come from a file. */
  readonly result: DiarizationResult | null;
  /** What corrections start from. */
  readonly annotation: Annotation;
  /** As {@link Source.companions}; taken when the result is first shown, and not kept. */
  readonly companions?: readonly File[];
  /** What was chosen for the run; null where the turns come from a file. */
  readonly options: RunOptions | null;
  /** Wall time of the engine's work, without the fetch of the sample; null where there was none. */
  readonly processingSeconds: number | null;
}

export type Phase =
  | { readonly kind: 'empty' }
  | { readonly kind: 'loading' | 'running'; readonly job: Job }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'error'; readonly failure: Failure; readonly source: Source };

/** A sentence that is made when it is needed, such as one with the name of a file. */
export interface Said {
  readonly said: string;
}

/** A result that this browser keeps. */
export interface KeptEntry {
  readonly id: string;
  readonly name: string;
  readonly durationSeconds: number;
  readonly numSpeakers: number;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  readonly bytes: number;
  readonly hasSound: boolean;
}

export interface State {
  readonly phase: Phase;
  readonly options: RunOptions;
  readonly optionsOpen: boolean;
  readonly models: ModelsState;
  /** The last result that was computed. Kept whatever happens next, so that a failing file loses nothing. */
  readonly lastOutcome: Outcome | null;
  readonly notice: Notice | Said | null;
  /** What was done here before, newest first. */
  readonly kept: readonly KeptEntry[];
}

export type Action =
  | ModelsAction
  | { readonly type: 'started'; readonly id: number; readonly source: Source; readonly at: number }
  | { readonly type: 'progressed'; readonly id: number; readonly progress: Progress }
  | { readonly type: 'previewed'; readonly id: number; readonly preview: Preview }
  | { readonly type: 'finished'; readonly id: number; readonly outcome: Outcome }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'cancelled'; readonly id: number }
  | { readonly type: 'options-changed'; readonly options: Partial<RunOptions> }
  | { readonly type: 'options-toggled'; readonly open: boolean }
  /** Work from a file, from this browser's store, or with its sound attached. */
  | { readonly type: 'opened'; readonly outcome: Outcome }
  | { readonly type: 'reset' }
  | { readonly type: 'returned' }
  | { readonly type: 'noticed'; readonly notice: Notice | Said }
  | { readonly type: 'kept-listed'; readonly kept: readonly KeptEntry[] }
  | { readonly type: 'kept-deleted'; readonly id: string }
  | { readonly type: 'notice-dismissed' };

/** What is kept in this browser, before the list has been read. Distinguished from an empty list by identity. */
export const NOT_LISTED: readonly KeptEntry[] = [];

export const INITIAL_STATE: State = {
  phase: { kind: 'empty' },
  options: { speakerMode: 'auto', exact: 2, min: 1, max: 4, backend: 'auto', preset: 'auto', speed: 'exact' },
  optionsOpen: false,
  models: INITIAL_MODELS,
  lastOutcome: null,
  notice: null,
  kept: NOT_LISTED,
};

/** The job in progress, if any. */
export function jobOf(state: State): Job | null {
  const { phase } = state;
  return phase.kind === 'loading' || phase.kind === 'running' ? phase.job : null;
}

export function reduce(state: State, action: Action): State {
  const job = jobOf(state);
  const { models } = state;
  switch (action.type) {
    case 'started': {
      if (job) return { ...state, notice: 'busy' };
      const { id, source, at: startedAt } = action;
      // The hint that only the first of several files is taken is raised with the start and must stay.
      const notice = state.notice === 'first-only' ? state.notice : null;
      return {
        ...state,
        phase: { kind: 'loading', job: { id, source, startedAt, stages: {}, preview: null } },
        // Who starts a recording while the model is on its way wants this recording done with it, after a retry too.
        options: models.preparing?.file === null ? { ...state.options, preset: 'community-1' } : state.options,
        models: { ...models, failure: null },
        notice,
      };
    }
    case 'progressed': {
      if (job?.id !== action.id) return state;
      const stages = { ...job.stages, [action.progress.stage]: action.progress };
      return { ...state, phase: { kind: 'running', job: { ...job, stages } }, models: afterDownload(models, true) };
    }
    case 'previewed':
      if (job?.id !== action.id) return state;
      return { ...state, phase: { kind: 'running', job: { ...job, preview: action.preview } } };
    case 'finished':
      if (job?.id !== action.id) return state;
      return {
        ...state,
        phase: { kind: 'done', outcome: action.outcome },
        lastOutcome: action.outcome,
        models: afterDownload(models, true),
        notice: null,
      };
    case 'failed':
      if (job?.id !== action.id) return state;
      return {
        ...state,
        phase: { kind: 'error', failure: action.failure, source: job.source },
        models: afterDownload(models, false),
        notice: null,
      };
    case 'cancelled':
      if (job?.id !== action.id) return state;
      return {
        ...state,
        phase: { kind: 'empty' },
        models: afterStop(models),
        notice: models.download ? 'download-stopped' : 'cancelled',
      };
    case 'options-changed':
      return { ...state, options: { ...state.options, ...action.options }, notice: null };
    case 'options-toggled':
      return state.optionsOpen === action.open ? state : { ...state, optionsOpen: action.open };
    case 'opened':
      if (job) return { ...state, notice: 'busy' };
      return { ...state, phase: { kind: 'done', outcome: action.outcome }, lastOutcome: action.outcome, notice: null };
    case 'reset':
      // A run is ended by cancelling it: leaving it by another way would orphan the work.
      return job ? state : { ...state, phase: { kind: 'empty' }, notice: null };
    case 'returned':
      if (job || !state.lastOutcome) return state;
      return {
        ...state,
        phase: { kind: 'done', outcome: state.lastOutcome },
        notice: null,
      };
    case 'noticed':
      return { ...state, notice: action.notice };
    case 'kept-listed':
      return { ...state, kept: action.kept };
    case 'kept-deleted':
      return state.lastOutcome?.id === action.id ? { ...state, lastOutcome: null } : state;
    case 'notice-dismissed':
      return state.notice === null ? state : { ...state, notice: null };
    default:
      return afterModels(state, action);
  }
}

/** The models' own state, and what of the page hangs on it: the choice of preset, and a word on what happened. */
function afterModels(state: State, action: ModelsAction): State {
  const models = reduceModels(state.models, action);
  if (models === state.models) return state;
  const next = { ...state, models };
  switch (action.type) {
    case 'preparing-started':
      return { ...next, notice: null };
    case 'prepared':
      return { ...next, options: { ...state.options, preset: 'community-1' }, notice: jobOf(state) ? state.notice : 'preset-ready' };
    case 'preparing-stopped':
      return { ...next, notice: state.models.download ? 'download-stopped' : state.notice };
    case 'model-deleted': {
      const preset = state.options.preset === 'community-1' ? 'auto' : state.options.preset;
      return { ...next, options: { ...state.options, preset }, notice: 'model-deleted' };
    }
    default:
      return next;
  }
}

/** The engine that a recording is to run on now. */
export function engineRequest({ options, models }: State): EngineRequest {
  if (models.preparing) {
    const { backend, speed, file } = models.preparing;
    return { backend, preset: 'community-1', speed, file };
  }
  const { backend, preset, speed } = options;
  const { file } = models;
  // Automatic takes what is here, and a file that the browser could not keep is here too.
  return file && preset !== 'campplus' ? { backend, preset: 'community-1', speed, file } : { backend, preset, speed, file: null };
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;

/** What is wrong with the options, before anything is run with them. */
export function optionsProblem(options: RunOptions): Notice | null {
  const { speakerMode, exact, min, max } = options;
  if (speakerMode === 'exact' && !isCount(exact)) return 'options-number';
  if (speakerMode === 'range') {
    if (!isCount(min) || !isCount(max)) return 'options-number';
    if (min > max) return 'options-range';
  }
  return null;
}

/** The part of the options that goes to `diarize`. */
export function diarizeOptions(
  options: RunOptions,
): Pick<DiarizeOptions, 'speakers' | 'minSpeakers' | 'maxSpeakers'> {
  switch (options.speakerMode) {
    case 'auto':
      return {};
    case 'exact':
      return { speakers: options.exact };
    case 'range':
      return { minSpeakers: options.min, maxSpeakers: options.max };
  }
}

/** Which ways out of a failure make sense. */
export function recoveries(failure: Failure, options: RunOptions): Recoveries {
  const onGpu = options.backend !== 'wasm';
  const none = { retry: false, wasm: false, options: false, bundled: false };
  // What ships with the page needs no network, and no file that may be wrong.
  const bundled = options.preset !== 'campplus';
  switch (failure.code) {
    case 'backend-unavailable':
    case 'backend-failed':
      return { ...none, wasm: onGpu, options: true };
    case 'model-output':
      return { ...none, wasm: onGpu, options: true, bundled };
    case 'worker-failed':
      return { ...none, retry: true, wasm: onGpu };
    case 'options':
      return { ...none, options: true };
    case 'model-missing':
    case 'model-download':
    case 'model-altered':
    case 'model-invalid':
      return { ...none, retry: true, bundled };
    case 'audio-missing':
    case 'source-missing':
    case 'disposed':
    case null:
      return { ...none, retry: true };
    default:
      // What is left is wrong with the file itself, and stays wrong.
      return none;
  }
}

export interface Recoveries {
  readonly retry: boolean;
  readonly wasm: boolean;
  readonly options: boolean;
  /** Again with the preset that ships with the page. */
  readonly bundled: boolean;
}
