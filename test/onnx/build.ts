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

/** A node without a name, which graphs allow. Set names and attributes with `more`. */
export const node = (
  opType: string,
  input: readonly string[],
  output: readonly string[],
  more: Omit<Extract<NodeInit, { $typeName?: never }>, 'opType' | 'input' | 'output'> = {},
): NodeInit => ({ opType, input: [...input], output: [...output], ...more });

/** A model with a graph. Fields such as `graph.input` are messages or their fields. */
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

/** A float32 value with this shape; null for a dynamic axis. */
export const float = (name: string, ...shape: (number | null)[]): ReturnType<typeof makeValueInfo> =>
  makeValueInfo(name, { dtype: 'float32', shape });

/** A float32 initializer with raw bytes, as written by exporters. */
export const weight = (name: string, shape: readonly number[], values: readonly number[]): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dataType: TensorProto_DataType.FLOAT,
    dims: shape.map(BigInt),
    rawData: new Uint8Array(Float32Array.from(values).buffer),
  });

/** Attributes of the kinds used in tests. */
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
