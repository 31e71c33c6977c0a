import { VoxlaneError } from '../../util/errors';
import type { GraphTensor } from '../graphRunner';
import { hasShape } from '../measure';
import type { Plan } from '../plan';
import type { DecisionCause } from '../report';
import { canInject, type OnStep, type StageRunner, type StageTensors } from '../stages';
import type { Tensor } from '../tensor';
import { choicesOf } from './choices';
import type { OutputDecisions } from './compareDecisions';

/** Runs for one output. Beyond them, a range of stages is given in place of one. */
const MAX_RUNS = 24;

/** Decisions that are wrong with the golden outputs of the first `low` stages, and right with those of the first `high`. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly decisions: readonly number[];
}

/**
 * Traces the differing decisions of an output to the first stages that cause them.
 *
 * The golden outputs of all stages up to one are injected and the graph is run from there to the output. A decision that is
 * right again is caused before the end of that stage. A bisection finds the stage for all decisions together: decisions that
 * have one cause need as many runs as the logarithm of the number of stages.
 *
 * If stages are wrong by themselves, only they are suspected, and what follows the last of them. Rounding in a stage before, which is
 * within its tolerance, may decide what a wrong stage makes of its input, but is not the cause.
 *
 * @param upstream the stages that the output is computed from, in the order of the graph
 * @param blamed names of the stages that are wrong by themselves
 * @param feeds inputs of the graph
 * @returns in the order of the graph; the counts add up to the number of differing decisions
 * @throws VoxlaneError errors of the backend
 */
export async function traceDecisions(
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
      // Golden values may be no input that the graph can take.
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
      // Stages that pass were compared, and the output does not depend on stages that are not before it: they are no gap.
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
  // In place of a stage that cannot be injected, the next one that can.
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

/** The number of stages closest to the middle of a range, except those known to be unusable; null if all are. */
function middleOf({ low, high }: Range, unusable: ReadonlySet<number>): number | null {
  const middle = (low + high) / 2;
  let best: number | null = null;
  for (let index = low + 1; index < high; index++) {
    if (!unusable.has(index) && (best === null || Math.abs(index - middle) < Math.abs(best - middle))) best = index;
  }
  return best;
}

/** Stages between two, in the order of the bundle. */
function between(order: readonly string[], after: string | null, last: string): string[] {
  const [start, end] = [after === null ? -1 : order.indexOf(after), order.indexOf(last)];
  return order.filter((_, place) => place > start && place < end);
}
