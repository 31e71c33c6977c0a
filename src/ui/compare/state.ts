import type { AuditReport } from '../../compare/auditReport';
import type { Tolerance } from '../../compare/compare';
import type { Pair, StagePicture } from '../../compare/picture';
import type { BetweenReport, BisectReport, ComparisonReport, RuntimeBackend } from '../../compare/report';
import type { ComparisonProgress, Opened } from '../../pipeline/comparatorTypes';
import type { Failure } from '../state';
import { defaultPair, defaultStage } from './selection';

/**
 * The panel's state machine. Pure, as the main page's. Files are opened, then any of the jobs can be run; each adds
 * its result to what is there, and none takes anything away.
 */

export type JobKind = 'open' | 'map' | 'compare' | 'audit' | 'bisect';

/** What runs. One at a time: the models use every core. */
export interface Job {
  /** Tells the events of this job from late ones of a cancelled job. */
  readonly id: number;
  readonly kind: JobKind;
  /** What it works on, for people: a file, a stage, a backend. */
  readonly subject: string;
  /** `performance.now()` at the start. */
  readonly startedAt: number;
  readonly progress: ComparisonProgress | null;
}

export type BackendSelection = RuntimeBackend | 'both';

export interface RunChoice {
  readonly backends: BackendSelection;
  readonly isThorough: boolean;
  /** Of the bisection; null for the engine's own. */
  readonly bisectTolerance: number | null;
}

/** How the heatmap's colours follow the error. */
export type HeatScale = 'log' | 'linear';

/** Which stage is looked at, and how. */
export interface Look {
  readonly stage: string | null;
  readonly pair: Pair;
  /** Frame of the slice; null for the worst. */
  readonly column: number | null;
  readonly scale: HeatScale;
}

/** Which stages the table shows. */
export interface Filter {
  readonly onlyFailing: boolean;
  /** Words that the name of a stage must contain, in any case; empty for all stages. */
  readonly search: string;
}

export interface Reports extends Readonly<Record<RuntimeBackend, ComparisonReport | null>> {
  /** Absent if a diarizer has no kernels for the graph. */
  readonly kernels?: ComparisonReport | null;
}

export type Notice = 'busy' | 'cancelled';

export interface State {
  readonly job: Job | null;
  readonly opened: Opened | null;
  /** Why WebGPU cannot be chosen; null where it can. */
  readonly webgpuMissing: string | null;
  readonly choice: RunChoice;
  /** As computed: judged by the bundle's tolerances. */
  readonly reports: Reports;
  /** WASM against WebGPU; empty before both ran. */
  readonly between: readonly BetweenReport[];
  /** Edited in the view, by stage. Never part of what is computed. */
  readonly tolerances: ReadonlyMap<string, Tolerance>;
  readonly filter: Filter;
  readonly look: Look;
  readonly picture: StagePicture | null;
  /** Why there is no picture of the stage looked at. */
  readonly pictureFailure: Failure | null;
  readonly audit: AuditReport | null;
  readonly onlyFlagged: boolean;
  readonly bisect: BisectReport | null;
  readonly environment: Readonly<Record<string, string>> | null;
  /** Of the last job. What earlier ones computed stays. */
  readonly failure: Failure | null;
  readonly failedJob: JobKind | null;
  readonly notice: Notice | null;
}

export type Action =
  | { readonly type: 'started'; readonly id: number; readonly kind: JobKind; readonly subject: string; readonly at: number }
  | { readonly type: 'progressed'; readonly id: number; readonly progress: ComparisonProgress }
  | { readonly type: 'opened'; readonly id: number; readonly opened: Opened }
  | { readonly type: 'mapped'; readonly id: number; readonly opened: Opened }
  | { readonly type: 'reported'; readonly id: number; readonly report: ComparisonReport }
  | { readonly type: 'compared'; readonly id: number; readonly between: readonly BetweenReport[] }
  | { readonly type: 'audited'; readonly id: number; readonly audit: AuditReport }
  | { readonly type: 'bisected'; readonly id: number; readonly bisect: BisectReport }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'cancelled'; readonly id: number }
  | { readonly type: 'environment'; readonly environment: Readonly<Record<string, string>> }
  | { readonly type: 'webgpu-missing'; readonly reason: string }
  | { readonly type: 'choice-changed'; readonly choice: Partial<RunChoice> }
  | { readonly type: 'looked'; readonly look: Partial<Look> }
  | { readonly type: 'filtered'; readonly filter: Partial<Filter> }
  | { readonly type: 'pictured'; readonly picture: StagePicture }
  | { readonly type: 'picture-failed'; readonly failure: Failure }
  | { readonly type: 'tolerances-changed'; readonly tolerances: ReadonlyMap<string, Tolerance> }
  | { readonly type: 'flagged-toggled'; readonly onlyFlagged: boolean }
  | { readonly type: 'broke'; readonly failure: Failure }
  | { readonly type: 'failure-dismissed' }
  | { readonly type: 'notice-dismissed' }
  | { readonly type: 'reset' };

