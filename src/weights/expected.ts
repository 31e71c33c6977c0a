import { graphOf, type ModelProto } from '../onnx/model';
import type { GraphProto, NodeProto } from '../onnx/onnx_pb';
import { readBy } from '../onnx/nodes';
import { isExternal, shapeOf } from '../onnx/tensors';
import { dtypeName } from '../onnx/types';
import { BYTES_PER_ELEMENT, type ElementType } from '../util/elementTypes';
import { invalidWeights } from './failure';

/** A tensor that a graph reads from a file with weights. */
export interface ExpectedTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /**
   * The axis of the output channels, if every use of the tensor is as the weight matrix of a product or a convolution.
   * Null for all other tensors: biases, norms, embeddings.
   */
  readonly channelAxis: number | null;
  /**
   * True for the matrices before the first and after the last layer norm of a network that has some. No norm centers the inputs of the
   * first ones, such as log-mel features, and no norm damps the errors of the last ones. Rounding these few products to 8 bits would
   * change more decisions than rounding all others.
   */
  readonly isOuter?: true;
  /** Whether it has what the rounding of another tensor left: zeros, if nothing was rounded. */
  readonly isRest?: true;
}

/**
 * The initializers of a graph that are in another file, in graph order.
 *
 * @throws VoxlaneError `model-invalid` if one has a type that files with weights do not have
 */
export function expectedWeights(model: ModelProto): ExpectedTensor[] {
  const graph = graphOf(model);
  const readers = readersByName(graph);
  const isInner = innerNodes(graph);
  return graph.initializer.filter(isExternal).map((tensor) => {
    const { name, dataType } = tensor;
    const type = dtypeName(dataType);
    if (!isElementType(type)) {
      throw invalidWeights(`The tensor ${name} of the graph has the type ${type}`, 'numbers of at most 64 bits', 'Export the graph again');
    }
    const channelAxis = channelAxisOf(name, readers);
    const isOuter = channelAxis !== null && !productsOf(name, readers).every(isInner);
    return { name, type, shape: shapeOf(tensor), channelAxis, ...(isOuter && { isOuter }) };
  });
}

const isElementType = (type: string): type is ElementType => Object.hasOwn(BYTES_PER_ELEMENT, type);

type Readers = ReadonlyMap<string, readonly NodeProto[]>;

function readersByName({ node }: GraphProto): Map<string, NodeProto[]> {
  const readers = new Map<string, NodeProto[]>();
  for (const one of node) {
    for (const name of readBy(one)) readers.set(name, [...(readers.get(name) ?? []), one]);
  }
  return readers;
}

const NORM = 'LayerNormalization';

/** Selects the nodes that read a value made of a layer norm's output, and compute one that a layer norm's input is made of; all if there is no norm. */
function innerNodes({ node }: GraphProto): (one: NodeProto) => boolean {
  if (node.every(({ opType }) => opType !== NORM)) return () => true;
  // A graph lists its nodes in the order of computation.
  const normed = new Set<string>();
  for (const one of node) {
    if (one.opType === NORM || readBy(one).some((name) => normed.has(name))) for (const name of one.output) normed.add(name);
  }
  const reachesNorm = new Set<string>();
  for (const one of node.toReversed()) {
    if (one.opType === NORM || one.output.some((name) => reachesNorm.has(name))) for (const name of readBy(one)) reachesNorm.add(name);
  }
  return (one) => readBy(one).some((name) => normed.has(name)) && one.output.some((name) => reachesNorm.has(name));
}

/** The nodes that multiply by a matrix, also by its transpose. */
const productsOf = (name: string, readers: Readers): readonly NodeProto[] =>
  (readers.get(name) ?? []).flatMap((node) => (node.opType === 'Transpose' ? productsOf(node.output[0] ?? '', readers) : [node]));

/** The axis that all readers of the value agree on; null if there is none. */
function channelAxisOf(name: string, readers: Readers): number | null {
  const [first = null, ...others] = (readers.get(name) ?? []).map((node) => axisInNode(node, name, readers));
  return others.every((axis) => axis === first) ? first : null;
}

/** The axis of the output channels of the value `name` in a node that reads it; null if it is not its weight matrix. */
function axisInNode(node: NodeProto, name: string, readers: Readers): number | null {
  const { opType, input, output, attribute } = node;
  if (input.filter((value) => value === name).length !== 1) return null;
  const place = input.indexOf(name);
  if (opType === 'Transpose') {
    const axis = channelAxisOf(output[0] ?? '', readers);
    const order = attribute.find((one) => one.name === 'perm')?.ints;
    return axis === null || !order ? null : Number(order[axis]);
  }
  if (place !== 1) return null;
  switch (opType) {
    case 'Gemm':
      return attribute.find((one) => one.name === 'transB')?.i === 1n ? 0 : 1;
    case 'MatMul':
      return 1;
    case 'Conv':
      return 0;
    default:
      return null;
  }
}
