import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft } from '../../onnx/replaceNodes';
import type { Weight } from '../../onnx/weights';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { provenRepair, type Repair } from './repair';

/** Bits after the point of float16 and bfloat16. */
const FLOAT16_BITS = 10;
const BFLOAT16_BITS = 7;

/** Steps of int8 on either side of zero. */
const INT8_STEPS = 127;

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
  float16: (values) => values.map((value) => toBits(value, FLOAT16_BITS, 2 ** -14)),
  bfloat16: (values) => values.map((value) => toBits(value, BFLOAT16_BITS, 2 ** -126)),
  'int8 (one scale)': (values) => toSteps(values, 1),
  'int8 (one scale for each output)': (values, { shape }) => toSteps(values, shape[0]!),
};

/** To the nearest number with so many bits after the point, to even in between. @param least normal number */
function toBits(value: number, bits: number, least: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(value), least)));
  const step = 2 ** (exponent - bits);
  return toEven(value / step) * step;
}

/** To whole steps of the greatest value of each of `groups` equal groups. */
function toSteps(values: Float32Array, groups: number): Float32Array {
  const size = values.length / groups;
  const result = new Float32Array(values.length);
  for (let group = 0; group < groups; group++) {
    const own = values.subarray(group * size, (group + 1) * size);
    const step = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / INT8_STEPS;
    if (step > 0) result.set(own.map((value) => toEven(value / step) * step), group * size);
  }
  return result;
}

/** The nearest whole number, the even one of two. */
function toEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
