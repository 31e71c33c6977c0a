/** Weights of linear layers that a graph has transposed, as its operators need them. */
import type { GraphProto, NodeProto } from '../../onnx/onnx_pb';
import type { Link } from './links';
import type { AuditTensor } from './tensors';

/** Layout of the weights of linear layers in a graph. */
export interface Transposed {
  /** Places of weights that are transposed, as their node needs them. */
  readonly needed: ReadonlySet<number>;
  /** Places of square weights that are as in the checkpoint, though their node needs them transposed. */
  readonly missing: ReadonlySet<number>;
}

/**
 * Places of the graph's weights whose node multiplies by them from the right, while the checkpoint has (output, input) as PyTorch
 * does. A square weight fits both ways: it counts only if a weight that is not square shows that the checkpoint has them so, and none
 * shows the opposite.
 */
export function transposedWeights(
  { node }: GraphProto,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
  links: readonly Link[],
): Transposed {
  const products = new Set(node.filter(isProduct).map(({ input }) => input[1] ?? ''));
  const ofProducts = links.filter(({ graph: place, part }) => part === null && products.has(graph[place]!.name) && graph[place]!.shape.length === 2);
  const isSquare = ({ graph: place }: Link): boolean => graph[place]!.shape[0] === graph[place]!.shape[1];
  const isTransposed = ({ relation }: Link): boolean => relation.kind === 'permuted' && relation.order.join() === '1,0';
  // Keras keeps (input, output), and calls it a kernel.
  const isKernel = ({ checkpoint: place }: Link): boolean => /(^|[./])kernel$/.test(checkpoint[place]!.name);
  const telling = ofProducts.filter((link) => !isSquare(link));
  const areSquaresTransposed = telling.some(isTransposed) && !telling.some(({ relation }) => relation.kind === 'same');
  const needed = ofProducts.filter((link) => isTransposed(link) && !isKernel(link) && (!isSquare(link) || areSquaresTransposed));
  // Other parameters may be multiplied without a transposition.
  const isOfLayer = ({ checkpoint: place }: Link): boolean => /(^|[./])weight$/.test(checkpoint[place]!.name);
  const missing = ofProducts.filter((link) => areSquaresTransposed && isSquare(link) && link.relation.kind === 'same' && isOfLayer(link) && !isSymmetric(graph[link.graph]!));
  return { needed: new Set(needed.map(({ graph: place }) => place)), missing: new Set(missing.map(({ graph: place }) => place)) };
}

function isSymmetric({ shape, values }: AuditTensor): boolean {
  const data = values();
  const size = shape[0]!;
  return data === null || data.every((value, index) => value === data[(index % size) * size + Math.floor(index / size)]);
}

/** Multiplies by its second input as it is. */
const isProduct = ({ opType, attribute }: NodeProto): boolean =>
  opType === 'MatMul' || (opType === 'Gemm' && attribute.find(({ name }) => name === 'transB')?.i !== 1n);
