import { create } from '@bufbuild/protobuf';
import { copyWith, readBy } from './nodes';
import { graphOf } from './model';
import {
  AttributeProto_AttributeType as Type,
  AttributeProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  type AttributeProto,
  type ModelProto,
  type NodeProto,
} from './onnx_pb';
import { untyped } from './types';

/** Replacement nodes by the {@link firstOutput} of the node that they replace. */
export type NodeChanges = ReadonlyMap<string, readonly NodeProto[]>;

/**
 * Replaces nodes of the model. ONNX Runtime infers the types and shapes of values. Nodes that no longer contribute to an
 * output stay in the graph; unused weights are removed.
 */
export function replaceNodes(model: ModelProto, changes: NodeChanges): ModelProto {
  const graph = graphOf(model);
  const node = graph.node.flatMap((own) => changes.get(firstOutput(own)) ?? [own]);
  const output = graph.output.map(({ name }) => untyped(name));
  const read = new Set([...node.flatMap(readBy), ...output.map(({ name }) => name)]);
  const initializer = graph.initializer.filter(({ name }) => read.has(name));
  const dropped = new Set(graph.initializer.filter((tensor) => !read.has(tensor.name)).map(({ name }) => name));
  // Format versions before 4 also list initializers among the inputs.
  const input = graph.input.filter(({ name }) => !dropped.has(name));
  return copyWith(model, { graph: copyWith(graph, { node, input, output, initializer, valueInfo: [] }) });
}

/** The first named output of a node; unused outputs may have no name. */
export const firstOutput = ({ output }: NodeProto): string => output.find((name) => name !== '') ?? '';

/** Creates an integer attribute. */
export const intAttribute = (name: string, value: number): AttributeProto =>
  create(AttributeProtoSchema, { name, type: Type.INT, i: BigInt(value) });

/** Creates an attribute with a list of integers. */
export const intsAttribute = (name: string, values: readonly number[]): AttributeProto =>
  create(AttributeProtoSchema, { name, type: Type.INTS, ints: values.map(BigInt) });

/** Creates a float32 attribute. */
export const floatAttribute = (name: string, value: number): AttributeProto =>
  create(AttributeProtoSchema, { name, type: Type.FLOAT, f: value });

/** Creates a text attribute. */
export const textAttribute = (name: string, value: string): AttributeProto =>
  create(AttributeProtoSchema, { name, type: Type.STRING, s: new TextEncoder().encode(value) });

/** Adds attributes to a node, in place of those with the same names. */
export function withAttributes(node: NodeProto, ...attributes: readonly AttributeProto[]): NodeProto {
  const names = new Set(attributes.map(({ name }) => name));
  return copyWith(node, { attribute: [...node.attribute.filter(({ name }) => !names.has(name)), ...attributes] });
}

/** The value of a node's attribute; `fallback` if the node does not have it. */
export const intOf = (node: NodeProto, name: string, fallback: number): number =>
  Number(attributeOf(node, name)?.i ?? fallback);

/** Like {@link intOf}, for float32. */
export const floatOf = (node: NodeProto, name: string, fallback: number): number =>
  attributeOf(node, name)?.f ?? fallback;

/** Like {@link intOf}, for text. */
export function textOf(node: NodeProto, name: string, fallback: string): string {
  const attribute = attributeOf(node, name);
  return attribute ? new TextDecoder().decode(attribute.s) : fallback;
}

/** The values of a node's attribute; empty if the node does not have it. */
export const intsOf = (node: NodeProto, name: string): number[] => attributeOf(node, name)?.ints.map(Number) ?? [];

const attributeOf = (node: NodeProto, name: string): AttributeProto | undefined =>
  node.attribute.find((attribute) => attribute.name === name);

/** Builds nodes that replace the node whose first output is `value`. */
export class Draft {
  readonly nodes: NodeProto[] = [];
  private numValues = 0;

  /** @param value the last node must output it: see {@link Draft.give} */
  constructor(private readonly value: string) {}

  /** Adds a node with one output. @returns the unique name of that output */
  add(opType: string, input: readonly string[], ...attribute: AttributeProto[]): string {
    const name = this.freshName();
    this.nodes.push(create(NodeProtoSchema, { opType, input: [...input], output: [name], attribute }));
    return name;
  }

  /** Adds a copy of the replaced node with another name for its first output. @returns that name */
  copy(node: NodeProto, changes: Partial<NodeProto> = {}): string {
    const name = this.freshName();
    this.nodes.push(copyWith(node, { output: node.output.map((own) => (own === this.value ? name : own)), ...changes }));
    return name;
  }

  /** Adds a float32 constant. @param values row-major @returns its name */
  floats(shape: readonly number[], values: Float32Array): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.constant(create(TensorProtoSchema, { dataType: TensorProto_DataType.FLOAT, dims: shape.map(BigInt), rawData }));
  }

  /** Adds a single float32. @returns its name */
  scalar = (value: number): string => this.floats([], Float32Array.of(value));

  /** Adds a list of int64. @returns its name */
  ints(values: readonly number[]): string {
    const int64Data = values.map(BigInt);
    return this.constant(create(TensorProtoSchema, { dataType: TensorProto_DataType.INT64, dims: [BigInt(values.length)], int64Data }));
  }

  /** Makes `name` the output of the replacement. @returns all nodes */
  give(name: string): readonly NodeProto[] {
    this.nodes.push(create(NodeProtoSchema, { opType: 'Identity', input: [name], output: [this.value] }));
    return this.nodes;
  }

  private constant(t: ReturnType<typeof create<typeof TensorProtoSchema>>): string {
    return this.add('Constant', [], create(AttributeProtoSchema, { name: 'value', type: Type.TENSOR, t }));
  }

  private freshName(): string {
    return `${this.value}/repaired/${this.numValues++}`;
  }
}
