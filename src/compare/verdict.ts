import { numbersOf } from '../util/numberTypes';
import type { Tolerance } from './compare';
import type { ValueRunner } from './graphRunner';
import { judgeMeasures } from './measure';
import type { Plan, StageTensors } from './plan';
import type {
  ComparisonReport,
  Coverage,
  DecisionReport,
  Outcome,
  StageReport,
  UncomparedStage,
  Verdict,
} from './report';
import { type Tensor, valuesOf } from './tensor';

/** Minimum share of the stages that must be compared for a verdict. */
const MIN_SHARE = 0.5;

/** How much of the goldens a plan compares. */
export function coverageOf({ stages, unmapped, merged, outputs }: Plan): Coverage {
  const comparedOutputs = stages.filter(({ value }) => outputs.includes(value));
  // A bundle may hold only stages inside the network. A stage that was found only by its values may be the original's
  // output, which the graph changes further.
  const isInside = unmapped.length === 0 && !stages.some(({ foundBy }) => foundBy === 'values' || foundBy === 'same');
  const results = comparedOutputs.length === 0 && isInside ? stages : comparedOutputs;
  return {
    compared: stages.length,
    total: stages.length + unmapped.length,
    isOutputCompared: results.some(({ golden }) => canSelfCheck(golden)),
    uncompared: unmapped.map(({ name }): UncomparedStage => ({ name, mergedWith: merged.get(name) ?? null })),
  };
}

/** True if a match is evidence: if the original returns only NaN, so does any port of it. */
export const canSelfCheck = (tensor: Tensor): boolean => tensor.data.length === 0 || numbersOf(valuesOf(tensor)).some(Number.isFinite);

/** True if enough was compared for a verdict: at least half of the stages, and an output of the graph. */
export const isSufficient = ({ compared, total, isOutputCompared }: Coverage): boolean =>
  isOutputCompared && compared >= MIN_SHARE * total;

/** Verdict on a comparison: a pass becomes `incomplete` if too little was compared. */
export const outcomeOf = (verdict: Verdict, coverage: Coverage): Outcome =>
  verdict === 'pass' && !isSufficient(coverage) ? 'incomplete' : verdict;

/**
 * Number of stages that the exporter merged with a compared stage, such as a convolution with its batch norm. The same
 * nodes compute both, so the golden values of the other stage check these nodes.
 */
export const mergedCount = ({ uncompared }: Coverage): number => uncompared.filter(({ mergedWith }) => mergedWith !== null).length;

/** `7 of 38 stages`, for display; `45 of 49 stages, and 4 as part of another` if the exporter merged some. */
export function countText(coverage: Coverage): string {
  const merged = mergedCount(coverage);
  return `${coverage.compared} of ${coverage.total} stages${merged === 0 ? '' : `, and ${merged} as part of another`}`;
}

/**
 * Stages of the bundle that were not compared and lie between a stage and the golden values that it was computed from. If
 * the stage is wrong, one of them may be the first wrong one.
 */
export function gapBefore({ planned, feeds }: StageTensors, { unmapped, stages, bundleOrder }: Plan, graph: Pick<ValueRunner, 'inputsOf'>): string[] {
  if (unmapped.length === 0 || planned.isFeatures) return [];
  const places = new Map(bundleOrder.map((name, index) => [name, index]));
  const place = (name: string): number => places.get(name)!;
  const reads = graph.inputsOf(feeds, [planned.value]);
  const starts = reads.map((value) => {
    const from = stages.filter((stage) => stage.value === value && place(stage.golden.name) < place(planned.golden.name));
    return Math.max(-1, ...from.map(({ golden: { name } }) => place(name)));
  });
  const start = Math.min(place(planned.golden.name), ...starts);
  const isBetween = (name: string): boolean => place(name) > start && place(name) < place(planned.golden.name);
  return unmapped.map(({ name }) => name).filter(isBetween);
}

/** The result of a comparison, derived from the measures of its stages. */
export type Decision = Pick<ComparisonReport, 'stages' | 'firstDivergence'> & { readonly verdict: Verdict };

/**
 * Determines which stages fail, which only inherit a failure, and which is the first that is wrong on its own.
 *
 * A stage inherits its failure only from a failing upstream stage. If there is one, the stage is cleared if it passes on
 * the golden outputs of the preceding stages. It also counts as inheriting if no golden output could be injected. The first
 * divergence is the first stage that fails on golden input; if there is none, the first that fails and does not inherit.
 *
 * @param stages in graph order; each is judged by its `tolerance`
 */
export function decide(stages: readonly StageReport[]): Decision {
  const failing = new Set<string>();
  const judged = stages.map((stage): StageReport => {
    const verdict: Verdict = stage.shapesFit && judgeMeasures(stage, stage.tolerance) === 'pass' ? 'pass' : 'fail';
    const forced = stage.forced && { ...stage.forced, verdict: judgeMeasures(stage.forced, stage.tolerance) };
    const isDownstream = stage.upstream.some((name) => failing.has(name));
    if (verdict === 'fail') failing.add(stage.name);
    return { ...stage, verdict, forced, inherited: verdict === 'fail' && isDownstream && forced?.verdict !== 'fail' };
  });
  // Never empty if a stage fails: the first failing stage has nothing to inherit from.
  const blamed = judged.filter(({ verdict, inherited }) => verdict === 'fail' && !inherited);
  const first = blamed.find(({ forced }) => forced?.verdict !== 'pass') ?? blamed[0];
  return {
    stages: judged,
    verdict: first ? 'fail' : 'pass',
    firstDivergence: first?.name ?? null,
  };
}

/**
 * Judges the same report with other tolerances, for trials in the panel; stages without a new tolerance keep theirs.
 * Measures and causes stay the same.
 */
export function rejudge(report: ComparisonReport, tolerances: ReadonlyMap<string, Tolerance>): ComparisonReport {
  const stages = report.stages.map((stage) => ({ ...stage, tolerance: tolerances.get(stage.name) ?? stage.tolerance }));
  const decision = decide(stages);
  return { ...report, ...decision, verdict: outcomeOf(decision.verdict, report.coverage) };
}

/**
 * Combines several backends: for each output, the decisions of the backend with the most differing ones; if equal, the
 * first backend.
 */
export function worseDecisions(runs: readonly { readonly decisions: readonly DecisionReport[] }[]): DecisionReport[] {
  const byStage = new Map<string, DecisionReport>();
  for (const { decisions } of runs) {
    for (const one of decisions) {
      const known = byStage.get(one.stage);
      if (!known || one.differing > known.differing) byStage.set(one.stage, one);
    }
  }
  return [...byStage.values()];
}

/** Unit of the rows of an output: frames, items of a batch, or other rows. */
export function unitOf({ axes }: Pick<DecisionReport, 'axes'>): 'frame' | 'item' | 'row' {
  if (axes.includes('frame')) return 'frame';
  return axes.every((axis) => axis === 'batch') ? 'item' : 'row';
}
