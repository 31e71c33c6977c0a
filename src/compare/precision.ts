import { graphInfo, graphOf, initializerNames, type NodeInfo } from '../onnx/model';
import { capturedBy } from '../onnx/nodes';
import type { ModelProto, NodeProto } from '../onnx/onnx_pb';
import { Draft } from '../onnx/replaceNodes';
import { weightsBetween } from '../onnx/weights';
import { VoxlaneError } from '../util/errors';
import { type Choices, choicesOf, type Decider, deciderOf, type DecisionRule, differing } from './decisions/rule';
import type { GraphRunner, GraphTensor } from './graphRunner';
import { measure } from './measure';
import type { PrecisionHead, PrecisionReport, PrecisionRow, RoundedType, RoundingEffect } from './precisionReport';
import type { OnStep } from './stages';
import { sizeOf } from './tensor';
import { canSelfCheck } from './verdict';

/** Fraction bits of float16 and bfloat16. */
const FLOAT16_BITS = 10;
const BFLOAT16_BITS = 7;
/** Smallest normal numbers. */
const FLOAT16_LEAST = 2 ** -14;
const BFLOAT16_LEAST = 2 ** -126;
/** Smallest magnitude that float16 rounds to infinity. */
const FLOAT16_OVERFLOW = 65_520;
/** Steps of int8 on either side of zero: like onnxruntime, -128 is not used. */
const INT8_STEPS = 127;

/** Defines which values of a row-major tensor share a scale: value `i` belongs to channel `floor(i / stride) % count`. */
interface ChannelLayout {
  readonly stride: number;
  readonly count: number;
}

export const toFloat16 = (values: Float32Array): Float32Array =>
  values.map((value) => (Math.abs(value) >= FLOAT16_OVERFLOW ? Math.sign(value) * Infinity : toBits(value, FLOAT16_BITS, FLOAT16_LEAST)));

export const toBfloat16 = (values: Float32Array): Float32Array => values.map((value) => toBits(value, BFLOAT16_BITS, BFLOAT16_LEAST));

/**
 * Rounds each channel to int8 steps: `scale = max |value| / 127`, zero stays zero, halves round to the even step.
 * onnxruntime does the same for `QInt8` weights with `per_channel=True`.
 */
export function toInt8(values: Float32Array, { stride, count }: ChannelLayout): Float32Array {
  const greatest = new Float64Array(count);
  const channelOf = (index: number): number => Math.floor(index / stride) % count;
  for (let index = 0; index < values.length; index++) {
    const channel = channelOf(index);
    greatest[channel] = Math.max(greatest[channel]!, Math.abs(values[index]!));
  }
  return values.map((value, index) => {
    const step = greatest[channelOf(index)]! / INT8_STEPS;
    return step > 0 ? toEven(value / step) * step : value;
  });
}

/** Rounds to the nearest number with this many fraction bits, ties to even. @param least smallest normal number */
function toBits(value: number, bits: number, least: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(value), least)));
  const step = 2 ** (exponent - bits);
  return toEven(value / step) * step;
}

/** Rounds to the nearest integer, ties to even. */
function toEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** A float32 weight tensor and its channel layout. */
interface RoundableWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly numValues: number;
  /** True if a Constant node holds it, false for an initializer. */
  readonly isConstant: boolean;
  /** Null if the weight stays float32 in int8 models: biases and scales of normalizations. */
  readonly channels: ChannelLayout | null;
  /** Returns a copy. */
  readonly values: () => Float32Array;
}

/** Nodes whose weights can be rounded together: one, or several that share weights. */
interface WeightRow {
  readonly nodes: readonly NodeInfo[];
  readonly weights: readonly RoundableWeight[];
  /** Size of all weights as float32. */
  readonly numBytes: number;
}

/** Operators that pass a weight on to the node that uses it. */
const PASSING = new Set(['Transpose', 'Identity', 'Cast', 'Reshape', 'Unsqueeze', 'Squeeze']);

/**
 * The nodes with float32 weights that `outputs` depend on, those with the most bytes first. Single numbers do not count as
 * weights, and weights inside If, Loop and Scan are left out.
 *
 * @param inputs values that are fed
 */
