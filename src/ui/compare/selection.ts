import type { Tolerance } from '../../compare/compare';
import { worseDecisions } from '../../compare/decisions/worse';
import type { Pair } from '../../compare/picture';
import type { BackendName, BetweenReport, ComparisonReport, Coverage, DecisionReport, Measures, Outcome, RuntimeBackend, StageReport } from '../../compare/report';
import { rejudge } from '../../compare/verdict';
import type { Filter, State } from './state';

/** What follows from the state without being part of it. */

export const RUNTIMES = ['wasm', 'webgpu'] as const satisfies readonly RuntimeBackend[];
export const BACKENDS = [...RUNTIMES, 'kernels'] as const satisfies readonly BackendName[];

/** A stage with all that is known of it. */
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

/** The reports, judged by the tolerances that were edited where some were. */
export function shownReports({ reports, tolerances }: Pick<State, 'reports' | 'tolerances'>): State['reports'] {
  if (tolerances.size === 0) return reports;
  const judged = (report: ComparisonReport | null): ComparisonReport | null => report && rejudge(report, tolerances);
  return { wasm: judged(reports.wasm), webgpu: judged(reports.webgpu), kernels: judged(reports.kernels ?? null) };
}

/** Stages in the order of the graph; those that nothing was computed for come last. */
export function stageRows(state: State): readonly StageRow[] {
  const reports = shownReports(state);
  // By name, because a model can have hundreds of stages.
  const wasm = byName(reports.wasm?.stages ?? []);
  const webgpu = byName(reports.webgpu?.stages ?? []);
  const kernels = byName(reports.kernels?.stages ?? []);
  const between = byName(state.between);
  // The order is that of the first entry of a name, the data that of the last.
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

/** The stages that were compared, in the order of the graph. */
export const comparedRows = (state: State): readonly StageRow[] => stageRows(state).filter(({ wasm, webgpu }) => wasm ?? webgpu);

/** Whether the table shows a stage. */
export function isShown(row: StageRow, { onlyFailing, search }: Filter): boolean {
  if (onlyFailing && BACKENDS.every((backend) => row[backend]?.verdict !== 'fail')) return false;
  const letters = row.name.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => letters.includes(word));
}

export const stageOf = (report: ComparisonReport | null, name: string | null): StageReport | null =>
  report?.stages.find((stage) => stage.name === name) ?? null;

/** What two backends say together: an error of the export is on both, one of a backend on that backend alone. */
export type Reading = 'all-pass' | 'same-stage' | 'webgpu-only' | 'wasm-only' | 'kernels-only' | 'two-stages' | 'one-backend';

export interface Headline {
  readonly verdict: Outcome;
  /** The earliest over the backends. */
  readonly firstDivergence: string | null;
  readonly reading: Reading;
  /** Of each output, those of the backend with most that differ. */
  readonly decisions: readonly DecisionReport[];
  /** The same on every backend. */
  readonly coverage: Coverage;
  /** In the order wasm, webgpu, kernels; only those that ran. */
  readonly reports: readonly ComparisonReport[];
}

/** Null before anything was compared. */
export function headlineOf(state: State): Headline | null {
  const { wasm, webgpu, kernels } = shownReports(state);
  const reports = [wasm, webgpu, kernels ?? null].filter((report) => report !== null);
  if (reports.length === 0) return null;
  const order = stageRows(state).map(({ name }) => name);
  const diverging = reports.flatMap(({ firstDivergence }) => firstDivergence ?? []);
  const firstDivergence = order.find((name) => diverging.includes(name)) ?? null;
  // The kernels have few values; that they cover less of a bundle than the graph is no shortcoming of the comparison.
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

/** The pairs that both sides are computed of. */
export function availablePairs({ reports }: Pick<State, 'reports'>): readonly Pair[] {
  return [
    ...(reports.wasm ? (['golden-wasm'] as const) : []),
    ...(reports.webgpu ? (['golden-webgpu'] as const) : []),
    ...(reports.kernels ? (['golden-kernels'] as const) : []),
    ...(reports.wasm && reports.webgpu ? (['wasm-webgpu'] as const) : []),
  ];
}

/** The stage to look at after a comparison: the first that is wrong, else the one looked at before, else the first. */
export function defaultStage(state: State): string | null {
  const rows = comparedRows(state);
  const before = rows.find(({ name }) => name === state.look.stage);
  return headlineOf(state)?.firstDivergence ?? before?.name ?? rows[0]?.name ?? null;
}

/** The pair to look at: that of the backend where the first stage is wrong, else the one looked at before. */
export function defaultPair(state: State): Pair {
  const { reports, look } = state;
  const first = headlineOf(state)?.firstDivergence;
  const wrong = BACKENDS.find((backend) => first && reports[backend]?.firstDivergence === first);
  if (wrong) return `golden-${wrong}`;
  const pairs = availablePairs(state);
  return pairs.includes(look.pair) ? look.pair : (pairs[0] ?? look.pair);
}

/** The picture that the state asks for; null where there is none to be had. */
export interface PictureWanted {
  readonly stage: string;
  readonly pair: Pair;
  readonly column: number | null;
}

/** @returns null also while a job runs: its tensors are being replaced */
export function pictureWanted(state: State): PictureWanted | null {
  const { job, look, reports } = state;
  if (job || look.stage === null || !availablePairs(state).includes(look.pair)) return null;
  const sides = BACKENDS.filter((backend) => look.pair.includes(backend));
  if (!sides.every((backend) => stageOf(reports[backend] ?? null, look.stage))) return null;
  return { stage: look.stage, pair: look.pair, column: look.column };
}

/** Where and when the looked-at pair is worst, from the report and not from the picture, whose cells are coarser. */
export function worstOf(state: State): StageReport['worst'] {
  return measuresOf(state)?.worst ?? null;
}

/** The measures of the stage and pair that is looked at. */
export function measuresOf({ look, reports, between }: State): Measures | null {
  if (look.pair === 'wasm-webgpu') return between.find(({ name }) => name === look.stage) ?? null;
  const backend = BACKENDS.find((name) => look.pair === `golden-${name}`)!;
  return stageOf(reports[backend] ?? null, look.stage);
}
