import type { NodeProto } from '../../onnx/onnx_pb';
import { firstOutput, type NodeChanges } from '../../onnx/replaceNodes';
import { hasShape } from '../measure';
import type { Cause, CauseId } from '../report';
import { allowedAbs } from '../stageTolerance';
import { sizeOf, type Tensor } from '../tensor';
import type { CauseContext, LayerGraph } from './context';

/** Distance between two tensors. */
export interface Distance {
  /** Euclidean norm of the difference; NaN if a value is not finite. */
  readonly norm: number;
  /** Maximum absolute difference; NaN if a value is not finite. */
  readonly maxAbs: number;
}

/**
 * Minimum number of values for the fit of one number (a factor, an offset). With two values, one number explains half of
 * the error by chance. With eight random errors, it leaves a tenth of the error less than once in ten million cases.
 */
export const MIN_VALUES = 8;

/**
 * Maximum share of the error that an explanation may leave. Rounding of 1e-4 next to an error of 1e-2 leaves half of this
 * share.
 */
const MAX_LEFT = 0.02;

/** Maximum share if the remaining error is within the tolerance. Chance does not remove nine tenths of an error. */
const MAX_LEFT_WITHIN_TOLERANCE = 0.1;

/**
 * Maximum remaining error as a share of the golden range, unless it is within the tolerance. One number can bring two
 * unrelated, distant tensors closer, but not into agreement.
 */
const MAX_LEFT_OF_SPREAD = 0.1;

/**
 * Decides if a transformation of ours counts as the cause. Either it leaves at most 2 % of the error's norm and 10 % of the
 * golden range, or it leaves at most 10 % of the error's norm with every value within the tolerance. The tolerance alone is
 * not enough: nearly any transformation reduces an error just above it.
 */
export function explains(
  left: Distance,
  error: Distance,
  { golden, tolerance }: Pick<CauseContext, 'golden' | 'tolerance'>,
): boolean {
  if (!(error.norm > 0)) return false;
  const share = left.norm / error.norm;
  // Rejects most explanations early: the bounds below need passes over the golden values.
  if (share > Math.max(MAX_LEFT, MAX_LEFT_WITHIN_TOLERANCE)) return false;
  if (left.maxAbs <= allowedAbs(tolerance, golden.data)) return share <= MAX_LEFT_WITHIN_TOLERANCE;
  return share <= MAX_LEFT && left.norm <= MAX_LEFT_OF_SPREAD * spread(golden.data).norm;
}

/** Distance between `golden` and the transformed values of `actual`, which has the same length. */
export function distance(
  actual: Float32Array,
  golden: Float32Array,
  transform: (value: number, index: number) => number = (value) => value,
): Distance {
  let square = 0;
  let maxAbs = 0;
  for (let i = 0; i < golden.length; i++) {
    const transformed = transform(actual[i]!, i);
    // Equal infinities and NaN have no difference.
    const difference = Object.is(golden[i], transformed) ? 0 : Math.abs(golden[i]! - transformed);
    square += difference * difference;
    maxAbs = Math.max(maxAbs, difference);
  }
  return { norm: Math.sqrt(square), maxAbs };
}

/** Distance between a tensor and its mean: the bound for an explanation if the shapes do not match. */
export function spread(data: Float32Array): Distance {
  const mean = meanOf(data);
  return distance(data, data, () => mean);
}

/** Pearson correlation of two tensors of the same size; NaN if one is constant or not finite. */
export function correlation(left: Float32Array, right: Float32Array): number {
  const leftMean = meanOf(left);
  const rightMean = meanOf(right);
  let product = 0;
  for (let i = 0; i < left.length; i++) product += (left[i]! - leftMean) * (right[i]! - rightMean);
  return product / (spread(left).norm * spread(right).norm);
}

/** Mean in float64; NaN for an empty array. */
export function meanOf(data: Float32Array): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum / data.length;
}

