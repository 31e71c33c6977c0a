import type { GraphInfo } from '../../onnx/model';
import { secondsOfFrame } from '../../timeline/frameClock';
import type { Tolerance } from '../compare';
import { hasShape, indexOf } from '../measure';
import type { DecisionReport, DifferingDecision } from '../report';
import { allowedAbs } from '../stageTolerance';
import type { StageTensors } from '../stages';
import type { Tensor } from '../tensor';
import { choicesOf, differing, placesOf, rowsOf } from './choices';
import { deciderOf, type Decider, type DecisionRule } from './rule';

/** Differing decisions that the report describes. */
const MAX_EXAMPLES = 5;
const FRAME_AXIS = 'frame';

/** The decisions of one output, with what it takes to look closer. */
export interface OutputDecisions {
  readonly report: DecisionReport;
  readonly own: StageTensors;
  readonly decider: Decider;
  /** Indices of the decisions that differ. */
  readonly wrong: readonly number[];
}

/**
 * Compares the decisions of an output with the golden ones.
 *
 * @param tolerance of the stage
 * @param stated for all outputs; takes precedence over the bundle
 * @returns null if the output decides nothing, or has another shape than the golden one; its causes are still empty
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
    // Both alternatives may be off by the error.
    nearTies: margins.filter((margin) => margin !== null && margin <= (decider.kind === 'threshold' ? 1 : 2) * allowed).length,
    threshold: decider.kind === 'threshold' ? decider.threshold : null,
    labels: decider.kind === 'class' ? (planned.classLabels ?? null) : null,
    examples,
    causes: [],
  };
  return { report, own, decider, wrong };
}

/** Distance of the golden values of both alternatives; null without values behind the decision, or if they are not finite. */
function marginOf(golden: Tensor, { kind, axis, threshold, top }: Decider, index: number, ours: string, theirs: string): number | null {
  if (kind === 'threshold') return finite(Math.abs(golden.data[index]! - threshold));
  if (axis === null) return null;
  const { place, numChoices } = rowsOf(golden.shape, axis);
  const row = kind === 'class' ? index : Math.floor(index / placesOf({ top }, numChoices));
  const [one, other] = [theirs, ours].map((choice) => golden.data[place(row, Number(choice))]);
  return one === undefined || other === undefined ? null : finite(Math.abs(one - other));
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Axes of the decisions: those of the output without the alternatives; of a ranking with its places. */
function decisionAxes(axes: readonly string[], shape: readonly number[], decider: Decider): { axes: string[]; shape: number[] } {
  const { axis, kind } = decider;
  if (axis === null) return { axes: [...axes], shape: [...shape] };
  const rest = { axes: axes.filter((_, at) => at !== axis), shape: shape.filter((_, at) => at !== axis) };
  if (kind !== 'rank') return rest;
  return { axes: [...rest.axes, 'place'], shape: [...rest.shape, placesOf(decider, shape[axis]!)] };
}
