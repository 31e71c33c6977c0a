import { type NodeProto, TensorProto_DataType } from '../../onnx/onnx_pb';
import {
  Draft,
  firstOutput,
  intAttribute,
  intOf,
  intsAttribute,
  type NodeChanges,
  withAttributes,
} from '../../onnx/replaceNodes';
import type { Weight } from '../../onnx/weights';
import { hasShape } from '../measure';
import { toBfloat16, toFloat16, toInt8 } from '../precision';
import type { Cause } from '../report';
import { channelViews, means, proven } from './channels';
import type { CauseContext, LayerGraph } from './context';
import {
  distance,
  errorText,
  explains,
  fitNumber,
  labelOf,
  type NodeChange,
  confirmedRepair,
  type Repair,
  repairsOf,
} from './evidence';

/** Operator inputs that are added to each channel, by position. */
const BIASES: Readonly<Record<string, readonly number[]>> = {
  Add: [0, 1],
  Conv: [2],
  ConvTranspose: [2],
  Gemm: [2],
  BatchNormalization: [2],
  InstanceNormalization: [2],
  LayerNormalization: [2],
  GroupNormalization: [2],
};

/** A constant that a node adds to each channel. */
interface Bias {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Labels of the nodes that add it. */
  readonly nodes: readonly string[];
}

/**
 * Detects that golden is ours plus one number per channel. If the stage has a bias, this is reported only if adding the
 * numbers to the bias produces the golden values.
 */
export async function otherBias(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  if (!graph) return null;
  for (const view of channelViews(context)) {
    const ours = means(context.actual, view);
    const offsets = Float32Array.from(means(context.golden, view), (mean, channel) => mean - ours[channel]!);
    const biases = biasesOf(graph, view.size);
    const fit = proven(context, view, (value, channel) => value + offsets[channel]!, biases.length > 0 ? 1 : 2);
    if (!fit) continue;
    const greatest = offsets.reduce((most, offset) => Math.max(most, Math.abs(offset)), 0);
    const evidence = `the golden output is the computed output plus one number for each ${fit.axis}, up to ±${errorText(greatest)}${fit.leaves}`;
    if (biases.length === 0) return { id: 'missing-bias', evidence, values: { greatest } };
    for (const bias of biases) {
      if (!(await isRepaired(context, graph, bias, offsets))) continue;
      const place = `the bias ${bias.name} of the node ${bias.nodes.join(', ')}`;
      const values = { greatest, weight: bias.name };
      if (bias.values.every((value) => value === 0)) {
        const text = `all ${bias.values.length} values of ${place} are zero; the stage gives the golden values with these numbers in it`;
        return { id: 'missing-bias', evidence: `${evidence}; ${text}`, values };
      }
      const text = `with these numbers added to ${place}, the stage gives the golden values`;
      return { id: 'other-bias', evidence: `${evidence}; ${text}`, values };
    }
  }
  return null;
}

/** Constants with one value per channel that nodes of the layer add; those of the last nodes come first. */
function biasesOf(graph: LayerGraph, size: number): Bias[] {
  const biases = new Map<string, Bias>();
  for (const node of graph.nodes.toReversed()) {
    for (const position of BIASES[node.opType] ?? []) {
      const name = node.input[position] ?? '';
      const weight = graph.constant(name);
      const values = weight?.dtype === 'float32' && weight.shape.some((length) => length === size) ? weight.values() : null;
      if (!weight || values?.length !== size) continue;
      biases.set(name, { name, shape: weight.shape, values, nodes: [labelOf(node), ...(biases.get(name)?.nodes ?? [])] });
    }
  }
  return [...biases.values()];
}

async function isRepaired(context: CauseContext, graph: LayerGraph, bias: Bias, offsets: Float32Array): Promise<boolean> {
  const changes = graph.nodes.flatMap((node) => {
    if (!node.input.includes(bias.name)) return [];
    const draft = new Draft(firstOutput(node));
    const fitted = draft.floats(bias.shape, bias.values.map((value, index) => value + offsets[index]!));
    const input = node.input.map((name) => (name === bias.name ? fitted : name));
    return [[firstOutput(node), draft.give(draft.copy(node, { input }))] as const];
  });
  const { actual, golden } = context;
  const repaired = await graph.run(new Map(changes));
  if (!repaired || !hasShape(repaired, golden.shape)) return false;
  return explains(distance(repaired.data, golden.data), distance(actual.data, golden.data), context);
}

/** Operator inputs that may be weights, by position. */
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

