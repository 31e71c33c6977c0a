import { coverageOf } from '../coverage';
import type { ValueRunner } from '../graphRunner';
import type { Plan } from '../plan';
import type { DecisionReport, StageReport } from '../report';
import { computeFeeds, type OnStep, type StageRunner, type StageTensors } from '../stages';
import { compareDecisions, type OutputDecisions } from './compareDecisions';
import type { DecisionRule } from './rule';
import { traceDecisions } from './trace';

/**
 * The decisions of all outputs that decide something, and where those come from that differ from the golden ones.
 *
 * @param stages judged, in the order of `tensors`
 * @param stated for all outputs; takes precedence over the bundle and the graph
 * @throws VoxlaneError errors of the backend
 */
export async function findDecisions(
  plan: Plan,
  runner: StageRunner,
  tensors: readonly StageTensors[],
  stages: readonly StageReport[],
  onStep: OnStep,
  stated?: DecisionRule,
): Promise<DecisionReport[]> {
  const reports: DecisionReport[] = [];
  const blamed = new Set(stages.filter(({ verdict, inherited, forced }) => verdict === 'fail' && !inherited && forced?.verdict !== 'pass').map(({ name }) => name));
  const outputs = decidingStages(plan, runner.graph, tensors, stages, stated);
  const feeds = outputs.some(({ wrong }) => wrong.length > 0) ? await computeFeeds(plan, runner) : new Map<string, never>();
  for (const output of outputs) {
    const { upstream } = stages.find(({ name }) => name === output.report.stage)!;
    const before = tensors.filter(({ planned }) => upstream.includes(planned.golden.name));
    reports.push({ ...output.report, causes: await traceDecisions(output, before, blamed, runner, feeds, plan, onStep) });
  }
  return reports;
}

function decidingStages(
  plan: Plan,
  { info }: ValueRunner,
  tensors: readonly StageTensors[],
  stages: readonly StageReport[],
  stated: DecisionRule | undefined,
): OutputDecisions[] {
  const isOutput = ({ planned: { value, golden } }: StageTensors): boolean => plan.outputs.includes(value) || golden.decisions !== undefined;
  const outputs = tensors.filter(isOutput);
  // A bundle may hold stages from inside of the network only: then the last one is what there is.
  const chosen = outputs.length === 0 && coverageOf(plan).isOutputCompared ? tensors.slice(-1) : outputs;
  // Of several stages with one value, the last.
  const byValue = new Map(chosen.map((own) => [own.planned.value, own]));
  return [...byValue.values()].flatMap((own) => {
    const { tolerance } = stages.find(({ name }) => name === own.planned.golden.name)!;
    return compareDecisions(own, info, tolerance, stated) ?? [];
  });
}
