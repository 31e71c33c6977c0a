import { hasShape, indexOf } from '../measure';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph, LayerWeight } from './context';
import { axesText, countText } from './proof';

/** NaN or infinite values that the other side does not have in the same place: ours, else the golden ones. */
export function notFinite({ actual, golden, axes }: CauseContext): Cause | null {
  const sides = [
    ['ours', actual, golden],
    ['golden', golden, actual],
  ] as const;
  for (const [side, { data, shape }, other] of sides) {
    const areAligned = hasShape(other, shape);
    const isBroken = (value: number, index: number): boolean =>
      !Number.isFinite(value) && !(areAligned && Object.is(value, other.data[index]));
    const first = data.findIndex(isBroken);
    if (first < 0) continue;
    let nanCount = 0;
    let infCount = 0;
    for (const [index, value] of data.entries()) {
      if (!isBroken(value, index)) continue;
      if (Number.isNaN(value)) nanCount++;
      else infCount++;
    }
    const index = indexOf(first, shape);
    return {
      id: 'not-finite',
      evidence:
        `${side} has ${nanCount} NaN and ${infCount} infinite of ${data.length} values, ` +
        `the first at ${axesText(axes)} = (${index.join(', ')})`,
      values: { side, nanCount, infCount, index },
    };
  }
  return null;
}

/** Whether a tensor is a mask to add to scores: nothing but 0 and −∞. */
const isMask = (values: Float32Array): boolean => values.every((value) => value === 0 || value === -Infinity);

/**
 * A weight that holds NaN although the output does not: some kernels' activations turn NaN into a number, and the output is
 * wrong without a sign.
 */
export const nanWeight = (context: CauseContext): Cause | null => weightWith(context, Number.isNaN);

/** A weight that holds infinite values. The −∞ of a mask is no fault, so this is stated only if nothing else explains the error. */
export const infiniteWeight = (context: CauseContext): Cause | null =>
  weightWith(context, (value) => value === Infinity || value === -Infinity);

function weightWith({ layer }: CauseContext, isBroken: (value: number) => boolean): Cause | null {
  const weight = layer?.weights.find(({ values }) => values.some(isBroken) && !isMask(values));
  if (!weight) return null;
  const first = weight.values.findIndex(isBroken);
  const count = weight.values.reduce((sum, value) => sum + (isBroken(value) ? 1 : 0), 0);
  const index = indexOf(first, weight.shape);
  return {
    id: 'not-finite',
    evidence:
      `${count} of ${weight.values.length} values of the weight ${weight.name} of the node ${weight.nodes.join(', ')} ` +
      `${count === 1 ? 'is' : 'are'} not finite, the first at (${index.join(', ')})`,
    values: { side: 'weight', weight: weight.name, node: weight.nodes[0] ?? '', count, index },
  };
}

/** One side all zero and the other not, as of a backend that ran nothing or a file that was not filled. */
export function allZeros({ actual, golden }: CauseContext): Cause | null {
  const isZero = [actual, golden].map(({ data }) => data.every((value) => value === 0));
  if (isZero[0] === isZero[1] || actual.data.length === 0 || golden.data.length === 0) return null;
  const [side, other] = isZero[0] ? (['ours', 'golden'] as const) : (['golden', 'ours'] as const);
  const { data } = isZero[0] ? golden : actual;
  const nonZero = data.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
  const size = (isZero[0] ? actual : golden).data.length;
  return {
    id: 'all-zeros',
    evidence: `all ${size} values of ${side} are zero, and ${nonZero} of ${other} are not`,
    values: { side, nonZero },
  };
}

/** Weights of rank 2 and more that hold only zeros: never loaded. A bias may be zero in good faith. */
export function zeroWeights(context: CauseContext): Cause | null {
  const zero = zeroWeightsOf(context);
  if (zero.length === 0) return null;
  const [first] = zero;
  const more = zero.length > 1 ? `, and ${countText(zero.length - 1, 'more weight')} alike` : '';
  return {
    id: 'zero-weights',
    evidence:
      `all ${first!.values.length} values of the weight ${first!.name} ${axesText(first!.shape.map(String))} ` +
      `of the node ${first!.nodes.join(', ')} are zero${more}`,
    values: { weight: first!.name, node: first!.nodes[0] ?? '', weights: zero.map(({ name }) => name).join(', ') },
  };
}

/** The weights that {@link zeroWeights} blames. */
export function zeroWeightsOf({ layer, graph }: CauseContext): readonly LayerWeight[] {
  if (!layer) return [];
  const nodes = new Set(layer.lstms.map(({ node }) => node));
  const matrices = new Set(layer.lstms.flatMap(({ w, r }) => [w, r]));
  // An LSTM's initial state is a tensor of rank 3, and zero as it should be.
  const isState = ({ name, nodes: users }: LayerWeight): boolean =>
    !matrices.has(name) && users.length > 0 && users.every((node) => nodes.has(node));
  return layer.weights.filter(
    (weight) =>
      weight.shape.length >= 2 &&
      weight.values.length > 1 &&
      !isState(weight) &&
      (!graph || isParameter(graph, weight.name)) &&
      weight.values.every((value) => value === 0),
  );
}

/** Inputs of operators that are weights, by position. A zero state, mask or table of positions is none. */
const PARAMETERS: Readonly<Record<string, readonly number[]>> = {
  MatMul: [0, 1],
  MatMulInteger: [0, 1],
  Gemm: [0, 1],
  Conv: [1],
  ConvInteger: [1],
  ConvTranspose: [1],
  LSTM: [1, 2],
  GRU: [1, 2],
  RNN: [1, 2],
  Gather: [0],
};

/** Operators that pass a weight on. */
const PASSES = new Set(['Transpose', 'Cast', 'Reshape', 'Identity', 'DequantizeLinear', 'Squeeze', 'Unsqueeze']);

/** Whether a layer computes with a constant as one of its weights. */
function isParameter(graph: LayerGraph, name: string): boolean {
  return graph.nodes.some(({ opType, input, output }) => {
    if (PARAMETERS[opType]?.some((position) => input[position] === name)) return true;
    return PASSES.has(opType) && input[0] === name && isParameter(graph, output[0] ?? '');
  });
}
