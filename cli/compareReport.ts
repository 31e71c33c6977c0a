/** The report of `compare`: one document for all backends, its exit status, and its text. */
import { countText, isSufficient, outcomeOf, worseDecisions } from '../src/compare/verdict';
import type { BackendName, BetweenReport, ComparisonReport, Coverage, ErrorQuantiles, StageReport } from '../src/compare/report';
import type { ErrorParts } from '../src/util/errors';
import type { StepsReport } from '../src/compare/steps/stepsReport';
import { decisionLines, decisionSentence } from './decisionText';
import { stepLines } from './stepText';

/** The report of one backend. For both backends, it has the worse result of each stage, and `runs` has both reports. */
export type Document = Omit<ComparisonReport, 'backend'> & {
  readonly backend: BackendName | 'both';
  /** Assumptions and rounding made while reading the goldens. */
  readonly notes: readonly string[];
  /** Backends on which nothing could be compared. */
  readonly failures: readonly BackendFailure[];
  readonly runs?: readonly ComparisonReport[];
  readonly between?: readonly BetweenReport[];
  /** Report of the kernels that the diarizer runs on WASM; absent if it has none for this graph. */
  readonly kernels?: ComparisonReport;
  /** Reports of all recorded steps, one per backend; absent for a model without a state. The stages are those of one step. */
  readonly steps?: readonly StepsReport[];
};

interface BackendFailure {
  readonly backend: BackendName;
  readonly error: ErrorParts;
}

/** The reports of the backends, from the page. */
export interface Runs {
  readonly runs: readonly ComparisonReport[];
  readonly failures: readonly BackendFailure[];
  readonly between: readonly BetweenReport[] | null;
  /** Null if the diarizer has no kernels for this graph, or WASM was not requested. */
  readonly kernels?: ComparisonReport | null;
  /** Null for a model without a state. */
  readonly steps?: readonly StepsReport[] | null;
  readonly notes: readonly string[];
}

/** Merges the reports of all backends that ran; at least one is required. */
export function documentOf({ kernels, steps, ...runs }: Runs): Document {
  const document = withSteps(documentOfRuntime(runs), steps ?? null);
  if (!kernels) return document;
  const isOnlyKernels = kernels.verdict === 'fail' && document.verdict !== 'fail';
  return {
    ...document,
    kernels,
    seconds: document.seconds + kernels.seconds,
    ...(isOnlyKernels && { verdict: 'fail', firstDivergence: kernels.firstDivergence }),
  };
}

/** The state may be wrong although every stage of the reported step is right. */
function withSteps(document: Document, steps: readonly StepsReport[] | null): Document {
  if (!steps) return document;
  const first = steps.find((report) => report.first !== null)?.first;
  return { ...document, steps, ...(first && { verdict: 'fail' as const, firstDivergence: document.firstDivergence ?? first.stage }) };
}

function documentOfRuntime({ runs, failures, between, notes }: Omit<Runs, 'kernels'>): Document {
  const [first, second] = runs as [ComparisonReport, ComparisonReport | undefined];
  if (!second || !between) return { ...first, notes, failures };
  const stages = first.stages.map((stage, index) => worse(stage, second.stages[index]!));
  // Both backends run the same graph, so the earlier divergence is the first.
  const divergences = runs.map(({ firstDivergence }) => firstDivergence);
  return {
    ...first,
    decisions: worseDecisions(runs),
    backend: 'both',
    adapter: second.adapter,
    verdict: outcomeOf(runs.some(({ verdict }) => verdict === 'fail') ? 'fail' : 'pass', first.coverage),
    firstDivergence: stages.find(({ name }) => divergences.includes(name))?.name ?? null,
    seconds: first.seconds + second.seconds,
    stages,
    notes,
    failures,
    runs,
    between,
  };
}

function worse(one: StageReport, other: StageReport): StageReport {
  if (one.verdict !== other.verdict) return one.verdict === 'fail' ? one : other;
  // A stage that causes the error is more informative than one that inherits it.
  if (one.inherited !== other.inherited) return one.inherited ? other : one;
  return (other.maxAbs ?? Infinity) > (one.maxAbs ?? Infinity) ? other : one;
}

/** 0 if all stages pass, 1 if one fails, 2 if too little was compared or one backend failed and the other one passes. */
export function exitStatusOf({ coverage, verdict, failures }: Document): 0 | 1 | 2 {
  if (!isSufficient(coverage)) return 2;
  if (verdict === 'fail') return 1;
  return failures.length > 0 ? 2 : 0;
}

/** Readable text with model, backend, decisions and verdict. */
export function verdictText({ decisions, model, backend, adapter, verdict, firstDivergence, coverage }: Document): string {
  const where = [backend, adapter].filter(Boolean).join(', ');
  const parts = [
    verdict,
    ...(firstDivergence === null ? [] : [`first divergence ${firstDivergence}`]),
    ...(coverage.uncompared.length > 0 ? [`compared ${countText(coverage)}`] : []),
  ];
  const sentence = decisionSentence(decisions);
  return `${model} on ${where}: ${sentence === null ? '' : `${sentence}; `}${parts.join(', ')}`;
}

