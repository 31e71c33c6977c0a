import type { GraphInfo } from '../../onnx/model';
import { secondsOfFrame } from '../../segmentation/geometry';
import { VoxlaneError } from '../../util/errors';
import type { Tolerance } from '../compare';
import type { GraphTensor, ValueRunner } from '../graphRunner';
import { hasShape, indexOf } from '../measure';
import type { Plan, StageTensors } from '../plan';
import type { DecisionCause, DecisionReport, DifferingDecision, StageReport } from '../report';
import { allowedAbs } from '../stageTolerance';
import { canInject, computeFeeds, type OnStep, type StageRunner } from '../stages';
import type { Tensor } from '../tensor';
import { coverageOf } from '../verdict';
import { choicesOf, type Decider, deciderOf, type DecisionRule, differing, placesOf, rowsOf } from './rule';

/** Maximum number of differing decisions that the report describes. */
const MAX_EXAMPLES = 5;
const FRAME_AXIS = 'frame';

/** The decisions of one output, with the data for a closer analysis. */
interface OutputDecisions {
  readonly report: DecisionReport;
  readonly own: StageTensors;
  readonly decider: Decider;
  /** Indices of the decisions that differ. */
  readonly wrong: readonly number[];
}

/**
 * Compares the decisions of an output with the golden ones. The causes of the report are still empty.
 *
 * @param tolerance tolerance of the stage
 * @param stated rule for all outputs; takes precedence over the bundle
 * @returns null if the output decides nothing or has another shape than the golden output
 */
export function compareDecisions(
  own: StageTensors,
  info: Pick<GraphInfo, 'nodes' | 'opset'>,
  tolerance: Tolerance,
  stated?: DecisionRule,
): OutputDecisions | null {
  const { planned, actual, golden } = own;
  const { axes, clock, value, golden: stage } = planned;
  if (!hasShape(actual, golden.shape)) return null;
  const decider = deciderOf(value, actual, axes, info, stated ?? stage.decisions);
  if (!decider) return null;
  const [ours, theirs] = [choicesOf(actual, decider), choicesOf(golden, decider)];
  const wrong = differing(ours, theirs);
  // A typical error: single values may differ by more.
  const allowed = allowedAbs(tolerance, golden.data);
  const margins = wrong.map((index) => marginOf(golden, decider, index, ours[index]!, theirs[index]!));
  const decided = decisionAxes(axes, golden.shape, decider);
  const frameAxis = decided.axes.indexOf(FRAME_AXIS);
  const examples = wrong.slice(0, MAX_EXAMPLES).map((flat, at): DifferingDecision => {
    const index = indexOf(flat, decided.shape);
    const frame = index[frameAxis];
    const seconds = clock && frame !== undefined ? secondsOfFrame(clock, frame) : null;
    return { index, actual: Number(ours[flat]), golden: Number(theirs[flat]), margin: margins[at] ?? null, seconds };
  });
  const report: DecisionReport = {
    stage: stage.name,
    kind: decider.kind,
    reason: decider.reason,
    axes: decided.axes,
    total: theirs.length,
    differing: wrong.length,
    // The error may affect both alternatives.
    nearTies: margins.filter((margin) => margin !== null && margin <= (decider.kind === 'threshold' ? 1 : 2) * allowed).length,
    threshold: decider.kind === 'threshold' ? decider.threshold : null,
    labels: decider.kind === 'class' ? (planned.classLabels ?? null) : null,
    examples,
    causes: [],
  };
  return { report, own, decider, wrong };
}

/**
 * Distance between the golden values of both alternatives; null if the decision has no values, or if they are not finite.
 */
