import type { ValueRunner } from './graphRunner';
import type { Plan } from './plan';
import type { Coverage, Outcome, UncomparedStage, Verdict } from './report';
import type { StageTensors } from './stages';
import { numbersOf } from '../util/exactValues';
import { valuesOf, type Tensor } from './tensor';

/** Least share of the stages that must be compared for a verdict. */
const MIN_SHARE = 0.5;

/** How much of the goldens a plan compares. */
export function coverageOf({ stages, unmapped, merged, outputs }: Plan): Coverage {
  const comparedOutputs = stages.filter(({ value }) => outputs.includes(value));
  // A bundle may hold stages from inside of the network only. A stage that was found by its values alone may be the
  // original's output, which the graph changes further.
  const isInside = unmapped.length === 0 && !stages.some(({ foundBy }) => foundBy === 'values' || foundBy === 'same');
  const results = comparedOutputs.length === 0 && isInside ? stages : comparedOutputs;
  return {
    compared: stages.length,
    total: stages.length + unmapped.length,
    isOutputCompared: results.some(({ golden }) => canProve(golden)),
    uncompared: unmapped.map(({ name }): UncomparedStage => ({ name, mergedWith: merged.get(name) ?? null })),
  };
}

/** Whether a match proves anything: if the original gives nothing but NaN, so does any port of it. */
export const canProve = (tensor: Tensor): boolean => tensor.data.length === 0 || numbersOf(valuesOf(tensor)).some(Number.isFinite);

/** Whether enough was compared for a verdict: at least half of the stages, and an output of the graph. */
export const isSufficient = ({ compared, total, isOutputCompared }: Coverage): boolean =>
  isOutputCompared && compared >= MIN_SHARE * total;

/** Verdict on a comparison: a pass becomes `incomplete` if too little was compared. */
export const outcomeOf = (verdict: Verdict, coverage: Coverage): Outcome =>
  verdict === 'pass' && !isSufficient(coverage) ? 'incomplete' : verdict;

/**
 * Stages that the exporter merged with one that was compared, such as a convolution with its batch norm: the same nodes compute
 * both, so the golden values of the other stage check these nodes.
 */
export const mergedCount = ({ uncompared }: Coverage): number => uncompared.filter(({ mergedWith }) => mergedWith !== null).length;

/** `7 of 38 stages`, for people; `45 of 49 stages, and 4 as part of another` if the exporter merged some. */
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
