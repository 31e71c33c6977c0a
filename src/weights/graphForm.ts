/** The graph for converted weights: its nodes compute in float32, and read each weight through a conversion. */
import { create } from '@bufbuild/protobuf';
import { graphOf, type ModelProto } from '../onnx/model';
import { copyWith } from '../onnx/nodes';
import { type NodeProto, NodeProtoSchema, TensorProto_DataType, type TensorProto } from '../onnx/onnx_pb';
import { intAttribute } from '../onnx/replaceNodes';
import type { ElementType } from '../util/elementTypes';
import { convertedTensors, type WeightsForm } from './convert';
import { type ExpectedTensor, expectedWeights } from './expected';

const DATA_TYPES: Partial<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  int8: TensorProto_DataType.INT8,
};

/**
 * Changes a graph whose weights are in another file so that it reads converted weights: float16 matrices through `Cast`, int8
 * matrices as the sum of two `DequantizeLinear` with the scales of their channels. Names, shapes and types of its external tensors are
 * then those of `convertedTensors`. ONNX Runtime computes with the same values as a backend that uses the converted weights
 * directly, so it is their reference.
 *
 * @param model as `parseGraphAlone` returns it
 * @throws VoxlaneError `model-invalid` if a weight has a type that files with weights do not have
 */
export function graphInForm(model: ModelProto, form: WeightsForm): ModelProto {
  const graph = graphOf(model);
  const expected = expectedWeights(model);
  const stored = new Map(expected.map((tensor) => [tensor.name, convertedTensors([tensor], form)]));
  const changed = new Set(expected.filter(({ name, type }) => stored.get(name)![0]!.type !== type).map(({ name }) => name));
  const initializer = graph.initializer.flatMap((tensor) =>
    changed.has(tensor.name) ? stored.get(tensor.name)!.map((part) => declared(part, tensor)) : [tensor],
  );
  const conversions = Array.from(changed).flatMap((name) => conversionOf(stored.get(name)!));
  const node = [...conversions, ...graph.node.map((one) => readingConverted(one, changed))];
  return copyWith(model, { graph: copyWith(graph, { initializer, node }) });
}

/** Name of a weight after its conversion to float32. */
const floatName = (name: string): string => `${name}.float32`;

/** The declaration of a tensor that is in the same file as `original`. */
const declared = ({ name, type, shape }: ExpectedTensor, original: TensorProto): TensorProto =>
  copyWith(original, { name, dataType: DATA_TYPES[type]!, dims: shape.map(BigInt) });

/** @param parts of one weight, in the order of `convertedTensors` */
function conversionOf(parts: readonly ExpectedTensor[]): NodeProto[] {
  const [{ name, channelAxis }, scale, fine, fineScale] = parts as readonly [ExpectedTensor, ...ExpectedTensor[]];
  if (!scale || !fine || !fineScale) {
    return [nodeOf('Cast', [name], floatName(name), [intAttribute('to', TensorProto_DataType.FLOAT)])];
  }
  const axis = [intAttribute('axis', channelAxis!)];
  const coarseFloats = `${name}.coarse.float32`;
  return [
    nodeOf('DequantizeLinear', [name, scale.name], coarseFloats, axis),
    nodeOf('DequantizeLinear', [fine.name, fineScale.name], floatName(fine.name), axis),
    nodeOf('Add', [coarseFloats, floatName(fine.name)], floatName(name)),
  ];
}

const nodeOf = (opType: string, input: string[], output: string, attribute: NodeProto['attribute'] = []): NodeProto =>
  create(NodeProtoSchema, { opType, name: output, input, output: [output], attribute });

/** A weight that a subgraph reads is not converted: it is not used as a matrix only. */
function readingConverted(node: NodeProto, changed: ReadonlySet<string>): NodeProto {
  return node.input.some((name) => changed.has(name)) ? copyWith(node, { input: node.input.map((name) => (changed.has(name) ? floatName(name) : name)) }) : node;
}
