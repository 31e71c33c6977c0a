import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { consumersOf, labelOf, provenRepair, type Repair } from './repair';

/** Operators by which inputs are normalized. */
const NORMALIZING = new Set(['Sub', 'Div', 'Mul', 'Add']);

/** Steps of a normalization at most: scale, mean, deviation, and an offset. */
const MAX_STEPS = 4;

/** The graph normalizes an input that is normalized already: without its first steps it gives the golden values. */
export function doublePreprocessing(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const repairs = graph ? [...graph.graphInputs].flatMap((input) => repairsAt(graph, input)) : [];
  return provenRepair(context, 'double-preprocessing', repairs);
}

/** Repairs that leave out the first step after an input, the first two, and so on. */
function repairsAt(graph: LayerGraph, input: string): Repair[] {
  const steps: NodeProto[] = [];
  let value = input;
  while (steps.length < MAX_STEPS) {
    const [next, ...others] = consumersOf(graph, value);
    if (!next || others.length > 0 || !NORMALIZING.has(next.opType)) break;
    const isConstant = next.input.every((name) => name === value || graph.constant(name) !== null);
    if (!isConstant) break;
    steps.push(next);
    value = next.output[0]!;
  }
  return steps.map((_, index) => {
    const omitted = steps.slice(0, index + 1);
    return {
      changes: new Map(omitted.map((node, step) => [node.output[0]!, new Draft(node.output[0]!).give(omitted[step - 1]?.output[0] ?? input)])),
      text: `leaving out ${omitted.map(labelOf).join(', ')}, as of an input that is normalized already,`,
      values: { nodes: omitted.map(labelOf).join(', ') },
    };
  });
}
