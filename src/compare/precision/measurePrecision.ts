import { graphInfo } from '../../onnx/model';
import type { ModelProto, NodeProto } from '../../onnx/onnx_pb';
import { Draft } from '../../onnx/replaceNodes';
import { VoxlaneError } from '../../util/errors';
import { canProve } from '../coverage';
import { choicesOf, differing, type Choices } from '../decisions/choices';
import { deciderOf, type Decider, type DecisionRule } from '../decisions/rule';
import type { GraphRunner, GraphTensor } from '../graphRunner';
import { measure } from '../measure';
import type { OnStep } from '../stages';
import { toFloat16, toInt8 } from '../rounding';
import type { PrecisionHead, PrecisionReport, PrecisionRow, RoundedType, RoundingEffect } from './report';
import { weightRows, type RoundableWeight, type WeightRow } from './weightRows';

/** What is rounded, on which inputs. */
export interface PrecisionRequest {
  readonly model: ModelProto;
  readonly graph: GraphRunner;
  /** Inputs of the graph. */
  readonly feeds: ReadonlyMap<string, GraphTensor>;
  /** Names of the outputs that are tensors of numbers. */
  readonly outputs: readonly string[];
  /** Names of the axes, and what the goldens state, by output. */
  readonly known: ReadonlyMap<string, { readonly axes: readonly string[]; readonly decisions?: DecisionRule | undefined }>;
  /** For all outputs. */
  readonly stated?: DecisionRule | undefined;
  /** Most nodes that are tried one by one. */
  readonly limit: number;
  /** What the report says of the graph and the backend. */
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
 * Rounds the weights of one node after the other and counts the decisions that differ from those of the unrounded graph. Only weights
 * are rounded; the graph computes in float32.
 *
 * @throws VoxlaneError `options` if the graph has no float32 weights or gives no finite value; errors of the backend
 */
export async function measurePrecision(request: PrecisionRequest): Promise<PrecisionReport> {
  const { model, graph, feeds, outputs, limit, about, onRow, onStep } = request;
  const all = weightRows(model, [...feeds.keys()], outputs);
  if (all.length === 0) throw noWeights();
  const tried = all.slice(0, limit);
  const total = 2 * tried.length + 3;
  await onStep('unrounded', 0, total);
  const references = await referencesOf(request);
  // NaN equals NaN: rounding would seem to cost nothing.
  if (!references.some(({ tensor }) => tensor.data.length > 0 && canProve(tensor))) throw nothingFinite();
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

/** Values of initializers, and nodes in place of constants. */
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
    remedy: 'Give the graph as it was exported, before it was quantized',
  });
}

function nothingFinite(): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: 'No output has a finite value, even before weights are rounded',
    expected: 'a graph that gives numbers for the golden inputs',
    remedy: 'Compare the bundle without --precision, to find the first stage that is not finite',
  });
}
