import type { Annotation } from '../editing/annotation';
import type { StageName } from '../engine/stages';
import type { BackendChoice, DiarizationResult, DiarizeOptions, Preview, Progress, Speed } from '../engine/types';
import type { EngineRequest } from './engineKeeper';
import type { Failure } from '../ui-kit/failure';
import { isDownloaded, lacks, type PresetChoice } from './models/choices';
import { afterDownload, afterStop, INITIAL_MODELS, presetOfModel, reduceModels, type ModelsAction, type ModelsState } from './models/state';
import type { Notice } from '../ui-kit/texts/en';

/**
 * The state machine of the app. Pure: time and randomness are passed in with the actions, so every path can be
 * tested without a browser.
 *
 *   empty ──start──▶ loading ──progress──▶ running ──finished──▶ done
 *     ▲                 │ canceled / failed   │                    │
 *     └─────────────────┴──────▶ empty / error ◀──────new / start──┘
 */

/** A recording before it is loaded. A retry can load it again. */
export interface Source {
  readonly name: string;
  readonly load: (signal: AbortSignal) => Promise<Blob>;
  /** Number of the audio track to read. Default: the file's default track. */
  readonly track?: number;
  /** Files opened with the recording, such as a transcript. They apply to its result. */
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

interface Job {
  /** Distinguishes events of this run from late events of a canceled run. */
  readonly id: number;
  readonly source: Source;
  /** `performance.now()` at the start. */
  readonly startedAt: number;
  readonly stages: Readonly<Partial<Record<StageName, Progress>>>;
  /** The latest turns of the analyzed part; null before the first preview. */
  readonly preview: Preview | null;
}

/** One recording with its original turns, either computed here or read from a file. Corrections are stored separately. */
export interface Outcome {
  /** Key of the saved work in the browser. */
  readonly id: string;
  readonly name: string;
  /** The recording; null if only a file of turns was opened. */
  readonly blob: Blob | null;
  /** The result of the engine; null if the turns come from a file. */
  readonly result: DiarizationResult | null;
  /** The annotation before any corrections. */
  readonly annotation: Annotation;
  /** As {@link Source.companions}. Used when the result is first shown, and not saved. */
  readonly companions?: readonly File[];
  /** The options of the run; null if the turns come from a file. */
  readonly options: RunOptions | null;
  /** Wall-clock time of the run in seconds, without fetching the sample; null if there was no run. */
  readonly processingSeconds: number | null;
}

type Phase =
  | { readonly kind: 'empty' }
  | { readonly kind: 'loading' | 'running'; readonly job: Job }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'error'; readonly failure: Failure; readonly source: Source };

/** A notice composed at run time, for example with a file name. */
interface Said {
  readonly said: string;
}

/** A result saved in this browser. */
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
  /** The last result. Kept even if a later file fails. */
  readonly lastOutcome: Outcome | null;
  readonly notice: Notice | Said | null;
  /** Saved results, newest first. */
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
  /** A result from a file, from the saved work, or with its recording added. */
  | { readonly type: 'opened'; readonly outcome: Outcome }
  | { readonly type: 'reset' }
  | { readonly type: 'returned' }
  | { readonly type: 'noticed'; readonly notice: Notice | Said }
  | { readonly type: 'kept-listed'; readonly kept: readonly KeptEntry[] }
  | { readonly type: 'kept-deleted'; readonly id: string }
  | { readonly type: 'notice-dismissed' };

/** The saved results before the list has been read. Distinguished from an empty list by identity. */
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
      // The notice that only the first of several files is used comes with the start and must stay.
      const notice = state.notice === 'first-only' ? state.notice : null;
      return {
        ...state,
        phase: { kind: 'loading', job: { id, source, startedAt, stages: {}, preview: null } },
        // A recording started during the download uses the downloaded model, also on a retry.
        options: models.preparing?.file === null ? { ...state.options, preset: models.preparing.preset } : state.options,
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
        notice: models.download?.step === 'download' ? 'download-stopped' : 'cancelled',
      };
    case 'options-changed':
      return { ...state, options: { ...state.options, ...action.options }, notice: null };
    case 'options-toggled':
      return state.optionsOpen === action.open ? state : { ...state, optionsOpen: action.open };
    case 'opened':
      if (job) return { ...state, notice: 'busy' };
      return { ...state, phase: { kind: 'done', outcome: action.outcome }, lastOutcome: action.outcome, notice: null };
    case 'reset':
      // Leaving a run without canceling it would orphan its work.
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

/** @param step of the preparation that was stopped; undefined before its first report */
function stopNotice(step: 'wait' | 'download' | 'convert' | undefined): Notice | null {
  if (step === undefined || step === 'wait') return null;
  return step === 'download' ? 'download-stopped' : 'conversion-stopped';
}

/** Updates the state of the models and the dependent parts: the chosen preset and the notice. */
function afterModels(state: State, action: ModelsAction): State {
  const models = reduceModels(state.models, action);
  if (models === state.models) return state;
  const next = { ...state, models };
  switch (action.type) {
    case 'preparing-started':
      return { ...next, notice: null };
    case 'prepared':
      return { ...next, options: { ...state.options, preset: state.models.preparing?.preset ?? state.options.preset }, notice: jobOf(state) ? state.notice : 'preset-ready' };
    case 'preparing-stopped':
      return { ...next, notice: stopNotice(state.models.download?.step) ?? state.notice };
    case 'model-deleted': {
      const preset = state.options.preset === presetOfModel(state.models, action.model) ? 'auto' : state.options.preset;
      return { ...next, options: { ...state.options, preset }, notice: 'model-deleted' };
    }
    default:
      return next;
  }
}

/** The options with those replaced that the preset does not have. The user's choices stay, for other presets. */
export function appliedOptions(options: RunOptions): RunOptions {
  const { preset, speed } = options;
  return { ...options, speed: lacks(preset, 'fast') ? 'exact' : speed };
}

/** The engine for the next run. */
export function engineRequest({ options, models }: State): EngineRequest {
  if (models.preparing) {
    const { backend, preset, speed, file } = models.preparing;
    return { backend, preset, speed, file };
  }
  const { backend, speed } = appliedOptions(options);
  // `auto` uses community-1 if its model is available, also as a chosen file that the browser could not store.
  const preset = options.preset === 'auto' && models.files['community-1'] ? 'community-1' : options.preset;
  return { backend, preset, speed, file: isDownloaded(preset) ? (models.files[preset] ?? null) : null };
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;

/** Validates the options before a run. Returns the notice to show; null if they are valid. */
export function optionsProblem(options: RunOptions): Notice | null {
  const { speakerMode, exact, min, max } = options;
  if (speakerMode === 'exact' && !isCount(exact)) return 'options-number';
  if (speakerMode === 'range') {
    if (!isCount(min) || !isCount(max)) return 'options-number';
    if (min > max) return 'options-range';
  }
  return null;
}

/** The options to pass to `diarize`. */
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

/** The recovery actions that make sense for a failure. */
export function recoveries(failure: Failure, options: RunOptions): Recoveries {
  const onGpu = options.backend !== 'wasm';
  const none = { retry: false, wasm: false, options: false, bundled: false };
  // The bundled preset needs no network and no model file that may be wrong.
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
      // All other failures are caused by the file itself.
      return none;
  }
}

interface Recoveries {
  readonly retry: boolean;
  readonly wasm: boolean;
  readonly options: boolean;
  /** Run again with the bundled preset. */
  readonly bundled: boolean;
}
