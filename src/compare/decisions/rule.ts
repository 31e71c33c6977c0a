import type { GraphInfo, NodeInfo } from '../../onnx/model';
import type { GraphTensor } from '../graphRunner';
import type { DecisionKind } from '../report';
import { sizeOf, type Tensor, valuesOf } from '../tensor';

/** The user's rule for what an output decides. */
export interface DecisionRule {
  /** `argmax`: a class per row; `threshold`: each value; `ranking`: the order of the greatest values; `none`: nothing. */
  readonly kind: 'argmax' | 'threshold' | 'ranking' | 'none';
  /** For `threshold`: the threshold. Default 0.5. */
  readonly threshold?: number;
  /** For `ranking`: number of places. Default 10. */
  readonly top?: number;
}

/** What an output decides and how. */
export interface Decider {
  readonly kind: DecisionKind;
  /** Why the output counts as this kind, for the report. */
  readonly reason: string;
  /** Axis of the alternatives: classes or items. Null if each value is a decision. */
  readonly axis: number | null;
  readonly threshold: number;
  /** Places of a ranking. */
  readonly top: number;
}

/** Name of the axis whose values are alternatives. */
const CLASS_AXIS = 'class';
/** Default of most metrics for multi-label classification. */
const DEFAULT_THRESHOLD = 0.5;
const DEFAULT_TOP = 10;
const WHOLE = /^(u?int\d+|bool)$/;
/**
 * First opset version in which the axis of Softmax and LogSoftmax is the class axis. Before, it was the first of several
 * flattened axes.
 */
const SOFTMAX_BY_AXIS = 13;
/** Operators that do not change decisions and at most reorder axes. */
const PASSED = new Set(['Identity', 'Cast', 'Transpose']);

/**
 * Determines what an output decides: from the user's rule, else from the last operator of the graph, else from an axis
 * named `class`.
 *
 * @param axes name of each axis of the output
 * @returns null if the output decides nothing, or if this is unknown
 */
export function deciderOf(
  value: string,
  { shape, dtype = 'float32' }: Pick<GraphTensor, 'shape' | 'dtype'>,
  axes: readonly string[],
  info: Pick<GraphInfo, 'nodes' | 'opset'>,
  stated?: DecisionRule,
): Decider | null {
  if (stated?.kind === 'none') return null;
  const { op, axis } = lastOperator(value, shape.length, info);
  const named = axes.indexOf(CLASS_AXIS);
  const common = { axis: null, threshold: stated?.threshold ?? DEFAULT_THRESHOLD, top: stated?.top ?? DEFAULT_TOP };
  const last = shape.length > 0 ? shape.length - 1 : null;
  const alternatives = named >= 0 ? named : (axis ?? last);
  const byRule = `stated: ${stated?.kind}`;
  if (stated?.kind === 'threshold') return { ...common, kind: 'threshold', reason: byRule };
  if (stated?.kind === 'ranking') return orNull({ ...common, kind: 'rank', reason: byRule, axis: alternatives }, shape);
  if (stated?.kind === 'argmax') return orNull({ ...common, kind: 'class', reason: byRule, axis: alternatives }, shape);
  if (WHOLE.test(dtype)) {
    const kinds: Partial<Record<string, DecisionKind>> = { ArgMax: 'class', ArgMin: 'class', TopK: 'rank' };
    const kind = kinds[op] ?? 'value';
    return { ...common, kind, reason: kind === 'value' ? `values of type ${dtype}` : `output of ${op}` };
  }
  if (op === 'Sigmoid') return { ...common, kind: 'threshold', reason: 'output of Sigmoid' };
  if (axis !== null) return orNull({ ...common, kind: 'class', reason: `output of ${op}`, axis: named >= 0 ? named : axis }, shape);
  return named >= 0 ? orNull({ ...common, kind: 'class', reason: `axis ${CLASS_AXIS}`, axis: named }, shape) : null;
}

/** One alternative is no choice. */
const orNull = (decider: Decider, shape: readonly number[]): Decider | null =>
  decider.axis !== null && shape[decider.axis]! > 1 ? decider : null;

/**
 * The operator that produces a value, before operators that change no decision. @returns `axis`: class axis of a softmax,
 * else null
 */