/** The report as text. */
export function describe(report: Document): string {
  const { coverage, firstDivergence, stages, runs } = report;
  const gap = stages.find(({ name }) => name === firstDivergence)?.uncomparedBefore ?? [];
  const head = [
    `${verdictText(report)} (${report.seconds.toFixed(1)} s)`,
    ...(gap.length > 0 ? [`  the first divergence may be earlier: not compared before ${firstDivergence} are ${someOf(gap)}`] : []),
    ...(coverage.isOutputCompared ? [] : ['  no output of the graph was compared']),
  ].join('\n');
  const lines = runs ? runs.flatMap((run) => [`\n${run.backend}`, ...runLines(run)]) : runLines({ decisions: report.decisions, stages });
  const ofSteps = (report.steps ?? []).flatMap(stepLines);
  return [head, ...ofSteps, ...lines, ...(report.kernels ? kernelLines(report.kernels, runs ?? [report]) : []), ''].join('\n');
}

/** One line for the kernels. If they fail in a stage that passes on the runtime, also one line per stage. */
function kernelLines({ verdict, firstDivergence, stages, coverage }: ComparisonReport, runs: readonly Pick<ComparisonReport, 'stages'>[]): string[] {
  const failing = new Set(runs.flatMap((run) => run.stages.filter((stage) => stage.verdict === 'fail').map(({ name }) => name)));
  const isOwnFault = stages.some((stage) => stage.verdict === 'fail' && !failing.has(stage.name));
  const parts = [
    verdict,
    ...(firstDivergence === null ? [] : [`first divergence ${firstDivergence}`]),
    ...(coverage.uncompared.length > 0 ? [`compared ${countText(coverage)}`] : []),
  ];
  return [`own kernels (WASM): ${parts.join(', ')}`, ...(isOwnFault ? stages.flatMap(stageLines) : [])];
}

function runLines({ decisions, stages }: Pick<ComparisonReport, 'decisions' | 'stages'>): string[] {
  const passing = new Set(stages.filter(({ verdict }) => verdict === 'pass').map(({ name }) => name));
  return [...decisionLines(decisions, (stage) => passing.has(stage)), ...stages.flatMap(stageLines)];
}

/** Lists the uncompared stages with the reason. */
export function uncomparedLines({ uncompared }: Coverage): string[] {
  const merged = uncompared.filter(({ mergedWith }) => mergedWith !== null);
  const unknown = uncompared.filter(({ mergedWith }) => mergedWith === null);
  return [
    ...(unknown.length > 0 ? [`not compared, because no value of the graph is known for these stages (see --map): ${someOf(unknown.map(({ name }) => name))}`] : []),
    ...(merged.length > 0
      ? [`compared only as part of the stage after them, because the exporter merged the two: ${someOf(merged.map(({ name, mergedWith }) => `${name} (with ${mergedWith})`))}`]
      : []),
  ];
}

const MAX_NAMES = 12;

const someOf = (names: readonly string[]): string =>
  names.length <= MAX_NAMES ? names.join(', ') : `${names.slice(0, MAX_NAMES).join(', ')} and ${names.length - MAX_NAMES} more`;

/** Whether a stage passes only because its errors are at most `atol`. */
const isByFloor = ({ verdict, relative, tolerance: { rtol } }: StageReport): boolean =>
  verdict === 'pass' && rtol !== undefined && !((relative ?? Infinity) <= rtol);

function stageLines(stage: StageReport): string[] {
  const { name, verdict, inherited, maxAbs, relative, cosine, quantiles, shape, goldenShape, shapesFit, causes, notes } = stage;
  const figures = shapesFit
    ? `max abs ${maxAbs?.toExponential(2) ?? 'not finite'}, relative ${relative?.toExponential(1) ?? 'not finite'}, cosine ${cosine?.toFixed(6) ?? 'not finite'}`
    : `(${shape.join(', ')}) against golden (${goldenShape.join(', ')})`;
  return [
    `  ${verdict} ${name.padEnd(14)} ${figures}${inherited ? ', inherited' : ''}${isByFloor(stage) ? `, passes by atol ${stage.tolerance.atol?.toPrecision(2)}` : ''}`,
    ...(verdict === 'fail' && quantiles ? [`       errors: ${quantileText(quantiles)}`] : []),
    ...causes.map(({ id, evidence }) => `       ${id}: ${evidence}`),
    ...notes.map((note) => `       note: ${note}`),
  ];
}

const quantileText = ({ median, p90, p99 }: ErrorQuantiles): string =>
  ([['50 %', median], ['90 %', p90], ['99 %', p99]] as const).map(([share, error]) => `${share} at most ${error.toExponential(2)}`).join(', ');