export function weightRows(model: ModelProto, inputs: readonly string[], outputs: readonly string[]): WeightRow[] {
  const graph = graphOf(model);
  const { nodes } = graphInfo(model);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const readers = new Map<string, NodeInfo[]>();
  for (const node of nodes) for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  const initializers = new Set(initializerNames(graph));
  const constants = new Set(graph.node.filter(({ opType }) => opType === 'Constant').flatMap(({ output }) => output));
  const inner = new Set(graph.node.flatMap(capturedBy));
  const rows: { nodes: Set<NodeInfo>; weights: RoundableWeight[] }[] = [];
  for (const { name, shape, dtype, problem, usedBy, values } of weightsBetween(model, { inputs, outputs })) {
    const isConstant = constants.has(name);
    if (dtype !== 'float32' || problem !== null || sizeOf(shape) < 2 || inner.has(name) || !(isConstant || initializers.has(name))) continue;
    const direct = usedBy.flatMap((user) => byName.get(user) ?? []);
    const users = direct.flatMap((node) => usersOf(node, readers));
    const weight = { name, shape, numValues: sizeOf(shape), isConstant, channels: channelsOf(name, shape, direct[0], users[0]), values: () => values()! };
    const shared = rows.filter((row) => users.some((user) => row.nodes.has(user)));
    for (const row of shared) rows.splice(rows.indexOf(row), 1);
    rows.push({ nodes: new Set([...shared.flatMap((row) => [...row.nodes]), ...users]), weights: [...shared.flatMap((row) => row.weights), weight] });
  }
  return rows
    .map(({ nodes: users, weights }): WeightRow => {
      const numBytes = weights.reduce((sum, { numValues }) => sum + 4 * numValues, 0);
      return { nodes: [...users].toSorted((a, b) => a.index - b.index), weights, numBytes };
    })
    .toSorted((a, b) => b.numBytes - a.numBytes);
}

/** The nodes that compute with a weight, after those that only pass it on. */
function usersOf(node: NodeInfo, readers: ReadonlyMap<string, readonly NodeInfo[]>): readonly NodeInfo[] {
  const next = PASSING.has(node.op) ? node.outputs.flatMap((name) => readers.get(name) ?? []) : [];
  return next.length === 0 ? [node] : next.flatMap((reader) => usersOf(reader, readers));
}

/**
 * The channels of a weight with separate scales, as in onnxruntime's quantization: the output channels; the rows of
 * recurrent layers; one scale for an embedding. Vectors are not quantized.
 */
function channelsOf(name: string, shape: readonly number[], direct: NodeInfo | undefined, user: NodeInfo | undefined): ChannelLayout | null {
  if (shape.length < 2 || !direct || !user) return null;
  const along = (axis: number): ChannelLayout => ({ stride: sizeOf(shape.slice(axis + 1)), count: shape[axis]! });
  // Transposed before use: its rows become the columns that MatMul reads.
  if (direct !== user) return along(0);
  switch (user.op) {
    case 'MatMul':
      return along(shape.length - (user.inputs[0] === name ? 2 : 1));
    case 'Gemm':
      return along(user.inputs[0] === name || user.attributes.transB === '1' ? 0 : 1);
    case 'ConvTranspose':
      return along(1);
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      // Biases also have a direction axis.
      return shape.length < 3 ? null : { stride: sizeOf(shape.slice(2)), count: shape[0]! * shape[1]! };
    case 'Gather':
      return { stride: 1, count: 1 };
    case 'Conv':
      return along(0);
    default:
      // Added or multiplied: a bias or a scale, whatever its rank.
      return null;
  }
}

/** What to round, and the inputs of the graph. */
interface PrecisionRequest {
  readonly model: ModelProto;
  readonly graph: GraphRunner;
  /** Inputs of the graph. */
  readonly feeds: ReadonlyMap<string, GraphTensor>;
  /** Names of the outputs that are numeric tensors. */
  readonly outputs: readonly string[];
  /** Axis names and decision rules of the goldens, by output. */
  readonly known: ReadonlyMap<string, { readonly axes: readonly string[]; readonly decisions?: DecisionRule | undefined }>;
  /** Rule for all outputs. */
  readonly stated?: DecisionRule | undefined;
  /** Maximum number of nodes that are tried one by one. */
  readonly limit: number;
  /** Fields of the report about the graph and the backend. */
  readonly about: Pick<PrecisionHead, 'model' | 'backend' | 'adapter'>;
  readonly onRow: (row: PrecisionRow, head: PrecisionHead) => void;
  readonly onStep: OnStep;
}

/** An output of the unrounded graph. */
interface Reference {
  readonly name: string;
  readonly tensor: GraphTensor;
  readonly decider: Decider | null;
  readonly choices: Choices | null;
}

const MEGABYTE = 1e6;
const BYTES: Readonly<Record<RoundedType, number>> = { float16: 2, int8: 1 };
const FLOAT32_BYTES = 4;

/**
 * Rounds the weights of one node at a time and counts the decisions that differ from those of the unrounded graph. Only
 * weights are rounded; the graph computes in float32.
 *
 * @throws VoxlaneError `options` if the graph has no float32 weights or returns no finite value; errors of the backend
 */
