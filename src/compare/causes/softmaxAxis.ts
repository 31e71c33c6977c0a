import { intAttribute, intOf, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { provenRepair, repairsOf } from './repair';

const OPERATORS = new Set(['Softmax', 'LogSoftmax', 'Hardmax']);

/** From the last: the rank is not needed to name them. */
const AXES = [-1, -2, -3, -4];

/** A softmax is taken along another axis than in the golden network. */
export function softmaxAxis(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => OPERATORS.has(opType)) ?? [];
  return provenRepair(context, 'softmax-axis', repairsOf(
    AXES.map((axis) => ({
      changes: nodes
        .filter((node) => intOf(node, 'axis', NaN) !== axis)
        .map((node) => ({ node, nodes: [withAttributes(node, intAttribute('axis', axis))] })),
      text: (label) => `axis ${axis} in ${label}`,
      values: { axis },
    })),
  ));
}
