import type { Tolerance } from '../compare/compare';
import type { Pair, StagePicture } from '../compare/picture';
import type {
  AuditReport,
  BackendName,
  BetweenReport,
  BisectReport,
  ComparisonReport,
  Coverage,
  DecisionReport,
  Measures,
  Outcome,
  RuntimeBackend,
  StageReport,
} from '../compare/report';
import type { StepsReport } from '../compare/steps/stepsReport';
import type { WeightsForm } from '../weights/convert';
import { rejudge, worseDecisions } from '../compare/verdict';
import type { ComparisonProgress, Opened } from '../engine/comparator';
import type { Failure } from '../ui-kit/failure';

// Values derived from the state.

export const RUNTIMES = ['wasm', 'webgpu'] as const satisfies readonly RuntimeBackend[];
export const BACKENDS = [...RUNTIMES, 'kernels'] as const satisfies readonly BackendName[];

/** A stage with its results on all backends. */
export interface StageRow {
  readonly name: string;
  readonly goldenShape: readonly number[];
  readonly tolerance: Tolerance;
  readonly isEdited: boolean;
  readonly wasm: StageReport | null;
  readonly webgpu: StageReport | null;
  readonly kernels?: StageReport | null;
  readonly between: BetweenReport | null;
}

/** The reports, judged by the edited tolerances if there are any. */
export function shownReports({ reports, tolerances }: Pick<State, 'reports' | 'tolerances'>): State['reports'] {
  if (tolerances.size === 0) return reports;
  const judged = (report: ComparisonReport | null): ComparisonReport | null => report && rejudge(report, tolerances);
  return { wasm: judged(reports.wasm), webgpu: judged(reports.webgpu), kernels: judged(reports.kernels ?? null) };
}

/** Stages in graph order. Stages without results come last. */
export function stageRows(state: State): readonly StageRow[] {
  const reports = shownReports(state);
  // Maps by name, because a model can have hundreds of stages.
  const wasm = byName(reports.wasm?.stages ?? []);
  const webgpu = byName(reports.webgpu?.stages ?? []);
  const kernels = byName(reports.kernels?.stages ?? []);
  const between = byName(state.between);
  // The order is that of the first entry with a name, the data that of the last one.
  const known = new Map<string, Pick<StageRow, 'goldenShape' | 'tolerance'>>([...wasm, ...webgpu, ...byName(state.opened?.goldens?.stages ?? []), ...webgpu, ...wasm]);
  return Array.from(known, ([name, { goldenShape, tolerance }]): StageRow => {
    return {
      name,
      goldenShape,
      tolerance: state.tolerances.get(name) ?? tolerance,
      isEdited: state.tolerances.has(name),
      wasm: wasm.get(name) ?? null,
      webgpu: webgpu.get(name) ?? null,
      kernels: kernels.get(name) ?? null,
      between: between.get(name) ?? null,
    };
  });
}

const byName = <Named extends { readonly name: string }>(list: readonly Named[]): Map<string, Named> =>
  new Map(list.map((one) => [one.name, one]));

/** The compared stages in graph order. */
export const comparedRows = (state: State): readonly StageRow[] => stageRows(state).filter(({ wasm, webgpu }) => wasm ?? webgpu);

/** Whether the table shows a stage. */
export function isShown(row: StageRow, { onlyFailing, search }: Filter): boolean {
  if (onlyFailing && BACKENDS.every((backend) => row[backend]?.verdict !== 'fail')) return false;
  const letters = row.name.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => letters.includes(word));
}

export const stageOf = (report: ComparisonReport | null, name: string | null): StageReport | null =>
  report?.stages.find((stage) => stage.name === name) ?? null;

/** The combined conclusion from the backends: an export error shows on both, a backend error only on that backend. */
export type Reading = 'all-pass' | 'same-stage' | 'webgpu-only' | 'wasm-only' | 'kernels-only' | 'two-stages' | 'one-backend';

export interface Headline {
  readonly verdict: Outcome;
  /** The earliest over all backends. */
  readonly firstDivergence: string | null;
  readonly reading: Reading;
  /** For each output, the decisions of the backend with the most differences. */
  readonly decisions: readonly DecisionReport[];
  /** The same on every backend. */
  readonly coverage: Coverage;
  /** The reports of the backends that ran, in the order wasm, webgpu, kernels. */
  readonly reports: readonly ComparisonReport[];
}

