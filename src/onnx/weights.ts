import { create } from '@bufbuild/protobuf';
import { VoxlaneError } from '../util/errors';
import { copyWith, nodeNames, readBy, subgraphsOf } from './nodes';
import { graphOf } from './model';
import {
  TensorProto_DataType,
  TensorProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type SparseTensorProto,
  type TensorProto,
} from './onnx_pb';
import { requireKnown, sliceOf, type Bounds } from './cut';
import { neededBytes, numValuesOf, shapeOf, tensorBytes, tensorValues } from './tensors';
import { dtypeName } from './types';

/** A tensor in the file: an initializer, or the value of a Constant node. */
export interface Weight {
  /** Name of the value. Inside an If, Loop or Scan it may not be unique. */
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** What is wrong with its storage: `sparse`, or a wrong length. */
  readonly problem: string | null;
  /** Row-major, little-endian, as in {@link tensorBytes}. Read-only. */
  readonly bytes: () => Uint8Array;
  /** As float32, a copy; null if not possible, as in {@link tensorValues}. */
  readonly values: () => Float32Array | null;
}

/** A weight and the nodes that read it. */
interface UsedWeight extends Weight {
  /** Node names, in graph order. */
  readonly usedBy: readonly string[];
}

/** An LSTM node and the names of its weights, all float32 initializers. */
export interface LstmNode {
  readonly node: string;
  /** Input weights, (direction, 4 × hidden, feature), gates in the order input, output, forget, cell. */
  readonly w: string;
  /** State weights, (direction, 4 × hidden, hidden), gates as in `w`. */
  readonly r: string;
  /** Biases, (direction, 8 × hidden): those of the input, then those of the state. */
  readonly b: string | null;
  readonly hidden: number;
  readonly directions: number;
  /** `forward`, `reverse` or `bidirectional`. */
  readonly direction: string;
}

/** All weight tensors of `model`: initializers first, then constants, then those of subgraphs. */
export function listWeights(model: ModelProto): Weight[] {
  return weightsOf(graphOf(model));
}

function weightsOf(graph: GraphProto): Weight[] {
  return [...ownWeights(graph), ...graph.node.flatMap(innerWeights)];
}

/** Weights without those of subgraphs. */
function ownWeights({ initializer, sparseInitializer, node }: GraphProto): Weight[] {
  return [
    ...initializer.map((tensor) => toWeight(tensor.name, tensor)),
    ...sparseInitializer.map(sparseWeight),
    ...node.map(constantOf).filter((weight) => weight !== null),
  ];
}

const innerWeights = (node: NodeProto): Weight[] => subgraphsOf(node).flatMap(weightsOf);

/**
 * The weights that the nodes between `inputs` and `outputs` read, with these nodes.
 *
 * @throws VoxlaneError like {@link sliceOf}
 */
export function weightsBetween(model: ModelProto, bounds: Bounds): UsedWeight[] {
  const graph = graphOf(model);
  const names = nodeNames(graph.node);
  const users = new Map<string, string[]>();
  const { nodes } = sliceOf(model, bounds);
  for (const index of nodes) {
    for (const value of readBy(graph.node[index]!)) users.set(value, [...(users.get(value) ?? []), names[index]!]);
  }
  for (const value of bounds.inputs) users.delete(value);
  return [
    ...ownWeights(graph).flatMap((weight) => {
      const usedBy = users.get(weight.name);
      return usedBy ? [{ ...weight, usedBy }] : [];
    }),
    ...nodes.flatMap((index) =>
      innerWeights(graph.node[index]!).map((weight) => ({ ...weight, usedBy: [names[index]!] })),
    ),
  ];
}

/**
 * The LSTM nodes between `inputs` and `outputs` whose weights are float32 initializers.
 *
 * @throws VoxlaneError like {@link sliceOf}
 */
