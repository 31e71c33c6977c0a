import { create } from '@bufbuild/protobuf';
import { findNode } from '../../src/onnx/cut';
import { copyWith, nodeNames, subgraphsOf } from '../../src/onnx/nodes';
import { encodeOnnx, graphOf, initializerNames, parseOnnx } from '../../src/onnx/model';
import {
  AttributeProto_AttributeType,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  type GraphProto,
  type ModelProto,
} from '../../src/onnx/onnx_pb';
import { dtypeName } from '../../src/onnx/types';
import { VoxlaneError } from '../../src/util/errors';

/** A node whose first output is multiplied by `factor`. */
export interface NodeFault {
  /** Name from `nodeNames`. */
  readonly node: string;
  readonly factor: number;
}

/** The bytes of a graph with `fault` if it contains the node; else the unchanged bytes. */
export function withNodeFault(bytes: Uint8Array, { node, factor }: NodeFault): Uint8Array {
  const model = parseOnnx(bytes, 'graph');
  return nodeNames(graphOf(model).node).includes(node) ? encodeOnnx(alterNode(model, node, factor)) : bytes;
}

/**
 * The model with the first output of a node multiplied before other nodes read it, which simulates a faulty backend. The
 * value keeps its name.
 *
 * @param nodeName name from {@link nodeNames}
 * @throws VoxlaneError `options` for a missing node or an output that is not float32
 */
export function alterNode(model: ModelProto, nodeName: string, factor: number): ModelProto {
  const graph = graphOf(model);
  const node = findNode(graph, nodeName);
  const value = node.output[0] ?? '';
  requireFloat(graph, nodeName, value);
  const taken = allNames(graph);
  const inner = freshName(`${value}/unaltered`, taken);
  const scale = freshName(`${value}/factor`, taken);
  const constant = create(NodeProtoSchema, {
    opType: 'Constant',
    name: freshName(`${nodeName}/factor`, taken),
    output: [scale],
    attribute: [
      {
        name: 'value',
        type: AttributeProto_AttributeType.TENSOR,
        t: create(TensorProtoSchema, { dataType: TensorProto_DataType.FLOAT, floatData: [Math.fround(factor)] }),
      },
    ],
  });
  const multiply = create(NodeProtoSchema, {
    opType: 'Mul',
    name: freshName(`${nodeName}/altered`, taken),
    input: [inner, scale],
    output: [value],
  });
  const names = nodeNames(graph.node);
  const nodes = graph.node.map((other, index) => copyWith(other, { name: names[index]! })).flatMap((other, index) =>
    graph.node[index] === node
      ? [copyWith(other, { output: [inner, ...other.output.slice(1)] }), constant, multiply]
      : [other],
  );
  return copyWith(model, { graph: copyWith(graph, { node: nodes }) });
}

function requireFloat(graph: GraphProto, nodeName: string, value: string): void {
  const kind = [...graph.valueInfo, ...graph.output, ...graph.input].find(({ name }) => name === value)?.type?.value;
  const dtype = kind?.case === 'tensorType' ? dtypeName(kind.value.elemType) : kind?.case;
  if (value !== '' && (dtype === undefined || dtype === 'float32')) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The node ${nodeName} gives ${dtype ? `${value} of type ${dtype}` : 'no first output'}`,
    expected: 'a node whose first output is float32',
    remedy: 'Name another node',
  });
}

/** All names of values and nodes in the graph and its subgraphs. */
function allNames(graph: GraphProto): Set<string> {
  const names = new Set([...initializerNames(graph), ...graph.input.map(({ name }) => name)]);
  for (const node of graph.node) {
    for (const name of [node.name, ...node.input, ...node.output]) names.add(name);
    for (const inner of subgraphsOf(node)) for (const name of allNames(inner)) names.add(name);
  }
  return names;
}

/** Returns an unused name and marks it as taken. */
function freshName(name: string, taken: Set<string>): string {
  let fresh = name;
  while (taken.has(fresh)) fresh += '_';
  taken.add(fresh);
  return fresh;
}