/** The headline; null before the first comparison. */
export function headlineOf(state: State): Headline | null {
  const { wasm, webgpu, kernels } = shownReports(state);
  const reports = [wasm, webgpu, kernels ?? null].filter((report) => report !== null);
  if (reports.length === 0) return null;
  const order = stageRows(state).map(({ name }) => name);
  const diverging = reports.flatMap(({ firstDivergence }) => firstDivergence ?? []);
  const firstDivergence = order.find((name) => diverging.includes(name)) ?? null;
  // The kernels only expose few values, so their lower coverage of the bundle does not make the comparison incomplete.
  const verdicts = reports.filter(({ backend, verdict }) => backend !== 'kernels' || verdict === 'fail').map(({ verdict }) => verdict);
  const verdict = (['fail', 'incomplete'] as const).find((one) => verdicts.includes(one)) ?? 'pass';
  return { decisions: worseDecisions(reports), verdict, firstDivergence, reading: readingOf(wasm, webgpu, kernels ?? null), coverage: reports[0]!.coverage, reports };
}

function readingOf(wasm: ComparisonReport | null, webgpu: ComparisonReport | null, kernels: ComparisonReport | null): Reading {
  if (kernels?.verdict === 'fail' && wasm?.verdict !== 'fail' && webgpu?.verdict !== 'fail') return 'kernels-only';
  if (!wasm || !webgpu) return 'one-backend';
  if (wasm.verdict !== 'fail') return webgpu.verdict !== 'fail' ? 'all-pass' : 'webgpu-only';
  if (webgpu.verdict !== 'fail') return 'wasm-only';
  return wasm.firstDivergence === webgpu.firstDivergence ? 'same-stage' : 'two-stages';
}

/** The pairs for which both sides are available. */
export function availablePairs({ reports }: Pick<State, 'reports'>): readonly Pair[] {
  return [
    ...(reports.wasm ? (['golden-wasm'] as const) : []),
    ...(reports.webgpu ? (['golden-webgpu'] as const) : []),
    ...(reports.kernels ? (['golden-kernels'] as const) : []),
    ...(reports.wasm && reports.webgpu ? (['wasm-webgpu'] as const) : []),
  ];
}

/** The stage to select after a comparison: the first failing one, else the selected one, else the first. */
function defaultStage(state: State): string | null {
  const rows = comparedRows(state);
  const before = rows.find(({ name }) => name === state.look.stage);
  return headlineOf(state)?.firstDivergence ?? before?.name ?? rows[0]?.name ?? null;
}

/** The pair to select: that of the backend on which the first stage fails, else the selected one. */
export function defaultPair(state: State): Pair {
  const { reports, look } = state;
  const first = headlineOf(state)?.firstDivergence;
  const wrong = BACKENDS.find((backend) => first && reports[backend]?.firstDivergence === first);
  if (wrong) return `golden-${wrong}`;
  const pairs = availablePairs(state);
  return pairs.includes(look.pair) ? look.pair : (pairs[0] ?? look.pair);
}

/** The picture to draw for the current selection. */
export interface PictureWanted {
  readonly stage: string;
  readonly pair: Pair;
  readonly column: number | null;
}

/** @returns null if there is none, and while a job runs, because its tensors are being replaced */
export function pictureWanted(state: State): PictureWanted | null {
  const { job, look, reports } = state;
  if (job || look.stage === null || !availablePairs(state).includes(look.pair)) return null;
  const sides = BACKENDS.filter((backend) => look.pair.includes(backend));
  if (!sides.every((backend) => stageOf(reports[backend] ?? null, look.stage))) return null;
  return { stage: look.stage, pair: look.pair, column: look.column };
}

/** The worst value of the selected pair. Taken from the report, because the cells of the picture are coarser. */
export function worstOf(state: State): StageReport['worst'] {
  return measuresOf(state)?.worst ?? null;
}

/** The measures of the selected stage and pair. */
export function measuresOf({ look, reports, between }: State): Measures | null {
  if (look.pair === 'wasm-webgpu') return between.find(({ name }) => name === look.stage) ?? null;
  const backend = BACKENDS.find((name) => look.pair === `golden-${name}`)!;
  return stageOf(reports[backend] ?? null, look.stage);
}

/*
 * The state machine of the panel. Pure, like that of the app. Files are opened, then any of the jobs can be run. Each
 * job adds its result and removes no other.
 */

export type JobKind = 'open' | 'form' | 'map' | 'step' | 'compare' | 'audit' | 'bisect';

/** The running job. There is only one at a time, because the models use all cores. */
interface Job {
  /** Distinguishes events of this job from late events of a canceled job. */
  readonly id: number;
  readonly kind: JobKind;
  /** Display name of its subject: a file, a stage, a backend. */
  readonly subject: string;
  /** `performance.now()` at the start. */
  readonly startedAt: number;
  readonly progress: ComparisonProgress | null;
}

export type BackendSelection = RuntimeBackend | 'both';

export interface RunChoice {
  readonly backends: BackendSelection;
  readonly isThorough: boolean;
  /** Tolerance of the bisection; null for the default of the engine. */
  readonly bisectTolerance: number | null;
}

