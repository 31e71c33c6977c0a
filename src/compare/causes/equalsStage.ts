import { hasShape } from '../measure';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { distance, explains, leavesText, MIN_VALUES } from './proof';

/** Ours is what another stage should be, as if a step between the two was left out, merged or named wrongly. */
export function equalsStage(context: CauseContext): Cause | null {
  const { actual, golden, others } = context;
  if (golden.data.length < MIN_VALUES) return null;
  const error = distance(actual.data, golden.data);
  for (const { name, tensor } of others) {
    if (!hasShape(tensor, golden.shape)) continue;
    const left = distance(actual.data, tensor.data);
    if (!explains(left, error, { ...context, golden: tensor })) continue;
    return {
      id: 'equals-stage',
      evidence: `ours has the golden values of the stage ${name}${leavesText(left, error)}`,
      values: { stage: name },
    };
  }
  return null;
}
