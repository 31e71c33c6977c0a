import type { Tolerance } from './compare';
import { judgeMeasures } from './measure';
import type { ComparisonReport, StageReport, Verdict } from './report';

/** What is decided of a comparison, from the measures of its stages. */
export type Decision = Pick<ComparisonReport, 'stages' | 'verdict' | 'firstDivergence'>;

/**
 * Decides which stages fail, which only inherit that, and which is the first that is wrong by itself.
 *
 * A stage that fails on its own computed input is cleared by passing on the golden output of the stages before it.
 * Where no golden output could be injected nothing clears or blames it, so it is taken to inherit if any stage before
 * it fails. If every failing stage is cleared, the error has accumulated, and the first that fails is named.
 *
 * @param stages in the order of the graph; their `tolerance` is what they are judged by
 */
export function decide(stages: readonly StageReport[]): Decision {
  let anyFailed = false;
  const judged = stages.map((stage): StageReport => {
    const verdict: Verdict = stage.shapesFit && judgeMeasures(stage, stage.tolerance) === 'pass' ? 'pass' : 'fail';
    const forced = stage.forced && { ...stage.forced, verdict: judgeMeasures(stage.forced, stage.tolerance) };
    const cleared = forced ? forced.verdict === 'pass' : anyFailed;
    anyFailed ||= verdict === 'fail';
    return { ...stage, verdict, forced, inherited: verdict === 'fail' && cleared };
  });
  const failed = judged.filter(({ verdict }) => verdict === 'fail');
  const first = failed.find(({ inherited }) => !inherited) ?? failed[0];
  return {
    stages: judged.map((stage) => (stage === first ? { ...stage, inherited: false } : stage)),
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
  return { ...report, ...decide(stages) };
}
