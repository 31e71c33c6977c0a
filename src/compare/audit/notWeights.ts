/** Constants of a graph that exporters write and no checkpoint has. */
import type { GraphProto } from '../../onnx/onnx_pb';
import { isConstant } from './statistics';
import type { AuditTensor } from './tensors';

/** Names of the factors and regions of Resize, which are settings. */
export const resizeSettings = ({ node }: GraphProto): Set<string> =>
  new Set(node.filter(({ opType }) => opType === 'Resize').flatMap(({ input }) => input.slice(1)));

/**
 * Places of the factors of one and biases of zero of InstanceNormalization nodes. Exporters write GroupNorm as such a node, and the
 * factors of the GroupNorm after it.
 */
export function plainNorms({ node }: GraphProto, graph: readonly AuditTensor[]): ReadonlySet<number> {
  const norms = node.filter(({ opType }) => opType === 'InstanceNormalization');
  const [factors, biases] = [1, 2].map((position) => new Set(norms.map(({ input }) => input[position])));
  const isAll = ({ statistics }: AuditTensor, value: number): boolean => statistics !== null && isConstant(statistics) && statistics.min === value;
  return new Set(
    graph.flatMap((tensor, place) => (factors!.has(tensor.name) && isAll(tensor, 1)) || (biases!.has(tensor.name) && isAll(tensor, 0)) ? [place] : []),
  );
}
