import type { NodeProto } from '../../onnx/onnx_pb';
import { copyWith } from '../../onnx/message';
import { intAttribute, intOf, intsOf, withAttributes } from '../../onnx/replaceNodes';
import { hasShape } from '../measure';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { allowedAbs } from '../stageTolerance';
import { distance, errorText } from './proof';
import { provenRepair, repairsOf, type NodeChange, type Repair } from './repair';

/** Operators that take the mean in place of the greatest value, and the reverse. */
const OTHER_KIND: Readonly<Record<string, string>> = {
  MaxPool: 'AveragePool',
  AveragePool: 'MaxPool',
  GlobalMaxPool: 'GlobalAveragePool',
  GlobalAveragePool: 'GlobalMaxPool',
  ReduceMax: 'ReduceMean',
  ReduceMean: 'ReduceMax',
};

/** Pooling takes the mean in place of the greatest value or the reverse, or counts its padding, or rounds its size up. */
export async function otherPooling(context: CauseContext): Promise<Cause | null> {
  return provenRepair(context, 'pooling', repairs(context));
}

/** The size of pooling is rounded up on one side only, so that the shapes differ. */
export async function poolingSize(context: CauseContext): Promise<Cause | null> {
  const { graph, golden, tolerance } = context;
  const allowed = allowedAbs(tolerance, golden.data);
  if (!graph || !Number.isFinite(allowed)) return null;
  for (const { changes, text, values } of repairs(context)) {
    const repaired = await graph.run(changes);
    if (!repaired || !hasShape(repaired, golden.shape)) continue;
    const { maxAbs } = distance(repaired.data, golden.data);
    // Without an error of one shape to compare with, only the tolerance proves it.
    if (!(maxAbs <= allowed)) continue;
    return { id: 'pooling', evidence: `${text} gives the golden shape and values, with a max abs error of ${errorText(maxAbs)}`, values };
  }
  return null;
}

function repairs({ graph }: CauseContext): Repair[] {
  const pools = graph?.nodes.filter(({ opType, output }) => opType in OTHER_KIND && output.length === 1) ?? [];
  const change = (changeOf: (node: NodeProto) => NodeProto | null): NodeChange[] =>
    pools.flatMap((node) => {
      const changed = changeOf(node);
      return changed ? [{ node, nodes: [changed] }] : [];
    });
  const counts = (node: NodeProto, count: number): NodeProto => withAttributes(node, intAttribute('count_include_pad', count));
  const isPadded = (node: NodeProto): boolean => intsOf(node, 'pads').some((pad) => pad > 0) || intOf(node, 'ceil_mode', 0) === 1;
  const other = (node: NodeProto, isCounted: boolean): NodeProto | null => {
    const opType = OTHER_KIND[node.opType]!;
    const bare = copyWith(node, { opType, attribute: node.attribute.filter(({ name }) => !/^(count_include_pad|storage_order)$/.test(name)) });
    if (!isCounted) return bare;
    return opType === 'AveragePool' && isPadded(node) ? counts(bare, 1) : null;
  };
  return repairsOf([
    {
      changes: change((node) => (node.opType === 'AveragePool' && isPadded(node) ? counts(node, 1 - intOf(node, 'count_include_pad', 0)) : null)),
      text: (label) => `the other count_include_pad in ${label}`,
      values: { change: 'count_include_pad' },
    },
    {
      changes: change((node) => (/^(Max|Average)Pool$/.test(node.opType) ? withAttributes(node, intAttribute('ceil_mode', 1 - intOf(node, 'ceil_mode', 0))) : null)),
      text: (label) => `the other ceil_mode in ${label}`,
      values: { change: 'ceil_mode' },
    },
    ...[false, true].map((isCounted) => ({
      changes: change((node) => other(node, isCounted)),
      text: (label: string) => `the mean in place of the greatest value, or the reverse, in ${label}${isCounted ? ', with its padding counted,' : ''}`,
      values: { change: 'kind' },
    })),
  ]);
}
