import { Draft } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import { attentionSites } from './attention';
import type { CauseContext } from './context';
import { provenRepair, repairsOf } from './repair';

/** The scores of attention are not divided by √d, or twice. */
export async function attentionScale(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const sites = graph ? attentionSites(graph) : [];
  if (!graph || sites.length === 0) return null;
  const queries = await graph.values(sites.map(({ product }) => product.input[0]!));
  const scaled = sites.flatMap((site) => {
    const size = queries.get(site.product.input[0]!)?.shape.at(-1) ?? 0;
    return size > 1 ? [{ ...site, size }] : [];
  });
  const sizes = [...new Set(scaled.map(({ size }) => size))].join(', ');
  return provenRepair(context, 'attention-scale', repairsOf(
    [-0.5, 0.5].map((power) => ({
      changes: scaled.map(({ product, size }) => {
        const draft = new Draft(product.output[0]!);
        return { node: product, nodes: draft.give(draft.add('Mul', [draft.copy(product), draft.scalar(size ** power)])) };
      }),
      text: (nodes) => `${power < 0 ? 'dividing' : 'multiplying'} the scores of ${nodes} by √${sizes}`,
      values: { power },
    })),
  ));
}