export function lstmNodes(model: ModelProto, bounds: Bounds): LstmNode[] {
  const graph = graphOf(model);
  const names = nodeNames(graph.node);
  const given = new Set(bounds.inputs);
  const floats = new Map(
    graph.initializer
      .filter(({ name, dataType }) => dtypeName(dataType) === 'float32' && !given.has(name))
      .map((tensor) => [tensor.name, tensor]),
  );
  return sliceOf(model, bounds).nodes.flatMap((index) => {
    const node = graph.node[index]!;
    const [, w = '', r = '', b = ''] = node.input;
    const state = floats.get(r);
    if (node.opType !== 'LSTM' || !floats.has(w) || !state || (b !== '' && !floats.has(b))) return [];
    const [directions = 1, , hidden = 0] = shapeOf(state);
    const direction = new TextDecoder().decode(node.attribute.find(({ name }) => name === 'direction')?.s);
    return [
      { node: names[index]!, w, r, b: b === '' ? null : b, hidden, directions, direction: direction || 'forward' },
    ];
  });
}

/**
 * Replaces the values of float32 initializers.
 *
 * @param changes row-major, by name, with the same number of values as before
 * @throws VoxlaneError `options` for an unknown name, another type or another number of values
 */
export function replaceWeights(model: ModelProto, changes: ReadonlyMap<string, Float32Array>): ModelProto {
  const graph = graphOf(model);
  requireKnown(changes.keys(), new Set(graph.initializer.map(({ name }) => name)), 'the name of an initializer');
  const initializer = graph.initializer.map((tensor) => {
    const values = changes.get(tensor.name);
    return values ? withValues(tensor, values) : tensor;
  });
  return copyWith(model, { graph: copyWith(graph, { initializer }) });
}

function withValues(tensor: TensorProto, values: Float32Array): TensorProto {
  const { name, dataType, dims } = tensor;
  if (dtypeName(dataType) !== 'float32' || values.length !== numValuesOf(tensor)) {
    throw new VoxlaneError({
      code: 'options',
      problem: `${values.length} float32 values cannot replace ${name}, ${dtypeName(dataType)} (${dims.join(', ')})`,
      expected: 'a float32 initializer and as many values as its shape has',
      remedy: 'Pass values of the same shape',
    });
  }
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  // Without the values that the tensor may have in a typed field.
  return create(TensorProtoSchema, { name, dataType, dims, rawData });
}

function toWeight(name: string, tensor: TensorProto): Weight {
  return {
    name,
    dtype: dtypeName(tensor.dataType),
    shape: shapeOf(tensor),
    problem: problemOf(tensor),
    bytes: () => tensorBytes(tensor),
    values: () => tensorValues(tensor),
  };
}

function problemOf(tensor: TensorProto): string | null {
  const needed = neededBytes(tensor);
  const { length } = tensorBytes(tensor);
  if (needed === null || length === needed) return null;
  return `${dtypeName(tensor.dataType)} (${tensor.dims.join(', ')}) needs ${needed} bytes, but the file has ${length}`;
}

function sparseWeight({ values = create(TensorProtoSchema), dims }: SparseTensorProto): Weight {
  return { ...toWeight(values.name, values), shape: dims.map(Number), problem: 'sparse', values: () => null };
}

/** The value of a Constant node, from any of its attributes; null for strings and other nodes. */
function constantOf({ opType, output, attribute }: NodeProto): Weight | null {
  const [name = ''] = output;
  const [held] = attribute;
  if (opType !== 'Constant' || !held) return null;
  if (held.t) return toWeight(name, held.t);
  if (held.sparseTensor) return { ...sparseWeight(held.sparseTensor), name };
  switch (held.name) {
    case 'value_float':
      return toWeight(name, floats([], [held.f]));
    case 'value_floats':
      return toWeight(name, floats([held.floats.length], held.floats));
    case 'value_int':
      return toWeight(name, integers([], [held.i]));
    case 'value_ints':
      return toWeight(name, integers([held.ints.length], held.ints));
    default:
      return null;
  }
}

const floats = (shape: readonly number[], floatData: number[]): TensorProto =>
  create(TensorProtoSchema, { dataType: TensorProto_DataType.FLOAT, dims: shape.map(BigInt), floatData });

const integers = (shape: readonly number[], int64Data: bigint[]): TensorProto =>
  create(TensorProtoSchema, { dataType: TensorProto_DataType.INT64, dims: shape.map(BigInt), int64Data });
