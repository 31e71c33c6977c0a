import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, firstOutput } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { labelOf, provenRepair, type Repair } from './repair';

/** Inputs of operators that may be weights, by position. */
const WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  MatMul: [0, 1],
  Gemm: [1, 2],
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Add: [0, 1],
  Sub: [1],
  Mul: [0, 1],
  Div: [1],
  LayerNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  BatchNormalization: [1, 2, 3],
  PRelu: [1],
  LSTM: [1, 2, 3],
  GRU: [1, 2, 3],
  Gather: [0],
};

/** One weight has the other sign. */
export function negatedWeight(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const repairs = graph?.nodes.flatMap((node) => (WEIGHTS[node.opType] ?? []).flatMap((position) => {
    const name = node.input[position] ?? '';
    return graph.constant(name)?.dtype === 'float32' ? [repairOf(node, position, name)] : [];
  })) ?? [];
  return provenRepair(context, 'negated-weight', repairs);
}

function repairOf(node: NodeProto, position: number, name: string): Repair {
  const draft = new Draft(firstOutput(node));
  const negated = draft.add('Neg', [name]);
  return {
    changes: new Map([[firstOutput(node), draft.give(draft.copy(node, { input: node.input.with(position, negated) }))]]),
    text: `the weight ${name} of the node ${labelOf(node)} with the other sign`,
    values: { weight: name, nodes: labelOf(node) },
  };
}