const NO_RESULTS = {
  reports: { wasm: null, webgpu: null },
  between: [],
  tolerances: new Map<string, Tolerance>(),
  filter: { onlyFailing: false, search: '' },
  look: { stage: null, pair: 'golden-wasm', column: null, scale: 'log' },
  picture: null,
  pictureFailure: null,
  audit: null,
  onlyFlagged: true,
  bisect: null,
} as const satisfies Partial<State>;

export const INITIAL_STATE: State = {
  ...NO_RESULTS,
  job: null,
  opened: null,
  webgpuMissing: null,
  choice: { backends: 'both', isThorough: false, bisectTolerance: null },
  environment: null,
  failure: null,
  failedJob: null,
  notice: null,
};

/** In one word, for styles and tests. */
export function stateName({ job, opened, reports, audit, bisect }: State): 'empty' | 'opening' | 'opened' | 'running' | 'done' {
  if (job) return job.kind === 'open' ? 'opening' : 'running';
  if (!opened) return 'empty';
  return reports.wasm || reports.webgpu || audit || bisect ? 'done' : 'opened';
}

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'started': {
      if (state.job) return { ...state, notice: 'busy' };
      const { id, kind, subject, at: startedAt } = action;
      return { ...state, job: { id, kind, subject, startedAt, progress: null }, failure: null, notice: null };
    }
    case 'progressed':
    case 'opened':
    case 'mapped':
    case 'reported':
    case 'compared':
    case 'audited':
    case 'bisected':
    case 'failed':
    case 'cancelled':
      return state.job?.id === action.id ? reduceJob(state, state.job, action) : state;
    case 'environment':
      return { ...state, environment: action.environment };
    case 'webgpu-missing':
      return { ...state, webgpuMissing: action.reason, choice: { ...state.choice, backends: 'wasm' } };
    case 'choice-changed': {
      const choice = { ...state.choice, ...action.choice };
      return { ...state, choice: state.webgpuMissing === null ? choice : { ...choice, backends: 'wasm' } };
    }
    case 'looked':
      return reduceLook(state, action.look);
    case 'filtered':
      return { ...state, filter: { ...state.filter, ...action.filter } };
    case 'pictured':
      return { ...state, picture: action.picture, pictureFailure: null };
    case 'picture-failed':
      return { ...state, picture: null, pictureFailure: action.failure };
    case 'tolerances-changed':
      return { ...state, tolerances: action.tolerances };
    case 'flagged-toggled':
      return { ...state, onlyFlagged: action.onlyFlagged };
    case 'broke':
      return { ...state, failure: action.failure, failedJob: null };
    case 'failure-dismissed':
      return { ...state, failure: null };
    case 'notice-dismissed':
      return { ...state, notice: null };
    case 'reset':
      // A job is ended by cancelling it: leaving it by another way would orphan the work.
      if (state.job) return state;
      return { ...INITIAL_STATE, webgpuMissing: state.webgpuMissing, choice: state.choice, environment: state.environment };
  }
}

/** What the job that runs tells. */
function reduceJob(state: State, job: Job, action: Extract<Action, { readonly id: number }>): State {
  switch (action.type) {
    case 'progressed':
      return { ...state, job: { ...job, progress: action.progress } };
    case 'opened':
      return { ...state, ...NO_RESULTS, job: null, opened: action.opened };
    case 'mapped':
      // The results are of the stages before. The audit is of the weights.
      return { ...state, ...NO_RESULTS, audit: state.audit, onlyFlagged: state.onlyFlagged, tolerances: state.tolerances, filter: state.filter, job: null, opened: action.opened };
    case 'reported':
      // What was between the old pair of reports is not between the new.
      return { ...state, reports: { ...state.reports, [action.report.backend]: action.report }, between: [], picture: null };
    case 'compared': {
      const next = { ...state, job: null, between: action.between };
      const look = { ...next.look, stage: defaultStage(next), pair: defaultPair(next), column: null };
      return { ...next, look, picture: null, pictureFailure: null };
    }
    case 'audited':
      return { ...state, job: null, audit: action.audit, onlyFlagged: action.audit.numFlagged > 0 };
    case 'bisected':
      return { ...state, job: null, bisect: action.bisect };
    case 'failed':
      return endEarly({ ...state, failure: action.failure, failedJob: job.kind });
    case 'cancelled':
      return endEarly({ ...state, notice: 'cancelled' });
    case 'started':
      return state;
  }
}

/** A comparison that ended after its first backend still has something to look at. */
function endEarly(state: State): State {
  const next = { ...state, job: null };
  return { ...next, look: { ...next.look, stage: defaultStage(next), pair: defaultPair(next) } };
}

function reduceLook(state: State, change: Partial<Look>): State {
  const look = { ...state.look, ...change };
  const isSamePlane = look.stage === state.look.stage && look.pair === state.look.pair;
  if (isSamePlane) return { ...state, look };
  // A heatmap of another stage under this stage's name would be a lie. The frame is the old stage's.
  return { ...state, look: { ...look, column: null }, picture: null, pictureFailure: null };
}
