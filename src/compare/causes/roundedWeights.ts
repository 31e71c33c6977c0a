import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft } from '../../onnx/replaceNodes';
import type { Weight } from '../../onnx/weights';
import type { Cause } from '../report';
import { toBfloat16, toFloat16, toInt8 } from '../rounding';
import type { CauseContext } from './context';
import { provenRepair, type Repair } from './repair';

/** The golden values were computed with weights of fewer bits. */
export function roundedWeights(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  if (!graph) return Promise.resolve(null);
  const repairs = Object.entries(ROUNDINGS).map(([dtype, round]): Repair => {
    const changes = new Map<string, readonly NodeProto[]>();
    let numWeights = 0;
    for (const node of graph.nodes) {
      const draft = new Draft(node.output[0]!);
      const input = node.input.map((name) => {
        const weight = graph.constant(name);
        const values = weight?.dtype === 'float32' && weight.shape.length >= 2 ? weight.values() : null;
        if (!weight || !values) return name;
        numWeights++;
        return draft.floats(weight.shape, round(values, weight));
      });
      if (draft.nodes.length > 0) changes.set(node.output[0]!, draft.give(draft.copy(node, { input })));
    }
    return { changes, text: `rounding the weights of the stage to ${dtype}`, values: { dtype, numWeights } };
  });
  return provenRepair(context, 'rounded-weights', repairs.filter(({ changes }) => changes.size > 0));
}

type Round = (values: Float32Array, weight: Weight) => Float32Array;

const ROUNDINGS: Readonly<Record<string, Round>> = {
  float16: toFloat16,
  bfloat16: toBfloat16,
  'int8 (one scale)': (values) => toInt8(values, { stride: 1, count: 1 }),
  'int8 (one scale for each output)': (values, { shape }) => toInt8(values, { stride: values.length / shape[0]!, count: shape[0]! }),
};