/** A tensor as blocks along one axis: the value at `position` is at `(block * size + position) * stride + rest`. */
export interface Along {
  /** Product of the sizes of the preceding axes. */
  readonly blocks: number;
  readonly size: number;
  /** Product of the sizes of the following axes. */
  readonly stride: number;
}

/** The tensor along its first axis with one of these names; null if there is none. */
export function along(
  { shape }: Tensor,
  axes: readonly string[],
  names: readonly string[],
): (Along & { readonly axis: number }) | null {
  const axis = axes.length === shape.length ? axes.findIndex((name) => names.includes(name)) : -1;
  if (axis < 0) return null;
  return { axis, blocks: sizeOf(shape.slice(0, axis)), size: shape[axis]!, stride: sizeOf(shape.slice(axis + 1)) };
}

/** `(batch, frame, channel)` */
export const axesText = (axes: readonly string[]): string => `(${axes.join(', ')})`;

/** Five digits, for fitted numbers: `1.0500`. */
export const fittedText = (value: number): string => value.toPrecision(5);

/** Three significant digits, for errors: `0.0312`. */
export const errorText = (value: number): string => Number(value.toPrecision(3)).toString();

/** `, with a max abs error of 1.2e-5 instead of 0.049` */
export const leavesText = (left: Distance, error: Distance): string =>
  `, with a max abs error of ${errorText(left.maxAbs)} instead of ${errorText(error.maxAbs)}`;

/** The name of a side in the texts. */
export const sideText = (side: 'golden' | 'ours'): string => (side === 'ours' ? 'the computed output' : 'the golden output');

/** `1 frame`, `3 frames` */
export const countText = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A change of nodes that may repair a stage. */
export interface Repair {
  readonly changes: NodeChanges;
  /** What was changed; the text continues with `gives the golden values`. */
  readonly text: string;
  readonly values: Cause['values'];
}

/** Maximum number of runs per detector. If a stage has many nodes of a kind, not every node is tried alone. */
const MAX_RUNS = 40;

/** Minimum error of the unchanged graph, as a share of the error's norm, for the graph to be the cause. */
const MIN_OWN = 0.5;

/** Relative error by norm that is only rounding: no other repair could be better. */
const SURE = 2 ** -22;

/** A later, less usual repair must leave at most this share of what the best repair leaves. */
const BETTER = 0.7;

/**
 * Runs the stage with each repair and returns the one that produces the golden values. If several explain the error, as
 * similar epsilons may, the result is the clearly best one, otherwise the first.
 */
export async function confirmedRepair(
  context: CauseContext,
  id: CauseId,
  repairs: readonly Repair[],
): Promise<Cause | null> {
  const { graph, actual, golden } = context;
  if (!graph || !hasShape(actual, golden.shape)) return null;
  const error = distance(actual.data, golden.data);
  if (!(error.norm > 0) || repairs.length === 0) return null;
  const unchanged = await graph.unchanged();
  if (!unchanged || !hasShape(unchanged, golden.shape)) return null;
  // If the backend computes a correct graph wrongly, changes of the graph prove nothing.
  const ownError = distance(unchanged.data, golden.data);
  if (!(ownError.norm >= MIN_OWN * error.norm)) return null;
  const size = distance(golden.data, golden.data, () => 0).norm;
  let best: { readonly repair: Repair; readonly left: Distance } | null = null;
  for (const repair of repairs.slice(0, MAX_RUNS)) {
    const repaired = await graph.run(repair.changes);
    if (!repaired || !hasShape(repaired, golden.shape)) continue;
    const left = distance(repaired.data, golden.data);
    if (!explains(left, error, context) || !explains(left, ownError, context)) continue;
    if (!best || left.norm < BETTER * best.left.norm) best = { repair, left };
    if (left.norm <= SURE * size) break;
  }
  if (!best) return null;
  const { text, values } = best.repair;
  return { id, evidence: `${text} gives the golden values${leavesText(best.left, error)}`, values };
}

