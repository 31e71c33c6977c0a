import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as Type,
  ModelProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  type AttributeProtoSchema,
  type GraphProtoSchema,
  type ModelProto,
  type NodeProtoSchema,
  type TensorProto,
} from '../../src/onnx/onnx_pb';
import { makeValueInfo } from '../../src/onnx/types';

type GraphInit = MessageInitShape<typeof GraphProtoSchema>;
type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type AttributeInit = MessageInitShape<typeof AttributeProtoSchema>;

/** A node without a name, which a graph may have; names and attributes by `more`. */
export const node = (
  opType: string,
  input: readonly string[],
  output: readonly string[],
  more: Omit<Extract<NodeInit, { $typeName?: never }>, 'opType' | 'input' | 'output'> = {},
): NodeInit => ({ opType, input: [...input], output: [...output], ...more });

/** A model of a graph; `graph.input` and the like are messages or their parts. */
export const build = (
  graph: Extract<GraphInit, { $typeName?: never }>,
  more: Omit<Extract<MessageInitShape<typeof ModelProtoSchema>, { $typeName?: never }>, 'graph'> = {},
): ModelProto =>
  create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    producerName: 'test',
    graph: { name: 'graph', ...graph },
    ...more,
  });

/** A float32 value of this shape; null for an axis of any size. */
export const float = (name: string, ...shape: (number | null)[]): ReturnType<typeof makeValueInfo> =>
  makeValueInfo(name, { dtype: 'float32', shape });

/** A float32 initializer, in raw bytes as exporters write them. */
export const weight = (name: string, shape: readonly number[], values: readonly number[]): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dataType: TensorProto_DataType.FLOAT,
    dims: shape.map(BigInt),
    rawData: new Uint8Array(Float32Array.from(values).buffer),
  });

/** Attributes of each kind that the tests use. */
export const ints = (name: string, ...values: number[]): AttributeInit => ({
  name,
  type: Type.INTS,
  ints: values.map(BigInt),
});
export const int = (name: string, value: number): AttributeInit => ({ name, type: Type.INT, i: BigInt(value) });
export const text = (name: string, value: string): AttributeInit => ({
  name,
  type: Type.STRING,
  s: new TextEncoder().encode(value),
});
export const tensor = (name: string, value: TensorProto): AttributeInit => ({ name, type: Type.TENSOR, t: value });
export const subgraph = (name: string, g: GraphInit): AttributeInit => ({ name, type: Type.GRAPH, g });
