import { hasShape, indexOf } from '../measure';
import type { Cause } from '../report';
import { allowedAbs } from '../stageTolerance';
import type { CauseContext, LayerGraph, LayerWeight } from './context';
import { along, axesText, countText, distance, errorText, sideText } from './evidence';

/** Detects NaN or infinite values that the other side does not have at the same position: in ours, else in golden. */
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
        `${sideText(side)} has ${nanCount} NaN and ${infCount} infinite of ${data.length} values, ` +
        `the first at ${axesText(axes)} = (${index.join(', ')})`,
      values: { side, nanCount, infCount, index },
    };
  }
  return null;
}

/** True for an additive attention mask: only 0 and −∞. */
const isMask = (values: Float32Array): boolean => values.every((value) => value === 0 || value === -Infinity);

/**
 * Detects a weight that holds NaN although the output does not. Some kernels' activations turn NaN into a number, and
 * nothing else shows the fault.
 */
export const nanWeight = (context: CauseContext): Cause | null => weightWith(context, Number.isNaN);

/**
 * Detects a weight that holds infinite values. The −∞ of a mask is correct, so this is reported only if nothing else
 * explains the error.
 */
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

/** Detects that only one side is all zero, for example because a backend ran nothing or a file was not filled. */
export function allZeros({ actual, golden }: CauseContext): Cause | null {
  const isZero = [actual, golden].map(({ data }) => data.every((value) => value === 0));
  if (isZero[0] === isZero[1] || actual.data.length === 0 || golden.data.length === 0) return null;
  const [side, other] = isZero[0] ? (['ours', 'golden'] as const) : (['golden', 'ours'] as const);
  const { data } = isZero[0] ? golden : actual;
  const nonZero = data.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
  const size = (isZero[0] ? actual : golden).data.length;
  return {
    id: 'all-zeros',
    evidence: `all ${size} values of ${sideText(side)} are zero, and ${nonZero} of ${sideText(other)} are not`,
    values: { side, nonZero },
  };
}

/** Detects weights of rank 2 or more that hold only zeros: they were never loaded. A bias may be zero. */
export function zeroWeights(context: CauseContext): Cause | null {
  const zero = zeroWeightsOf(context);
  if (zero.length === 0) return null;
  const [first] = zero;
  const more = zero.length > 1 ? `, and ${countText(zero.length - 1, 'more weight')} as well` : '';
  return {
    id: 'zero-weights',
    evidence:
      `all ${first!.values.length} values of the weight ${first!.name} ${axesText(first!.shape.map(String))} ` +
      `of the node ${first!.nodes.join(', ')} are zero${more}`,
    values: { weight: first!.name, node: first!.nodes[0] ?? '', weights: zero.map(({ name }) => name).join(', ') },
  };
}

