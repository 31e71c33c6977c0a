import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, floatAttribute, floatOf, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { consumersOf, provenRepair, repairsOf } from './repair';

/** Epsilons that frameworks and models use, the usual ones first. */
const EPSILONS = [1e-5, 1e-6, 1e-3, 1e-12, 1e-8, 1e-7, 1e-4, 1e-2];

/** Of ONNX's operators. */
const DEFAULT = 1e-5;

const NORMALIZATIONS = new Set([
  'LayerNormalization',
  'BatchNormalization',
  'InstanceNormalization',
  'GroupNormalization',
  'RMSNormalization',
  'SimplifiedLayerNormalization',
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
]);

/** A greater number under a root is no epsilon. */
const MAX_EPSILON = 0.1;

/** A normalization adds another epsilon to the variance than the golden one does. */
export function otherEpsilon(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const sites = graph?.nodes.flatMap((node) => siteOf(node, graph) ?? []) ?? [];
  return provenRepair(context, 'epsilon', repairsOf(
    EPSILONS.map((epsilon) => {
      const others = sites.filter((site) => Math.abs(site.epsilon / epsilon - 1) > 0.01);
      const ours = [...new Set(others.map((site) => numberText(site.epsilon)))].join(', ');
      return {
        changes: others.map(({ node, withEpsilon }) => ({ node, nodes: withEpsilon(epsilon) })),
        text: (nodes) => `an epsilon of ${numberText(epsilon)} in place of ${ours} in ${nodes}`,
        values: { epsilon },
      };
    }),
  ));
}

interface Site {
  readonly node: NodeProto;
  readonly epsilon: number;
  readonly withEpsilon: (epsilon: number) => readonly NodeProto[];
}

function siteOf(node: NodeProto, graph: LayerGraph): Site | null {
  if (NORMALIZATIONS.has(node.opType)) {
    return {
      node,
      epsilon: floatOf(node, 'epsilon', DEFAULT),
      withEpsilon: (epsilon) => [withAttributes(node, floatAttribute('epsilon', epsilon))],
    };
  }
  const { output, input, opType } = node;
  if (opType !== 'Add' || !consumersOf(graph, output[0]!).some((user) => user.opType === 'Sqrt' || user.opType === 'Pow')) return null;
  const position = input.findIndex((name) => graph.constant(name) !== null);
  const added = graph.constant(input[position] ?? '');
  const values = added?.dtype === 'float32' ? added.values() : null;
  const epsilon = values?.length === 1 ? values[0]! : 0;
  if (!(epsilon > 0 && epsilon <= MAX_EPSILON)) return null;
  return {
    node,
    epsilon,
    withEpsilon: (other) => {
      const draft = new Draft(output[0]!);
      return draft.give(draft.copy(node, { input: input.with(position, draft.scalar(other)) }));
    },
  };
}

/** `1e-5`, `0.001` */
const numberText = (value: number): string => Number(value.toPrecision(4)).toString();
