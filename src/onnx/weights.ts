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

/** A tensor that the file holds: an initializer, or what a Constant node gives. */
export interface Weight {
  /** Of the value; of one inside of an If, Loop or Scan it need not be the only one of that name. */
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** What is wrong with how the file holds it: `sparse`, or a length that does not fit. */
  readonly problem: string | null;
  /** Row-major, little-endian, as {@link tensorBytes}. Not to be written to. */
  readonly bytes: () => Uint8Array;
  /** As float32, a copy; null where it cannot be, as {@link tensorValues}. */
  readonly values: () => Float32Array | null;
}

/** A weight and the nodes that read it. */
export interface UsedWeight extends Weight {
  /** Names of nodes, in the graph's order. */
  readonly usedBy: readonly string[];
}

/** An LSTM node and the names of its weights, all float32 initializers. */
export interface LstmNode {
  readonly node: string;
  /** Of the input, (direction, 4 × hidden, feature), gates in the order input, output, forget, cell. */
  readonly w: string;
  /** Of the state, (direction, 4 × hidden, hidden), gates as in `w`. */
  readonly r: string;
  /** Biases, (direction, 8 × hidden): the input's, then the state's. */
  readonly b: string | null;
  readonly hidden: number;
  readonly directions: number;
  /** `forward`, `reverse` or `bidirectional`. */
  readonly direction: string;
}

/** Every tensor of weights that `model` holds: initializers first, then constants, then those of inner graphs. */
export function listWeights(model: ModelProto): Weight[] {
  return weightsOf(graphOf(model));
}

function weightsOf(graph: GraphProto): Weight[] {
  return [...ownWeights(graph), ...graph.node.flatMap(innerWeights)];
}

/** Without those of the graphs inside of its nodes. */
function ownWeights({ initializer, sparseInitializer, node }: GraphProto): Weight[] {
  return [
    ...initializer.map((tensor) => toWeight(tensor.name, tensor)),
    ...sparseInitializer.map(sparseWeight),
    ...node.map(constantOf).filter((weight) => weight !== null),
  ];
}

const innerWeights = (node: NodeProto): Weight[] => subgraphsOf(node).flatMap(weightsOf);

/**
 * The weights that the nodes between `inputs` and `outputs` read, and which nodes do.
 *
 * @throws VoxlaneError as {@link sliceOf}
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
 * @throws VoxlaneError as {@link sliceOf}
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
 * The model with other values in some of its float32 initializers.
 *
 * @param changes row-major, by name, as many values as before
 * @throws VoxlaneError `options` for a name that is not there, another type or another number of values
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
      problem: `${values.length} float32 values cannot stand for ${name}, ${dtypeName(dataType)} (${dims.join(', ')})`,
      expected: 'a float32 initializer and as many values as its shape has',
      remedy: 'Give values of the same shape',
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

/** What a Constant node gives, whichever of its attributes holds it; null for strings and other nodes. */
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
