/** Weights of LSTM, GRU and RNN nodes. ONNX combines them and orders the gates differently than frameworks do. */
import type { GraphProto, NodeProto } from '../../onnx/onnx_pb';
import { ownValue } from '../../util/values';
import { everyOrder } from '../align';
import { sizeOf } from '../tensor';
import { greatestDifference, type Link, sameValues } from './relations';
import {
  type AuditTensor,
  canBeSame,
  isConstant,
  isSameShape,
  pushTo,
  roundingBetween,
  type Statistics,
  statisticsOf,
} from './tensors';

/** Gate orders of an operator. */
interface Gates {
  /** ONNX order. */
  readonly onnx: string;
  /** PyTorch order; the cell gate uses ONNX's letter. */
  readonly pytorch: string;
}

const GATES: Readonly<Record<string, Gates>> = {
  LSTM: { onnx: 'iofc', pytorch: 'ifco' },
  GRU: { onnx: 'zrh', pytorch: 'rzh' },
  RNN: { onnx: 'h', pytorch: 'h' },
};
/** Inputs of the operators: X, W, R, B, sequence_lens, initial_h, and for LSTM initial_c. */
const INITIAL_STATES = [5, 6];
/** PyTorch names such as `lstm.weight_ih_l0_reverse`. */
const PYTORCH_NAME = /^(.*?)(weight_ih|weight_hh|bias_ih|bias_hh)(_l\d+?)(_reverse)?$/;
type Role = 'weight_ih' | 'weight_hh' | 'bias_ih' | 'bias_hh';

/** Rows of a graph tensor that correspond to one checkpoint tensor: one direction, and one half of a bias. */
interface Slice {
  /** Index among the graph's tensors. */
  readonly graph: number;
  readonly role: Role;
  readonly isReverse: boolean;
  /** Without axes of size 1. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly statistics: Statistics;
  /** Label for the report: `forward weight_ih`. */
  readonly part: string;
}

/** A checkpoint tensor that holds a slice. Gate `k` of the slice is its gate `order[k]`. */
interface Found {
  readonly slice: Slice;
  readonly checkpoint: number;
  readonly order: readonly number[];
}

/** Names of initial states, which exporters write as constant zeros. */
export function initialStates({ node }: GraphProto): Set<string> {
  const recurrent = node.filter(({ opType }) => ownValue(GATES, opType));
  return new Set(recurrent.flatMap(({ input }) => INITIAL_STATES.map((position) => input[position] ?? '')));
}

/** Links between recurrent weights and a checkpoint. */
interface LinkedRecurrent {
  readonly links: readonly Link[];
  /** Parts without a link, by index of the graph's tensor. */
  readonly missing: ReadonlyMap<number, readonly string[]>;
}

/**
 * Links the weights of recurrent nodes to checkpoint tensors that hold one direction, one bias and the gates in any order.
 * Weights without equal values are linked by the names of those that have them.
 */
export function linkRecurrent(
  { node }: GraphProto,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
): LinkedRecurrent {
  const places = new Map(graph.map(({ name }, index) => [name, index]));
  const links: Link[] = [];
  const missing = new Map<number, string[]>();
  for (const one of node) {
    const gates = ownValue(GATES, one.opType);
    if (!gates) continue;
    const slices = slicesOf(one, gates, graph, places);
    for (const isReverse of [false, true]) {
      const direction = slices.filter((slice) => slice.isReverse === isReverse);
      const linked = linkDirection(direction, gates, graph, checkpoint);
      for (const [index, { graph: place, part }] of direction.entries()) {
        const link = linked[index];
        if (link) links.push(link);
        else pushTo(missing, place, part);
      }
    }
  }
  return { links, missing };
}

function slicesOf(
  { input, attribute }: NodeProto,
  { onnx }: Gates,
  graph: readonly AuditTensor[],
  places: ReadonlyMap<string, number>,
): Slice[] {
  const [, w = '', r = '', b = ''] = input;
  const direction = new TextDecoder().decode(attribute.find(({ name }) => name === 'direction')?.s);
  const numDirections = direction === 'bidirectional' ? 2 : 1;
  const roles: [string, readonly Role[]][] = [[w, ['weight_ih']], [r, ['weight_hh']], [b, ['bias_ih', 'bias_hh']]];
  return roles.flatMap(([name, held]) => {
    const index = places.get(name);
    const tensor = index === undefined ? undefined : graph[index];
    const values = tensor?.values();
    if (index === undefined || !tensor || !values || tensor.shape[0] !== numDirections) return [];
    const numRows = (tensor.shape[1] ?? 0) / held.length;
    if (numRows % onnx.length !== 0 || values.length === 0) return [];
    const size = values.length / numDirections / held.length;
    return Array.from({ length: numDirections * held.length }, (_, place): Slice => {
      const isReverse = direction === 'reverse' || place >= held.length;
      const role = held[place % held.length]!;
      const own = values.subarray(place * size, (place + 1) * size);
      return {
        graph: index,
        role,
        isReverse,
        shape: [numRows, ...tensor.shape.slice(2)],
        values: own,
        statistics: statisticsOf(own),
        part: `${isReverse ? 'reverse' : 'forward'} ${role}`,
      };
    });
  });
}

/**
 * @param slices slices of one direction of one node
 * @returns the link of each slice; null if there is none
 */
