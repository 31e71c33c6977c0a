import type { NodeProto } from '../../onnx/onnx_pb';
import { firstOutput, type NodeChanges } from '../../onnx/replaceNodes';
import { hasShape } from '../measure';
import type { Cause, CauseId } from '../report';
import { allowedAbs } from '../stageTolerance';
import { sizeOf, type Tensor } from '../tensor';
import type { CauseContext, LayerGraph } from './context';

/** How far two tensors are apart. */
export interface Distance {
  /** Euclidean norm of the difference; NaN where a value is not finite. */
  readonly norm: number;
  /** Greatest absolute difference; NaN alike. */
  readonly maxAbs: number;
}

/**
 * Fewest values that a fit of one number (a factor, an offset) proves anything on. Of two values one number explains
 * half by chance; of eight that are wrong at random, it leaves a tenth of the error less than once in ten million times.
 */
export const MIN_VALUES = 8;

/** Share of the error that an explanation may leave: rounding of 1e-4 beside an error of 1e-2 leaves half of it. */
const MAX_LEFT = 0.02;

/** The same where what is left passes the stage. Chance does not take nine tenths of an error away. */
const MAX_LEFT_WITHIN_TOLERANCE = 0.1;

/**
 * Share of what the golden values span that may be left, unless it is within the tolerance. Two tensors that have
 * nothing in common but lie far apart are brought near by one number, yet not to agree.
 */
const MAX_LEFT_OF_SPREAD = 0.1;

/**
 * The rule by which a transformation of ours counts as the cause: what it leaves is at most 2 % of the error's norm and
 * 10 % of what the golden values span; or at most 10 % of the error's norm, and no value is further from the golden one
 * than the tolerance. A share of the error rather than the tolerance alone, because of an error just above the
 * tolerance nearly anything would leave less.
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

/** Distance between `golden` and `transform` of each value of `actual`, which is as long. */
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

/** Distance between a tensor and its own mean: what an explanation has to beat where the shapes do not fit. */
export function spread(data: Float32Array): Distance {
  const mean = meanOf(data);
  return distance(data, data, () => mean);
}

/** Pearson's correlation of two tensors of one size; NaN where one is constant or not finite. */
export function correlation(left: Float32Array, right: Float32Array): number {
  const leftMean = meanOf(left);
  const rightMean = meanOf(right);
  let product = 0;
  for (let i = 0; i < left.length; i++) product += (left[i]! - leftMean) * (right[i]! - rightMean);
  return product / (spread(left).norm * spread(right).norm);
}

/** Mean in float64; NaN of nothing. */
export function meanOf(data: Float32Array): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum / data.length;
}

/** A tensor as blocks along one axis: the value at `position` is at `(block * size + position) * stride + rest`. */
export interface Along {
  /** Product of the sizes of the axes before. */
  readonly blocks: number;
  readonly size: number;
  /** Product of the sizes of the axes after. */
  readonly stride: number;
}

/** The tensor along the first of its axes that has one of these names; null without one. */
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

/** Five digits, for what was fitted: `1.0500`. */
export const fittedText = (value: number): string => value.toPrecision(5);

/** As many digits as an error deserves: `0.0312`. */
export const errorText = (value: number): string => Number(value.toPrecision(3)).toString();

/** `, which leaves a max abs error of 1.2e-5 of 0.049` */
export const leavesText = (left: Distance, error: Distance): string =>
  `, which leaves a max abs error of ${errorText(left.maxAbs)} of ${errorText(error.maxAbs)}`;

/** `1 frame`, `3 frames` */
export const countText = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A change of nodes that may put a stage right. */
export interface Repair {
  readonly changes: NodeChanges;
  /** What was changed, to be continued with `gives the golden values`. */
  readonly text: string;
  readonly values: Cause['values'];
}

/** Runs that one detector may make: of a stage with many nodes of a kind, not every one is tried by itself. */
const MAX_RUNS = 40;

/** Share of the error's norm that the graph itself has at least if it is the graph that is wrong. */
const MIN_OWN = 0.5;

/** Error relative to the golden values, by norm, that is no more than rounding: no other repair could be better. */
const SURE = 2 ** -22;

/** Share of what the best repair leaves that a later one, which is less usual, may leave at most to be better. */
const BETTER = 0.7;

/**
 * Runs the stage with each of the repairs, and states the one that gives the golden values. If several explain the error,
 * as similar epsilons may, it is the one that leaves clearly least, else the first of them.
 */
export async function provenRepair(
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
  // A backend that computes a right graph wrongly has another error: changes of the graph then prove nothing.
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

/** A change of one node, as a part of repairs. */
export interface NodeChange {
  /** The node that is replaced. */
  readonly node: NodeProto;
  readonly nodes: readonly NodeProto[];
}

/**
 * Repairs of all nodes at once, and of each alone.
 *
 * @param options changes of one kind, each with the nodes that it can be made at
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

/** The node that gives a value of this layer. */
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

/** Steps of the search; of a number on which the stage depends linearly, the first one meets the best. */
const MAX_STEPS = 3;

/** Share of the error's norm that a step must at least take away. */
const MIN_GAIN = 0.2;

/** Change of the number, relative to itself, below which it counts as found. */
const FOUND = 1e-4;

/**
 * The number with which the stage comes nearest to the golden values, by Gauss and Newton. Two runs for each step.
 *
 * @param start the number in our graph
 * @param width how far to move it to see what it does
 * @param changesFor the nodes with another number in them
 * @returns null if it does not bring the stage nearer
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