/** A change of one node, as part of a repair. */
export interface NodeChange {
  /** The node that is replaced. */
  readonly node: NodeProto;
  readonly nodes: readonly NodeProto[];
}

/**
 * Repairs of all nodes at once, and of each node alone.
 *
 * @param options changes of one kind, each with the nodes to which it applies
 */
export function repairsOf(
  options: readonly {
    readonly changes: readonly NodeChange[];
    /** @param nodes such as `the node MatMul_1` */
    readonly text: (nodes: string) => string;
    readonly values: Cause['values'];
  }[],
): Repair[] {
  const together = options.filter(({ changes }) => changes.length > 1);
  const alone = options.flatMap((option) => option.changes.map((change) => ({ ...option, changes: [change] })));
  return [...together, ...alone].map(({ changes, text, values }) => ({
    changes: new Map(changes.map(({ node, nodes }) => [firstOutput(node), nodes])),
    text: text(nodesText(changes.map(({ node }) => node))),
    values: { ...values, nodes: changes.map(({ node }) => labelOf(node)).join(', ') },
  }));
}

/** The node that outputs a value of this layer. */
export const producerOf = ({ nodes }: LayerGraph, value: string): NodeProto | undefined =>
  nodes.find(({ output }) => output.includes(value));

/** Nodes of the layer that read a value. */
export const consumersOf = ({ nodes }: LayerGraph, value: string): NodeProto[] =>
  nodes.filter(({ input }) => input.includes(value));

/** A node's name, or its operator and output if it has none. */
export const labelOf = ({ name, opType, output }: NodeProto): string =>
  name === '' ? `${opType} (${output[0] ?? ''})` : name;

const nodesText = (nodes: readonly NodeProto[]): string =>
  nodes.length === 1
    ? `the node ${labelOf(nodes[0]!)}`
    : `all ${nodes.length} nodes ${nodes.slice(0, 3).map(labelOf).join(', ')}${nodes.length > 3 ? ' …' : ''}`;

/** Maximum number of search steps. If the stage depends linearly on the number, the first step finds the optimum. */
const MAX_STEPS = 3;

/** Minimum reduction per step, as a share of the error's norm. */
const MIN_GAIN = 0.2;

/** Relative change of the number below which the search stops. */
const FOUND = 1e-4;

/**
 * Fits a number to the golden values with the Gauss-Newton method. Each step takes two runs.
 *
 * @param start the number in our graph
 * @param width step to measure the effect of the number
 * @param changesFor the nodes with another number
 * @returns null if the number does not bring the stage closer
 */
export async function fitNumber(
  graph: LayerGraph,
  golden: Tensor,
  start: number,
  width: number,
  changesFor: (value: number) => NodeChanges,
): Promise<number | null> {
  let at = start;
  let own = await graph.unchanged();
  for (let step = 0; step < MAX_STEPS; step++) {
    if (!own || !hasShape(own, golden.shape)) return null;
    const moved = await graph.run(changesFor(at + width));
    if (!moved || !hasShape(moved, golden.shape)) return null;
    let product = 0;
    let square = 0;
    for (let index = 0; index < golden.data.length; index++) {
      const slope = (moved.data[index]! - own.data[index]!) / width;
      product += slope * (golden.data[index]! - own.data[index]!);
      square += slope * slope;
    }
    const change = product / square;
    // The stage does not depend on the number, or is not finite.
    if (!Number.isFinite(change)) return null;
    const next = await graph.run(changesFor(at + change));
    if (!next || !hasShape(next, golden.shape)) return null;
    const before = errorOf(own, golden);
    if (!(errorOf(next, golden) <= (1 - MIN_GAIN) * before)) return step === 0 ? null : at;
    at += change;
    if (Math.abs(change) <= FOUND * Math.abs(at)) break;
    own = next;
  }
  return at;
}

const errorOf = ({ data }: Tensor, golden: Tensor): number =>
  Math.sqrt(data.reduce((sum, value, index) => sum + (value - golden.data[index]!) ** 2, 0));