function marginOf(golden: Tensor, { kind, axis, threshold, top }: Decider, index: number, ours: string, theirs: string): number | null {
  if (kind === 'threshold') return finite(Math.abs(golden.data[index]! - threshold));
  if (axis === null) return null;
  const { place, numChoices } = rowsOf(golden.shape, axis);
  const row = kind === 'class' ? index : Math.floor(index / placesOf({ top }, numChoices));
  const [one, other] = [theirs, ours].map((choice) => golden.data[place(row, Number(choice))]);
  return one === undefined || other === undefined ? null : finite(Math.abs(one - other));
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Axes of the decisions: the axes of the output without the alternatives; for a ranking, with its places. */
function decisionAxes(axes: readonly string[], shape: readonly number[], decider: Decider): { axes: string[]; shape: number[] } {
  const { axis, kind } = decider;
  if (axis === null) return { axes: [...axes], shape: [...shape] };
  const rest = { axes: axes.filter((_, at) => at !== axis), shape: shape.filter((_, at) => at !== axis) };
  if (kind !== 'rank') return rest;
  return { axes: [...rest.axes, 'place'], shape: [...rest.shape, placesOf(decider, shape[axis]!)] };
}

/** Maximum number of runs per output. After that, the result is a range of stages instead of one. */
const MAX_RUNS = 24;

/** Decisions that are wrong with the golden outputs of the first `low` stages and right with those of the first `high`. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly decisions: readonly number[];
}

/**
 * Traces the differing decisions of an output to the first stages that cause them.
 *
 * The search injects the golden outputs of all stages up to one and runs the graph from there to the output. If a decision
 * is then correct, its cause lies before the end of that stage. A bisection finds the stage for all decisions together.
 * Decisions with the same cause need about log2(number of stages) runs.
 *
 * If stages are wrong on their own, only these stages and the part after the last of them are suspects. Rounding in an
 * earlier stage, within its tolerance, may affect what a wrong stage does with its input, but is not the cause.
 *
 * @param upstream the stages that the output is computed from, in graph order
 * @param blamed names of the stages that are wrong on their own
 * @param feeds inputs of the graph
 * @returns in graph order; the counts add up to the number of differing decisions
 * @throws VoxlaneError errors of the backend
 */
async function traceDecisions(
  output: OutputDecisions,
  upstream: readonly StageTensors[],
  blamed: ReadonlySet<string>,
  { graph }: StageRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  plan: Pick<Plan, 'bundleOrder' | 'stages'>,
  onStep: OnStep,
): Promise<DecisionCause[]> {
  const { own, decider, wrong } = output;
  if (wrong.length === 0) return [];
  const { value, golden: stage } = own.planned;
  const theirs = choicesOf(own.golden, decider);
  const before = upstream.filter(({ planned }) => planned.value !== value);
  const ends = endsOf(before, stage.name, blamed);
  const count = ends.length;
  const isWrong = (result: Tensor): ((decision: number) => boolean) => {
    if (!hasShape(result, own.golden.shape)) return () => true;
    const ours = choicesOf(result, decider);
    return (decision) => ours[decision] !== theirs[decision];
  };
  let numRuns = 0;
  const unusable = new Set<number>();
  const run = async (numInjected: number): Promise<Tensor | null> => {
    const last = before.indexOf(ends[numInjected - 1]!);
    const golden = before.slice(0, last + 1).filter(isInjectable).map((one) => [one.planned.value, one.golden] as const);
    await onStep(`${stage.name}, tracing decisions`, numRuns, MAX_RUNS);
    numRuns++;
    try {
      return (await graph.values(new Map<string, GraphTensor>([...feeds, ...golden]), [value])).get(value)!;
    } catch (error) {
      // The graph may reject golden values as input.
      if (error instanceof VoxlaneError && (error.code === 'options' || error.code === 'backend-failed')) return null;
      throw error;
    }
  };
  const found: Range[] = [];
  const open: Range[] = [];
  const whole = count === 0 ? null : await run(count);
  const isOwn = whole ? isWrong(whole) : () => true;
  add(found, { low: whole ? count : 0, high: count + 1, decisions: wrong.filter(isOwn) });
  add(open, { low: 0, high: count, decisions: wrong.filter((decision) => !isOwn(decision)) });
  for (let range = takeLargest(open); range; range = takeLargest(open)) {
    const middle = middleOf(range, unusable);
    if (middle === null || numRuns >= MAX_RUNS) {
      found.push(range);
      continue;
    }
    const result = await run(middle);
    if (!result) {
      unusable.add(middle);
      open.push(range);
      continue;
    }
    const test = isWrong(result);
    add(open, { low: middle, high: range.high, decisions: range.decisions.filter(test) });
    add(open, { low: range.low, high: middle, decisions: range.decisions.filter((decision) => !test(decision)) });
  }
  const nameOf = (index: number): string => ends[index]?.planned.golden.name ?? stage.name;
  return found
    .toSorted((a, b) => a.high - b.high || a.low - b.low)
    .map(({ low, high, decisions }): DecisionCause => {
      const after = low === 0 ? null : nameOf(low - 1);
      const last = nameOf(high - 1);
      // Stages that pass were compared, and the output does not depend on stages that are not upstream: neither is a gap.
      const known = [...before.filter((one) => isInjectable(one) && !blamed.has(one.planned.golden.name)), ...ends.slice(0, low), ...ends.slice(high - 1)];
      const unrelated = plan.stages.filter(({ golden: { name } }) => !before.some(({ planned }) => planned.golden.name === name));
      const names = new Set([...known.map(({ planned }) => planned), ...unrelated].map(({ golden: { name } }) => name));
      return { stage: last, after, count: decisions.length, untried: between(plan.bundleOrder, after, last).filter((name) => !names.has(name)) };
    });
}

const isInjectable = ({ golden, actual }: StageTensors): boolean => canInject(golden, actual);

/** The stages up to which golden outputs are injected. */
function endsOf(before: readonly StageTensors[], output: string, blamed: ReadonlySet<string>): StageTensors[] {
  const isBlamed = ({ planned }: StageTensors): boolean => blamed.has(planned.golden.name);
  const lastBlamed = before.findLastIndex(isBlamed);
  const ends = before.filter((one, index) => {
    if (!isInjectable(one)) return false;
    if (index > lastBlamed) return !blamed.has(output);
    return isBlamed(one);
  });
  // A stage that cannot be injected is replaced by the next one that can.
  const instead = before.flatMap((one, index) => (isBlamed(one) && !isInjectable(one) ? (before.slice(index + 1).find(isInjectable) ?? []) : []));
  return before.filter((one) => ends.includes(one) || instead.includes(one));
}

function add(ranges: Range[], range: Range): void {
  if (range.decisions.length > 0) ranges.push(range);
}

function takeLargest(ranges: Range[]): Range | undefined {
  ranges.sort((a, b) => a.decisions.length - b.decisions.length);
  return ranges.pop();
}

/** The number of stages closest to the middle of a range, except unusable ones; null if all are unusable. */
function middleOf({ low, high }: Range, unusable: ReadonlySet<number>): number | null {
  const middle = (low + high) / 2;
  let best: number | null = null;
  for (let index = low + 1; index < high; index++) {
    if (!unusable.has(index) && (best === null || Math.abs(index - middle) < Math.abs(best - middle))) best = index;
  }
  return best;
}

/** The stages between two, in bundle order. */
function between(order: readonly string[], after: string | null, last: string): string[] {
  const [start, end] = [after === null ? -1 : order.indexOf(after), order.indexOf(last)];
  return order.filter((_, place) => place > start && place < end);
}

/**
 * Compares the decisions of all outputs and traces those that differ from the golden ones.
 *
 * @param stages judged stages, in the order of `tensors`
 * @param stated rule for all outputs; takes precedence over the bundle and the graph
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
  // A bundle may hold only stages inside the network: then the last stage is used.
  const chosen = outputs.length === 0 && coverageOf(plan).isOutputCompared ? tensors.slice(-1) : outputs;
  // If several stages have the same value, the last one is used.
  const byValue = new Map(chosen.map((own) => [own.planned.value, own]));
  return [...byValue.values()].flatMap((own) => {
    const { tolerance } = stages.find(({ name }) => name === own.planned.golden.name)!;
    return compareDecisions(own, info, tolerance, stated) ?? [];
  });
}
