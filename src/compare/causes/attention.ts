import type { NodeProto } from '../../onnx/onnx_pb';
import type { LayerGraph } from './context';
import { producerOf } from './repair';

/** A softmax and the product whose scores it takes. */
export interface AttentionSite {
  readonly softmax: NodeProto;
  /** q · kᵀ, neither of which is a constant. */
  readonly product: NodeProto;
  /** Nodes between the two, from the softmax on: scale, mask, cast. */
  readonly between: readonly NodeProto[];
}

/** Operators between the product and the softmax. */
const BETWEEN = new Set(['Add', 'Sub', 'Mul', 'Div', 'Where', 'Cast', 'Identity', 'Reshape', 'Unsqueeze', 'Squeeze', 'Clip', 'Max', 'Min']);

/** Steps from the softmax to the product at most. */
const MAX_STEPS = 8;

/** The attention of a layer, as single operators. */
export function attentionSites(graph: LayerGraph): AttentionSite[] {
  return graph.nodes.flatMap((softmax) => {
    if (softmax.opType !== 'Softmax') return [];
    const path = pathToProduct(graph, softmax.input[0]!, MAX_STEPS);
    return path ? [{ softmax, product: path.at(-1)!, between: path.slice(0, -1) }] : [];
  });
}

/** Nodes from the one that gives `value` back to a product of two values that are no constants. */
function pathToProduct(graph: LayerGraph, value: string, steps: number): NodeProto[] | null {
  const node = producerOf(graph, value);
  if (!node || steps === 0) return null;
  if (node.opType === 'MatMul') return node.input.some((name) => graph.constant(name)) ? null : [node];
  if (!BETWEEN.has(node.opType)) return null;
  for (const input of node.input) {
    const path = pathToProduct(graph, input, steps - 1);
    if (path) return [node, ...path];
  }
  return null;
}