/** The weights that {@link zeroWeights} reports. */
export function zeroWeightsOf({ layer, graph }: CauseContext): readonly LayerWeight[] {
  if (!layer) return [];
  const nodes = new Set(layer.lstms.map(({ node }) => node));
  const matrices = new Set(layer.lstms.flatMap(({ w, r }) => [w, r]));
  // The initial state of an LSTM is a tensor of rank 3 and correctly zero.
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

/** Operator inputs that are weights, by position. Zero states, masks and position tables are not weights. */
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

/** True if a layer uses a constant as a weight. */
function isParameter(graph: LayerGraph, name: string): boolean {
  return graph.nodes.some(({ opType, input, output }) => {
    if (PARAMETERS[opType]?.some((position) => input[position] === name)) return true;
    return PASSES.has(opType) && input[0] === name && isParameter(graph, output[0] ?? '');
  });
}

/** Maximum finite float16. */
const GREATEST = 65504;
/** Minimum absolute value that rounds to infinity in float16: half a step above the maximum. */
const OVERFLOWS = 65520;
/** Relative rounding error of float16 over a few steps. */
const FLOAT16_ROUNDING = 16 * 2 ** -11;

/**
 * Detects that ours was computed in float16 and the golden values exceed its range. Every finite value of ours is a float16
 * number and agrees, and exactly the values above the range are infinite, with the golden sign.
 */
export function float16Overflow({ actual, golden, tolerance }: CauseContext): Cause | null {
  if (!hasShape(actual, golden.shape)) return null;
  const allowed = allowedAbs(tolerance, golden.data);
  let numOverflows = 0;
  let greatest = 0;
  for (const [index, ours] of actual.data.entries()) {
    const theirs = golden.data[index]!;
    if (Number.isFinite(ours)) {
      const agrees = Math.abs(ours - theirs) <= Math.max(allowed, FLOAT16_ROUNDING * Math.abs(theirs));
      if (!agrees || !isFloat16(ours)) return null;
    } else if (!Object.is(ours, theirs)) {
      // Rounding may move a value near the limit to either side of it.
      const isBeyond = Number.isFinite(theirs) && Math.abs(theirs) >= OVERFLOWS * (1 - FLOAT16_ROUNDING);
      if (!isBeyond || Math.sign(ours) !== Math.sign(theirs)) return null;
      numOverflows++;
      greatest = Math.max(greatest, Math.abs(theirs));
    }
  }
  if (numOverflows === 0) return null;
  return {
    id: 'float16-overflow',
    evidence:
      `the computed output is infinite in exactly ${countText(numOverflows, 'value')} that the golden output has beyond ${GREATEST}, the greatest float16 ` +
      `(up to ${errorText(greatest)}); every other computed value is a float16 number and agrees`,
    values: { numOverflows, greatest },
  };
}

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** True if float16 can hold a value: it has at most ten fraction bits and is within the range. */
function isFloat16(value: number): boolean {
  float[0] = value;
  // Below 2^-14, float16 has fewer bits, in steps of 2^-24.
  if (Math.abs(value) < 2 ** -14) return Number.isInteger(value * 2 ** 24);
  return (bits[0]! & 0x1fff) === 0 && Math.abs(value) <= GREATEST;
}

/**
 * Maximum difference between two runs due to rounding, relative to the tensor's greatest absolute value. PyTorch and the
 * WASM runtime, which add in different orders, differ by at most 6e-6 on the stages of the bundled models. On WASM, neither
 * a second run nor another batch size changes any bit.
 */
const REPEAT_ROUNDING = 1e-4;

/** Detects different results for the same input: a race, or uninitialized memory. */
export async function runToRun({ actual, again }: CauseContext): Promise<Cause | null> {
  if (!again) return null;
  const other = await again();
  if (!hasShape(other, actual.shape)) return null;
  const found = beyondRounding(actual.data, other.data);
  return (
    found && {
      id: 'run-to-run',
      evidence: `a second, equal run ${differsText(found)}`,
      values: { ...found },
    }
  );
}

/** Detects that the first item of a batch depends on the batch size. */
export async function batchDependent({ actual, axes, golden, otherBatch }: CauseContext): Promise<Cause | null> {
  const view = along(actual, axes, ['batch']);
  if (!otherBatch || view?.axis !== 0) return null;
  const other = await otherBatch();
  const shape = [1, ...actual.shape.slice(1)];
  if (!other || !hasShape(other, shape)) return null;
  const found = beyondRounding(actual.data.subarray(0, view.stride), other.data);
  if (!found) return null;
  // Determine which of the two sizes is wrong.
  const fits = hasShape(golden, actual.shape);
  const { maxAbs: toGolden } = distance(other.data, fits ? golden.data.subarray(0, view.stride) : new Float32Array(0));
  const isKnown = fits && Number.isFinite(toGolden);
  return {
    id: 'batch-dependent',
    evidence:
      `the first item at another batch size ${differsText(found)}` +
      (isKnown ? `; there it is ${errorText(toGolden)} from golden` : ''),
    values: { ...found, ...(isKnown && { toGolden }) },
  };
}

/** How two equal runs differ. */
interface Difference {
  /** Maximum absolute difference of values that are finite in both. */
  readonly maxAbs: number;
  /** Maximum difference due to rounding. */
  readonly bound: number;
  /** Number of values that are finite in only one of the two. */
  readonly numNotFinite: number;
}

/** Null if rounding explains the difference. Values that are not finite in both runs count as equal. */
function beyondRounding(data: Float32Array, other: Float32Array): Difference | null {
  let greatest = 0;
  let maxAbs = 0;
  let numNotFinite = 0;
  for (const [index, value] of data.entries()) {
    const repeated = other[index]!;
    const isFinite = Number.isFinite(value);
    if (isFinite !== Number.isFinite(repeated)) numNotFinite++;
    if (!isFinite || !Number.isFinite(repeated)) continue;
    greatest = Math.max(greatest, Math.abs(value));
    maxAbs = Math.max(maxAbs, Math.abs(value - repeated));
  }
  const bound = REPEAT_ROUNDING * greatest;
  return maxAbs > bound || numNotFinite > 0 ? { maxAbs, bound, numNotFinite } : null;
}

const differsText = ({ maxAbs, bound, numNotFinite }: Difference): string =>
  numNotFinite > 0
    ? `differs in ${countText(numNotFinite, 'value')} that only one of the two has as a number`
    : `differs by up to ${errorText(maxAbs)}, but rounding explains at most ${errorText(bound)}`;
