import { Draft, intsAttribute } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import { attentionSites } from './attention';
import type { CauseContext } from './context';
import { provenRepair, repairsOf } from './repair';

/** Queries and keys are exchanged, so that the scores are transposed. */
export async function queryKeySwapped(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const sites = graph ? attentionSites(graph) : [];
  if (!graph || sites.length === 0) return null;
  const scores = await graph.values(sites.map(({ product }) => product.output[0]!));
  const changes = sites.flatMap(({ product }) => {
    const shape = scores.get(product.output[0]!)?.shape ?? [];
    const rank = shape.length;
    if (rank < 2 || shape[rank - 1] !== shape[rank - 2]) return [];
    const order = shape.map((_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis));
    const draft = new Draft(product.output[0]!);
    return [{ node: product, nodes: draft.give(draft.add('Transpose', [draft.copy(product)], intsAttribute('perm', order))) }];
  });
  return provenRepair(context, 'query-key-swapped', repairsOf([
    { changes, text: (nodes) => `exchanging the queries and the keys of ${nodes}`, values: {} },
  ]));
}