function lastOperator(value: string, rank: number, { nodes, opset }: Pick<GraphInfo, 'nodes' | 'opset'>): { op: string; axis: number | null } {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  /** For each axis of the operator's output, the axis of the value. */
  let places = Array.from({ length: rank }, (_, axis) => axis);
  let node = producers.get(value);
  for (; node?.domain === '' && PASSED.has(node.op); node = producers.get(node.inputs[0] ?? '')) {
    if (node.op === 'Transpose') places = transposed(places, node);
  }
  if (!node) return { op: '', axis: null };
  if (node.domain !== '' || !/^(Log)?Softmax$/.test(node.op)) return { op: node.op, axis: null };
  const stated = Number(node.attributes.axis ?? (opset >= SOFTMAX_BY_AXIS ? -1 : 1));
  const axis = stated < 0 ? stated + rank : stated;
  const isKnown = opset >= SOFTMAX_BY_AXIS || axis === rank - 1;
  return { op: node.op, axis: isKnown ? (places[axis] ?? null) : null };
}

/** Axis `i` of a transposed tensor is axis `perm[i]` of its input. */
function transposed(places: readonly number[], { attributes }: NodeInfo): number[] {
  const numbers = attributes.perm?.match(/\d+/g)?.map(Number);
  const perm = numbers?.length === places.length ? numbers : places.map((_, axis) => places.length - 1 - axis);
  const result = [...places];
  perm.forEach((from, to) => { result[from] = places[to]!; });
  return result;
}

/** A tensor's decisions: `values[i]` is the choice of decision `i`, as text because numbers would round large integers. */
export type Choices = readonly string[];

/** The flat index of the value of alternative `choice` in row `row`. */
type Place = (row: number, choice: number) => number;

/** Rows of a tensor along the axis of the alternatives. */
interface Rows {
  readonly numRows: number;
  readonly numChoices: number;
  readonly place: Place;
}

export function rowsOf(shape: readonly number[], axis: number): Rows {
  const numChoices = shape[axis]!;
  /** Distance between two alternatives of a row. */
  const stride = sizeOf(shape.slice(axis + 1));
  const place: Place = (row, choice) => Math.floor(row / stride) * stride * numChoices + (row % stride) + choice * stride;
  return { numRows: numChoices === 0 ? 0 : sizeOf(shape) / numChoices, numChoices, place };
}

/** Number of ranking places in each row. */
export const placesOf = ({ top }: Pick<Decider, 'top'>, numChoices: number): number => Math.min(top, numChoices);

/** All decisions of a tensor. For a ranking: the places of each row in sequence. */
export function choicesOf(tensor: Tensor, decider: Decider): Choices {
  const { kind, axis, threshold } = decider;
  const { data, shape } = tensor;
  if (kind === 'threshold') return Array.from(data, (value) => (Number.isNaN(value) ? 'NaN' : value > threshold ? '1' : '0'));
  if (axis === null) return Array.from(valuesOf(tensor), String);
  const { numRows, numChoices, place } = rowsOf(shape, axis);
  const rows = Array.from({ length: numRows }, (_, row) => row);
  if (kind === 'class') return rows.map((row) => String(greatest(data, row, numChoices, place)));
  const items = Array.from({ length: numChoices }, (_, item) => item);
  return rows.flatMap((row) => {
    const valueAt = (item: number): number => data[place(row, item)]!;
    const hasNaN = items.some((item) => Number.isNaN(valueAt(item)));
    // Equal values keep the order of their indices.
    const order = items.toSorted((a, b) => valueAt(b) - valueAt(a) || a - b).slice(0, placesOf(decider, numChoices));
    return order.map((item) => (hasNaN ? 'NaN' : String(item)));
  });
}

/** The first maximum; NaN if a value is NaN. */
function greatest(data: Float32Array, row: number, numChoices: number, place: Place): number {
  let best = 0;
  for (let choice = 0; choice < numChoices; choice++) {
    const value = data[place(row, choice)]!;
    if (Number.isNaN(value)) return NaN;
    if (value > data[place(row, best)]!) best = choice;
  }
  return best;
}

/** Indices of the decisions that differ. */
export function differing(ours: Choices, theirs: Choices): number[] {
  return theirs.flatMap((choice, index) => (choice === ours[index] ? [] : [index]));
}