/** Color scale of the heatmap. */
export type HeatScale = 'log' | 'linear';

/** The selected stage, and how it is shown. */
export interface Look {
  readonly stage: string | null;
  readonly pair: Pair;
  /** Frame of the slice; null for the worst. */
  readonly column: number | null;
  readonly scale: HeatScale;
}

/** The filter of the stage table. */
export interface Filter {
  readonly onlyFailing: boolean;
  /** Words that the stage name must contain, ignoring case; empty for all stages. */
  readonly search: string;
}

interface Reports extends Readonly<Record<RuntimeBackend, ComparisonReport | null>> {
  /** Absent if a diarizer has no kernels for the graph. */
  readonly kernels?: ComparisonReport | null;
}

export type Notice = 'busy' | 'cancelled';

export interface State {
  readonly job: Job | null;
  readonly opened: Opened | null;
  /** Form of the weights that were bound by name. */
  readonly form: WeightsForm;
  /** Why WebGPU is unavailable; null if it is available. */
  readonly webgpuMissing: string | null;
  readonly choice: RunChoice;
  /** The original reports, judged by the bundle's tolerances. */
  readonly reports: Reports;
  /** Reports of all steps of a model with a state. They do not depend on the selected step. */
  readonly steps: Readonly<Partial<Record<RuntimeBackend, StepsReport>>>;
  /** Comparison of WASM with WebGPU; empty until both have run. */
  readonly between: readonly BetweenReport[];
  /** Tolerances edited in the view, by stage. They do not affect the computed reports. */
  readonly tolerances: ReadonlyMap<string, Tolerance>;
  readonly filter: Filter;
  readonly look: Look;
  readonly picture: StagePicture | null;
  /** Why there is no picture of the selected stage. */
  readonly pictureFailure: Failure | null;
  readonly audit: AuditReport | null;
  readonly onlyFlagged: boolean;
  readonly bisect: BisectReport | null;
  readonly environment: Readonly<Record<string, string>> | null;
  /** Failure of the last job. Results of earlier jobs are kept. */
  readonly failure: Failure | null;
  readonly failedJob: JobKind | null;
  readonly notice: Notice | null;
}

export type Action =
  | { readonly type: 'started'; readonly id: number; readonly kind: JobKind; readonly subject: string; readonly at: number }
  | { readonly type: 'progressed'; readonly id: number; readonly progress: ComparisonProgress }
  | { readonly type: 'opened'; readonly id: number; readonly opened: Opened; readonly form?: WeightsForm }
  | { readonly type: 'mapped'; readonly id: number; readonly opened: Opened }
  | { readonly type: 'steps-reported'; readonly id: number; readonly report: StepsReport }
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
  steps: {},
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
  form: 'float32',
  webgpuMissing: null,
  choice: { backends: 'both', isThorough: false, bisectTolerance: null },
  environment: null,
  failure: null,
  failedJob: null,
  notice: null,
};

/** The state in one word, for styles and tests. */
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
    case 'steps-reported':
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
      // Leaving a job without canceling it would orphan its work.
      if (state.job) return state;
      return { ...INITIAL_STATE, webgpuMissing: state.webgpuMissing, choice: state.choice, environment: state.environment };
  }
}

/** Reduces an event of the running job. */
function reduceJob(state: State, job: Job, action: Extract<Action, { readonly id: number }>): State {
  switch (action.type) {
    case 'progressed':
      return { ...state, job: { ...job, progress: action.progress } };
    case 'opened':
      return { ...state, ...NO_RESULTS, job: null, opened: action.opened, form: action.form ?? 'float32' };
    case 'mapped':
      // The results refer to the previous stages, unlike the audit of the weights.
      return { ...state, ...NO_RESULTS, audit: state.audit, steps: state.steps, onlyFlagged: state.onlyFlagged, tolerances: state.tolerances, filter: state.filter, job: null, opened: action.opened };
    case 'steps-reported':
      return { ...state, steps: { ...state.steps, [action.report.backend]: action.report } };
    case 'reported':
      // The comparison between the old pair of reports is outdated.
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

/** Selects a stage after a comparison that ended after its first backend. */
function endEarly(state: State): State {
  const next = { ...state, job: null };
  return { ...next, look: { ...next.look, stage: defaultStage(next), pair: defaultPair(next) } };
}

function reduceLook(state: State, change: Partial<Look>): State {
  const look = { ...state.look, ...change };
  const isSamePlane = look.stage === state.look.stage && look.pair === state.look.pair;
  if (isSamePlane) return { ...state, look };
  // The picture and the frame belong to the previous stage.
  return { ...state, look: { ...look, column: null }, picture: null, pictureFailure: null };
}
