import { Draft } from '../../onnx/replaceNodes';
import { sizeOf } from '../tensor';
import type { Cause } from '../report';
import { attentionSites } from './attention';
import type { CauseContext } from './context';
import { labelOf, provenRepair, repairsOf, type Repair } from './repair';

/** Values of a mask at most: 2,048 positions. */
const MAX_VALUES = 1 << 22;

/** Attention lacks the causal mask, which hides the positions after each, or has a mask that the golden network has not. */
export async function causalMask(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const softmaxes = graph?.nodes.filter(({ opType }) => opType === 'Softmax') ?? [];
  if (!graph || softmaxes.length === 0) return null;
  const scores = await graph.values(softmaxes.map(({ input }) => input[0]!));
  const masked = softmaxes.flatMap((softmax) => {
    const shape = scores.get(softmax.input[0]!)?.shape.slice(-2) ?? [];
    if (shape.length < 2 || sizeOf(shape) > MAX_VALUES || shape[0] !== shape[1]) return [];
    const draft = new Draft(softmax.output[0]!);
    const mask = draft.floats(shape, upperTriangle(shape[0]!));
    const input = [draft.add('Add', [softmax.input[0]!, mask])];
    return [{ node: softmax, nodes: draft.give(draft.copy(softmax, { input })) }];
  });
  const missing = repairsOf([{ changes: masked, text: (nodes) => `a causal mask before ${nodes}`, values: { mask: 'missing' } }]);
  return provenRepair(context, 'causal-mask', [...missing, ...withoutMasks(context)]);
}

/** Row-major −∞ above the diagonal, 0 elsewhere. */
const upperTriangle = (size: number): Float32Array =>
  Float32Array.from({ length: size * size }, (_, index) => (index % size > Math.floor(index / size) ? -Infinity : 0));

function withoutMasks({ graph }: CauseContext): Repair[] {
  if (!graph) return [];
  return attentionSites(graph).flatMap(({ between, product }) =>
    between.flatMap((node, index) => {
      if (node.opType !== 'Add' && node.opType !== 'Where') return [];
      const scores = (between[index + 1] ?? product).output[0]!;
      return [
        {
          changes: new Map([[node.output[0]!, new Draft(node.output[0]!).give(scores)]]),
          text: `leaving out the mask of the node ${labelOf(node)}`,
          values: { mask: 'not golden', nodes: labelOf(node) },
        },
      ];
    }),
  );
}