export async function measurePrecision(request: PrecisionRequest): Promise<PrecisionReport> {
  const { model, graph, feeds, outputs, limit, about, onRow, onStep } = request;
  const all = weightRows(model, [...feeds.keys()], outputs);
  if (all.length === 0) throw noWeights();
  const tried = all.slice(0, limit);
  const total = 2 * tried.length + 3;
  await onStep('unrounded', 0, total);
  const references = await referencesOf(request);
  // NaN equals NaN: rounding would appear to cost nothing.
  if (!references.some(({ tensor }) => tensor.data.length > 0 && canSelfCheck(tensor))) throw nothingFinite();
  const effectOf = async (weights: readonly RoundableWeight[], type: RoundedType): Promise<RoundingEffect> => {
    const results = await graph.values(feeds, outputs, ...changesOf(weights, type));
    return effect(references, results, savedBytes(weights, type));
  };
  const weights = all.flatMap((row) => row.weights);
  await onStep('all weights in float16', 1, total);
  const float16 = await effectOf(weights, 'float16');
  await onStep('all weights in int8', 2, total);
  const int8 = await effectOf(weights.filter(isInt8), 'int8');
  const head: PrecisionHead = {
    ...about,
    outputs: references.flatMap(({ name, decider, choices }) =>
      decider && choices ? [{ name, kind: decider.kind, reason: decider.reason, decisions: choices.length }] : [],
    ),
    total: { megabytes: megabytesOf(all), float16, int8 },
    numRows: tried.length,
    left: { numRows: all.length - tried.length, megabytes: megabytesOf(all.slice(limit)) },
  };
  const rows: PrecisionRow[] = [];
  for (const [index, { nodes, weights: own, numBytes }] of tried.entries()) {
    const names = nodes.map(({ name }) => name);
    await onStep(`${names[0]} in float16`, 3 + 2 * index, total);
    const half = await effectOf(own, 'float16');
    const matrices = own.filter(isInt8);
    if (matrices.length > 0) await onStep(`${names[0]} in int8`, 4 + 2 * index, total);
    const row: PrecisionRow = {
      nodes: names,
      ops: nodes.map(({ op }) => op),
      module: nodes[0]?.scope?.paths[0] ?? null,
      weights: own.map(({ name }) => name),
      megabytes: numBytes / MEGABYTE,
      float16: half,
      int8: matrices.length > 0 ? await effectOf(matrices, 'int8') : null,
    };
    rows.push(row);
    onRow(row, head);
  }
  await onStep('done', total, total);
  return { ...head, rows };
}

async function referencesOf({ graph, model, feeds, outputs, known, stated }: PrecisionRequest): Promise<Reference[]> {
  const info = graphInfo(model);
  const results = await graph.values(feeds, outputs);
  return outputs.map((name): Reference => {
    const tensor = results.get(name)!;
    const { axes, decisions } = known.get(name) ?? { axes: tensor.shape.map((_, axis) => `axis${axis}`) };
    const decider = deciderOf(name, tensor, axes, info, stated ?? decisions);
    return { name, tensor, decider, choices: decider && choicesOf(tensor, decider) };
  });
}

const isInt8 = ({ channels }: RoundableWeight): boolean => channels !== null;

/** New values of initializers, and nodes that replace constants. */
function changesOf(weights: readonly RoundableWeight[], type: RoundedType): [Map<string, Float32Array>, Map<string, readonly NodeProto[]> | undefined] {
  const initializers = new Map<string, Float32Array>();
  const constants = new Map<string, readonly NodeProto[]>();
  for (const { name, shape, isConstant, channels, values } of weights) {
    const rounded = type === 'float16' ? toFloat16(values()) : toInt8(values(), channels!);
    if (!isConstant) initializers.set(name, rounded);
    else {
      const draft = new Draft(name);
      constants.set(name, draft.give(draft.floats(shape, rounded)));
    }
  }
  return [initializers, constants.size > 0 ? constants : undefined];
}

function effect(references: readonly Reference[], results: ReadonlyMap<string, GraphTensor>, bytes: number): RoundingEffect {
  let lost = 0;
  const errors: (number | null)[] = [];
  for (const { name, tensor, decider, choices } of references) {
    const rounded = results.get(name)!;
    const { relative } = measure(rounded, tensor, tensor.shape.map(String));
    errors.push(relative);
    if (decider && choices) lost += differing(choicesOf(rounded, decider), choices).length;
  }
  const greatest = errors.reduce((most, error) => (most === null || error === null ? null : Math.max(most, error)), 0);
  return { lost: references.some(({ decider }) => decider) ? lost : null, relative: greatest, savedMegabytes: bytes / MEGABYTE };
}

function savedBytes(weights: readonly RoundableWeight[], type: RoundedType): number {
  return weights.reduce((sum, { numValues, channels }) => {
    const scales = type === 'int8' ? FLOAT32_BYTES * (channels?.count ?? 0) : 0;
    return sum + (FLOAT32_BYTES - BYTES[type]) * numValues - scales;
  }, 0);
}

const megabytesOf = (rows: readonly WeightRow[]): number => rows.reduce((sum, { numBytes }) => sum + numBytes, 0) / MEGABYTE;

function noWeights(): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: 'The graph has no float32 weights to round',
    expected: 'float32 initializers or constants with more than one value',
    remedy: 'Open the graph as it was exported, before quantization',
  });
}

function nothingFinite(): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: 'No output has a finite value, even before weights are rounded',
    expected: 'a graph that returns finite numbers for the golden inputs',
    remedy: 'Compare the bundle without --precision, to find the first stage that is not finite',
  });
}
