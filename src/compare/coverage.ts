import type { GraphRunner } from './graphRunner';
import type { Plan } from './plan';
import type { Coverage, Outcome, UncomparedStage, Verdict } from './report';
import type { StageTensors } from './stages';
import type { Tensor } from './tensor';

/** Least share of the stages that must be compared for a verdict. */
const MIN_SHARE = 0.5;

/** How much of the goldens a plan compares. */
export function coverageOf({ stages, unmapped, merged, outputs }: Plan): Coverage {
  const comparedOutputs = stages.filter(({ value }) => outputs.includes(value));
  // A bundle may hold stages from inside of the network only.
  const results = comparedOutputs.length === 0 && unmapped.length === 0 ? stages : comparedOutputs;
  return {
    compared: stages.length,
    total: stages.length + unmapped.length,
    isOutputCompared: results.some(({ golden }) => canProve(golden)),
    uncompared: unmapped.map(({ name }): UncomparedStage => ({ name, mergedWith: merged.get(name) ?? null })),
  };
}

/** Whether a match proves anything: if the original gives nothing but NaN, so does any port of it. */
export const canProve = ({ data }: Tensor): boolean => data.length === 0 || data.some(Number.isFinite);

/** Whether enough was compared for a verdict: at least half of the stages, and an output of the graph. */
export const isSufficient = ({ compared, total, isOutputCompared }: Coverage): boolean =>
  isOutputCompared && compared >= MIN_SHARE * total;

/** Verdict on a comparison: a pass becomes `incomplete` if too little was compared. */
export const outcomeOf = (verdict: Verdict, coverage: Coverage): Outcome =>
  verdict === 'pass' && !isSufficient(coverage) ? 'incomplete' : verdict;

/** `7 of 38 stages`, for people. */
export const countText = ({ compared, total }: Coverage): string => `${compared} of ${total} stages`;

/**
 * Stages of the bundle that were not compared and lie between a stage and the golden values that it was computed from. If
 * the stage is wrong, one of them may be the first wrong one.
 */
export function gapBefore({ planned, feeds }: StageTensors, { unmapped, stages, bundleOrder }: Plan, graph: GraphRunner): string[] {
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
