import { outcomeOf } from './coverage';
import type { Tolerance } from './compare';
import { judgeMeasures } from './measure';
import type { ComparisonReport, StageReport, Verdict } from './report';

/** What is decided of a comparison, from the measures of its stages. */
export type Decision = Pick<ComparisonReport, 'stages' | 'firstDivergence'> & { readonly verdict: Verdict };

/**
 * Decides which stages fail, which only inherit that, and which is the first that is wrong by itself.
 *
 * A stage inherits its failure only from a failing stage that is upstream of it in the graph. If one is, the stage is
 * cleared if it passes on the golden output of the stages before it. It also counts as inheriting if no golden output could
 * be injected. The first divergence is the first stage that fails on golden input; if there is none, the first that fails
 * and does not inherit.
 *
 * @param stages in the order of the graph; their `tolerance` is what they are judged by
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
  // Never empty if a stage fails: the first that fails has nothing to inherit from.
  const blamed = judged.filter(({ verdict, inherited }) => verdict === 'fail' && !inherited);
  const first = blamed.find(({ forced }) => forced?.verdict !== 'pass') ?? blamed[0];
  return {
    stages: judged,
    verdict: first ? 'fail' : 'pass',
    firstDivergence: first?.name ?? null,
  };
}

/**
 * The same report judged by other tolerances, as somebody tries them in the panel; stages without one keep theirs.
 * Measures and causes stay as they were found.
 */
export function rejudge(report: ComparisonReport, tolerances: ReadonlyMap<string, Tolerance>): ComparisonReport {
  const stages = report.stages.map((stage) => ({ ...stage, tolerance: tolerances.get(stage.name) ?? stage.tolerance }));
  const decision = decide(stages);
  return { ...report, ...decision, verdict: outcomeOf(decision.verdict, report.coverage) };
}