function linkDirection(
  slices: readonly Slice[],
  gates: Gates,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
): (Link | null)[] {
  const certain = slices.flatMap((slice) => findByValues(slice, gates, graph, checkpoint) ?? []);
  // The layer name in the checkpoint, from the first weight that was found there.
  const [, prefix, , layer, reverse = ''] =
    certain.map(({ checkpoint: index }) => PYTORCH_NAME.exec(checkpoint[index]!.name)).find((name) => name !== null) ?? [];
  return slices.map((slice) => {
    const found = certain.find((one) => one.slice === slice);
    if (found) return linkOf(found, gates, graph, checkpoint);
    const named = checkpoint.findIndex(({ name }) => name === `${prefix ?? ''}${slice.role}${layer ?? ''}${reverse}`);
    if (prefix === undefined || named === -1) return null;
    const order = orderBetween(slice, checkpoint[named]!, gates, graph);
    if (order) return linkOf({ slice, checkpoint: named, order }, gates, graph, checkpoint);
    return differingLink(slice, named, gates, checkpoint);
  });
}

/** The checkpoint tensor with a slice's values; if there are several, one whose name has the slice's role. */
function findByValues(
  slice: Slice,
  gates: Gates,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
): Found | null {
  // Constant slices, such as zero biases, match many tensors and prove nothing.
  if (isConstant(slice.statistics)) return null;
  const found = checkpoint.flatMap((tensor, index) => {
    const order = orderBetween(slice, tensor, gates, graph);
    return order ? [{ slice, checkpoint: index, order }] : [];
  });
  const sameRole = found.find(({ checkpoint: index }) => PYTORCH_NAME.exec(checkpoint[index]!.name)?.[2] === slice.role);
  return sameRole ?? found[0] ?? null;
}

/** The gate order that converts the checkpoint tensor to the slice; null if there is none. */
function orderBetween(
  slice: Slice,
  tensor: AuditTensor,
  { onnx, pytorch }: Gates,
  graph: readonly AuditTensor[],
): readonly number[] | null {
  const rounding = roundingBetween(graph[slice.graph]!, tensor);
  if (!isSameShape(tensor.shape, slice.shape)) return null;
  if (!tensor.statistics || !canBeSame(slice.statistics, tensor.statistics, rounding)) return null;
  const theirs = tensor.values();
  if (!theirs) return null;
  const size = theirs.length / onnx.length;
  const block = (values: Float32Array, gate: number): Float32Array => values.subarray(gate * size, (gate + 1) * size);
  const orders = [expectedOrder({ onnx, pytorch }), ...everyOrder(onnx.length)];
  const fits = (order: readonly number[]): boolean =>
    order.every((gate, place) => sameValues(block(slice.values, place), block(theirs, gate), rounding));
  return orders.find(fits) ?? null;
}

/** For each ONNX gate, its index in PyTorch's order. */
const expectedOrder = ({ onnx, pytorch }: Gates): number[] => Array.from(onnx, (gate) => pytorch.indexOf(gate));

const isExpected = (order: readonly number[], gates: Gates): boolean => order.join() === expectedOrder(gates).join();

function linkOf(
  { slice, checkpoint: index, order }: Found,
  gates: Gates,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
): Link {
  const tensor = checkpoint[index]!;
  const isMoved = order.some((gate, place) => gate !== place);
  const isRounded = roundingBetween(graph[slice.graph]!, tensor).relative > 0;
  return {
    graph: slice.graph,
    checkpoint: index,
    how: graph[slice.graph]!.name === tensor.name ? 'name' : isMoved ? 'reordered' : 'bytes',
    relation: isMoved ? { kind: 'reordered', order } : { kind: 'same', isRounded },
    part: slice.part,
    note: isMoved && isExpected(order, gates) ? "as ONNX needs PyTorch's gates" : null,
    warning: warningOf(tensor.name, slice, order, gates),
  };
}

/** Describes what is wrong with a slice of a weight with a PyTorch name; null if nothing is wrong. */
function warningOf(name: string, slice: Slice, order: readonly number[], gates: Gates): string | null {
  const parts = PYTORCH_NAME.exec(name);
  if (!parts) return null;
  const found: string[] = [];
  if (!isExpected(order, gates)) {
    const present = order.map((gate) => gates.pytorch[gate]).join(', ');
    found.push(`its gates are in the order ${present}, but ONNX reads ${Array.from(gates.onnx).join(', ')}`);
  }
  if (slice.isReverse !== (parts[4] !== undefined)) found.push('it belongs to the other direction');
  if (slice.role !== parts[2]) found.push(`it is the ${parts[2]!}`);
  return found.length === 0 ? null : found.join(', and ');
}

/** A link to a tensor with the expected name but different values, compared in the expected order. */
function differingLink(slice: Slice, index: number, gates: Gates, checkpoint: readonly AuditTensor[]): Link {
  const tensor = checkpoint[index]!;
  const common = { graph: slice.graph, checkpoint: index, how: 'name', part: slice.part, note: null, warning: null } as const;
  const theirs = tensor.values();
  if (!theirs) return { ...common, relation: { kind: 'unknown' } };
  if (!isSameShape(tensor.shape, slice.shape)) return { ...common, relation: { kind: 'shape' } };
  const size = sizeOf(tensor.shape) / gates.onnx.length;
  const expected = new Float32Array(theirs.length);
  for (const [place, gate] of expectedOrder(gates).entries()) {
    expected.set(theirs.subarray(gate * size, (gate + 1) * size), place * size);
  }
  return {
    ...common,
    relation: { kind: 'differs', maxAbs: greatestDifference(slice.values, expected), isScaled: false },
  };
}