/** Detects a weight with the wrong sign. */
export function negatedWeight(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const repairs = graph?.nodes.flatMap((node) => (WEIGHTS[node.opType] ?? []).flatMap((position) => {
    const name = node.input[position] ?? '';
    return graph.constant(name)?.dtype === 'float32' ? [repairOf(node, position, name)] : [];
  })) ?? [];
  return confirmedRepair(context, 'negated-weight', repairs);
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

/**
 * Detects a transposed square weight matrix, which only the values show. Runs the stage with the matrix transposed back.
 */
export function weightTransposed(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const changes = graph?.nodes.flatMap((node) => changeOf(node, graph) ?? []) ?? [];
  return confirmedRepair(context, 'weight-transposed', repairsOf([
    { changes, text: (nodes) => `transposing the square weight of ${nodes}`, values: {} },
  ]));
}

function changeOf(node: NodeProto, graph: LayerGraph): NodeChange | null {
  const [a = '', b = ''] = node.input;
  if (node.opType === 'Gemm' && isSquare(graph, b)) {
    return { node, nodes: [withAttributes(node, intAttribute('transB', 1 - intOf(node, 'transB', 0)))] };
  }
  if (node.opType !== 'MatMul' || isSquare(graph, a) === isSquare(graph, b)) return null;
  const draft = new Draft(node.output[0]!);
  const transposed = draft.add('Transpose', [isSquare(graph, a) ? a : b], intsAttribute('perm', [1, 0]));
  const input = isSquare(graph, a) ? [transposed, b] : [a, transposed];
  return { node, nodes: draft.give(draft.copy(node, { input })) };
}

/** True if a value is a constant of n × n values, or such a constant after a transposition in the graph. */
function isSquare(graph: LayerGraph, name: string): boolean {
  const producer = graph.constant(name) ? undefined : graph.nodes.find(({ output, opType }) => opType === 'Transpose' && output[0] === name);
  const [rows, columns, ...others] = graph.constant(producer?.input[0] ?? name)?.shape ?? [];
  return rows !== undefined && rows > 1 && rows === columns && others.length === 0;
}

/** Detects golden values that were computed with weights of fewer bits. */
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
  return confirmedRepair(context, 'rounded-weights', repairs.filter(({ changes }) => changes.size > 0));
}

type Round = (values: Float32Array, weight: Weight) => Float32Array;

const ROUNDINGS: Readonly<Record<string, Round>> = {
  float16: toFloat16,
  bfloat16: toBfloat16,
  'int8 (one scale)': (values) => toInt8(values, { stride: 1, count: 1 }),
  'int8 (one scale for each output)': (values, { shape }) => toInt8(values, { stride: values.length / shape[0]!, count: shape[0]! }),
};

/** Operator inputs that are zero points, each with the input that it belongs to, by position. */
const ZERO_POINTS: Readonly<Record<string, readonly (readonly [zeroPoint: number, of: number])[]>> = {
  DequantizeLinear: [[2, 0]],
  MatMulInteger: [[2, 0], [3, 1]],
  ConvInteger: [[2, 0], [3, 1]],
  QLinearMatMul: [[2, 0], [5, 3]],
  QLinearConv: [[2, 0], [5, 3]],
};

const RANGES: Readonly<Record<string, readonly [least: number, greatest: number]>> = { int8: [-128, 127], uint8: [0, 255] };

/** Maximum number of zero points that are tried. */
const MAX_SITES = 8;

/** Maximum distance of a fitted zero point from a whole number. Other causes lead to any number. */
const WHOLE = 0.1;

interface Site {
  readonly node: NodeProto;
  readonly position: number;
  readonly dtype: string;
  readonly value: number;
}

/** Detects a wrong zero point of quantized values. */
export async function zeroPoint(context: CauseContext): Promise<Cause | null> {
  const { graph, golden } = context;
  for (const site of graph ? sitesOf(graph).slice(0, MAX_SITES) : []) {
    const range = RANGES[site.dtype]!;
    const changesFor = (value: number): NodeChanges => withZeroPoint(site, Math.max(range[0], Math.min(range[1], Math.round(value))));
    const width = site.value < range[1] ? 1 : -1;
    const fitted = await fitNumber(graph!, golden, site.value, width, changesFor);
    if (fitted === null) continue;
    const value = Math.round(fitted);
    if (value === site.value || value < range[0] || value > range[1] || Math.abs(fitted - value) > WHOLE) continue;
    const cause = await confirmedRepair(context, 'zero-point', [{
      changes: changesFor(value),
      text: `a zero point of ${value} in place of ${site.value} in the node ${labelOf(site.node)}`,
      values: { zeroPoint: value, nodes: labelOf(site.node) },
    }]);
    if (cause) return cause;
  }
  return null;
}

/** Scalar zero points, including omitted ones, which are 0. */
function sitesOf(graph: LayerGraph): Site[] {
  return graph.nodes.flatMap((node) => (ZERO_POINTS[node.opType] ?? []).flatMap(([position, of]): Site[] => {
    const name = node.input[position] ?? '';
    const constant = graph.constant(name === '' ? node.input[of]! : name);
    const dtype = constant?.dtype ?? '';
    if (!(dtype in RANGES)) return [];
    if (name === '') return [{ node, position, dtype, value: 0 }];
    const bytes = constant!.bytes();
    if (bytes.length !== 1) return [];
    return [{ node, position, dtype, value: dtype === 'int8' ? (bytes[0]! << 24) >> 24 : bytes[0]! }];
  }));
}

function withZeroPoint({ node, position, dtype }: Site, value: number): NodeChanges {
  const draft = new Draft(firstOutput(node));
  const to = dtype === 'int8' ? TensorProto_DataType.INT8 : TensorProto_DataType.UINT8;
  const scalar = draft.add('Squeeze', [draft.add('Cast', [draft.ints([value])], intAttribute('to', to))]);
  const input = Array.from({ length: Math.max(node.input.length, position + 1) }, (_, index) => (index === position ? scalar : (node.input[index] ?? '')));
  return new Map([[firstOutput(node), draft.give(draft.copy(node, { input }))]]);
}
