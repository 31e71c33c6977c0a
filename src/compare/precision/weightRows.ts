import { capturedBy } from '../../onnx/nodes';
import { graphInfo, graphOf, initializerNames, type NodeInfo } from '../../onnx/model';
import type { ModelProto } from '../../onnx/onnx_pb';
import { weightsBetween } from '../../onnx/weights';
import type { ChannelLayout } from '../rounding';
import { sizeOf } from '../tensor';

/** A float32 tensor of weights and how its channels lie. */
export interface RoundableWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly numValues: number;
  /** Whether a Constant node holds it; else it is an initializer. */
  readonly isConstant: boolean;
  /** Null if the weight stays float32 in int8 models: biases and scales of normalizations. */
  readonly channels: ChannelLayout | null;
  /** A copy. */
  readonly values: () => Float32Array;
}

/** Nodes whose weights can be rounded together: one, or several that share weights. */
export interface WeightRow {
  readonly nodes: readonly NodeInfo[];
  readonly weights: readonly RoundableWeight[];
  /** Of all weights as float32. */
  readonly numBytes: number;
}

/** Operators that pass a weight on to the node that uses it. */
const PASSING = new Set(['Transpose', 'Identity', 'Cast', 'Reshape', 'Unsqueeze', 'Squeeze']);

/**
 * The nodes with float32 weights that `outputs` depend on, those with the most bytes first. Single numbers are no weights, and
 * weights inside of If, Loop and Scan are left out.
 *
 * @param inputs values that are fed
 */
export function weightRows(model: ModelProto, inputs: readonly string[], outputs: readonly string[]): WeightRow[] {
  const graph = graphOf(model);
  const { nodes } = graphInfo(model);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const readers = new Map<string, NodeInfo[]>();
  for (const node of nodes) for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  const initializers = new Set(initializerNames(graph));
  const constants = new Set(graph.node.filter(({ opType }) => opType === 'Constant').flatMap(({ output }) => output));
  const inner = new Set(graph.node.flatMap(capturedBy));
  const rows: { nodes: Set<NodeInfo>; weights: RoundableWeight[] }[] = [];
  for (const { name, shape, dtype, problem, usedBy, values } of weightsBetween(model, { inputs, outputs })) {
    const isConstant = constants.has(name);
    if (dtype !== 'float32' || problem !== null || sizeOf(shape) < 2 || inner.has(name) || !(isConstant || initializers.has(name))) continue;
    const direct = usedBy.flatMap((user) => byName.get(user) ?? []);
    const users = direct.flatMap((node) => usersOf(node, readers));
    const weight = { name, shape, numValues: sizeOf(shape), isConstant, channels: channelsOf(name, shape, direct[0], users[0]), values: () => values()! };
    const shared = rows.filter((row) => users.some((user) => row.nodes.has(user)));
    for (const row of shared) rows.splice(rows.indexOf(row), 1);
    rows.push({ nodes: new Set([...shared.flatMap((row) => [...row.nodes]), ...users]), weights: [...shared.flatMap((row) => row.weights), weight] });
  }
  return rows
    .map(({ nodes: users, weights }): WeightRow => {
      const numBytes = weights.reduce((sum, { numValues }) => sum + 4 * numValues, 0);
      return { nodes: [...users].toSorted((a, b) => a.index - b.index), weights, numBytes };
    })
    .toSorted((a, b) => b.numBytes - a.numBytes);
}

/** The nodes that compute with a weight, behind those that only pass it on. */
function usersOf(node: NodeInfo, readers: ReadonlyMap<string, readonly NodeInfo[]>): readonly NodeInfo[] {
  const next = PASSING.has(node.op) ? node.outputs.flatMap((name) => readers.get(name) ?? []) : [];
  return next.length === 0 ? [node] : next.flatMap((reader) => usersOf(reader, readers));
}

/**
 * The channels of a weight that have a scale of their own, as onnxruntime quantizes: the output channels; of recurrent layers the
 * rows; of an embedding, one scale for all. Vectors are not quantized.
 */
function channelsOf(name: string, shape: readonly number[], direct: NodeInfo | undefined, user: NodeInfo | undefined): ChannelLayout | null {
  if (shape.length < 2 || !direct || !user) return null;
  const along = (axis: number): ChannelLayout => ({ stride: sizeOf(shape.slice(axis + 1)), count: shape[axis]! });
  // Turned around before it is used: its rows become the columns that MatMul reads.
  if (direct !== user) return along(0);
  switch (user.op) {
    case 'MatMul':
      return along(shape.length - (user.inputs[0] === name ? 2 : 1));
    case 'Gemm':
      return along(user.inputs[0] === name || user.attributes.transB === '1' ? 0 : 1);
    case 'ConvTranspose':
      return along(1);
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      // Biases have an axis of directions, too.
      return shape.length < 3 ? null : { stride: sizeOf(shape.slice(2)), count: shape[0]! * shape[1]! };
    case 'Gather':
      return { stride: 1, count: 1 };
    case 'Conv':
      return along(0);
    default:
      // Added or multiplied: a bias or a scale, whatever its rank.
      return null;
  }
}
