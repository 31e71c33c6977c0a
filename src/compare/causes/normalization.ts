import { copyWith } from '../../onnx/nodes';
import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, floatAttribute, floatOf, intAttribute, intOf, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import { sizeOf, type Tensor } from '../tensor';
import type { CauseContext, LayerGraph } from './context';
import { consumersOf, producerOf, confirmedRepair, repairsOf } from './evidence';

/** Epsilons of frameworks and models, common ones first. */
const EPSILONS = [1e-5, 1e-6, 1e-3, 1e-12, 1e-8, 1e-7, 1e-4, 1e-2];

/** Default of the ONNX operators. */
const DEFAULT_EPSILON = 1e-5;

const NORMALIZATIONS = new Set([
  'LayerNormalization',
  'BatchNormalization',
  'InstanceNormalization',
  'GroupNormalization',
  'RMSNormalization',
  'SimplifiedLayerNormalization',
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
]);

/** A larger number under a root is not an epsilon. */
const MAX_EPSILON = 0.1;

/** Detects a normalization with another epsilon than the golden one. */
export function otherEpsilon(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const sites = graph?.nodes.flatMap((node) => epsilonSiteOf(node, graph) ?? []) ?? [];
  return confirmedRepair(context, 'epsilon', repairsOf(
    EPSILONS.map((epsilon) => {
      const others = sites.filter((site) => Math.abs(site.epsilon / epsilon - 1) > 0.01);
      const ours = [...new Set(others.map((site) => numberText(site.epsilon)))].join(', ');
      return {
        changes: others.map(({ node, withEpsilon }) => ({ node, nodes: withEpsilon(epsilon) })),
        text: (nodes) => `an epsilon of ${numberText(epsilon)} in place of ${ours} in ${nodes}`,
        values: { epsilon },
      };
    }),
  ));
}

interface EpsilonSite {
  readonly node: NodeProto;
  readonly epsilon: number;
  readonly withEpsilon: (epsilon: number) => readonly NodeProto[];
}

function epsilonSiteOf(node: NodeProto, graph: LayerGraph): EpsilonSite | null {
  if (NORMALIZATIONS.has(node.opType)) {
    return {
      node,
      epsilon: floatOf(node, 'epsilon', DEFAULT_EPSILON),
      withEpsilon: (epsilon) => [withAttributes(node, floatAttribute('epsilon', epsilon))],
    };
  }
  const { output, input, opType } = node;
  if (opType !== 'Add' || !consumersOf(graph, output[0]!).some((user) => user.opType === 'Sqrt' || user.opType === 'Pow')) return null;
  const position = input.findIndex((name) => graph.constant(name) !== null);
  const added = graph.constant(input[position] ?? '');
  const values = added?.dtype === 'float32' ? added.values() : null;
  const epsilon = values?.length === 1 ? values[0]! : 0;
  if (!(epsilon > 0 && epsilon <= MAX_EPSILON)) return null;
  return {
    node,
    epsilon,
    withEpsilon: (other) => {
      const draft = new Draft(output[0]!);
      return draft.give(draft.copy(node, { input: input.with(position, draft.scalar(other)) }));
    },
  };
}

/** `1e-5`, `0.001` */
const numberText = (value: number): string => Number(value.toPrecision(4)).toString();

/** Maximum number of normalizations that are tried. */
const MAX_GROUP_NORMS = 8;

/** Since this opset version, GroupNormalization has one scale per channel; before, one per group. */
const SCALE_OF_CHANNELS_OPSET = 21;

/** Detects a normalization with another number of channel groups, including one group and one per channel. */
export async function normGroups(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => /^(Instance|Group)Normalization$/.test(opType)).slice(0, MAX_GROUP_NORMS) ?? [];
  if (!graph || nodes.length === 0) return null;
  const known = await graph.values(nodes.flatMap((node) => [node.input[0]!, beforeReshape(graph, node)]));
  const sites = nodes.flatMap((node) => groupSiteOf(graph, node, known) ?? []);
  const counts = [...new Set(sites.flatMap(({ numChannels }) => divisorsOf(numChannels)))];
  return confirmedRepair(context, 'norm-groups', repairsOf(
    counts.map((count) => {
      const others = sites.filter(({ numGroups, numChannels }) => numGroups !== count && numChannels % count === 0);
      const ours = [...new Set(others.map(({ numGroups }) => numGroups))].join(', ');
      return {
        changes: others.map(({ node, withGroups }) => ({ node, nodes: withGroups(count) })),
        text: (label) => `${count} ${count === 1 ? 'group' : 'groups'} in place of ${ours} in ${label}`,
        values: { groups: count },
      };
    }),
  ));
}

interface GroupSite {
  readonly node: NodeProto;
  readonly numGroups: number;
  readonly numChannels: number;
  readonly withGroups: (count: number) => readonly NodeProto[];
}

/** Exporters write a group norm as an instance norm of a tensor that was reshaped to (batch, group, rest). */
const beforeReshape = (graph: LayerGraph, { input }: NodeProto): string => {
  const reshape = producerOf(graph, input[0]!);
  return reshape?.opType === 'Reshape' ? reshape.input[0]! : input[0]!;
};

function groupSiteOf(graph: LayerGraph, node: NodeProto, known: ReadonlyMap<string, Tensor>): GroupSite | null {
  const shape = known.get(node.input[0]!)?.shape;
  const [numItems = 0, numChannels = 0] = known.get(beforeReshape(graph, node))?.shape ?? [];
  if (!shape || shape.length < 2 || shape[0] !== numItems || numChannels < 2) return null;
  if (node.opType === 'GroupNormalization') {
    if (graph.opset < SCALE_OF_CHANNELS_OPSET) return null;
    return {
      node,
      numGroups: intOf(node, 'num_groups', 1),
      numChannels: shape[1]!,
      withGroups: (count) => [withAttributes(node, intAttribute('num_groups', count))],
    };
  }
  const size = shape[1]!;
  const isReshaped = isConstantOf(graph, node.input[1]!, 1) && isConstantOf(graph, node.input[2]!, 0);
  // Scales per channel remain per channel.
  if (!isReshaped && size !== numChannels) return null;
  return { node, numGroups: size, numChannels, withGroups: (count) => grouped(node, shape, count) };
}

const isConstantOf = (graph: LayerGraph, name: string, wanted: number): boolean =>
  graph.constant(name)?.values()?.every((value) => value === wanted) ?? false;

function grouped(node: NodeProto, shape: readonly number[], count: number): readonly NodeProto[] {
  const draft = new Draft(node.output[0]!);
  const reshaped = draft.add('Reshape', [node.input[0]!, draft.ints([shape[0]!, count, -1])]);
  const ones = draft.floats([count], new Float32Array(count).fill(1));
  const zeros = draft.floats([count], new Float32Array(count));
  const normalized = draft.copy(node, { input: [reshaped, ones, zeros] });
  const back = draft.add('Reshape', [normalized, draft.ints(shape)]);
  const rest = draft.ints([1, -1, ...shape.slice(2).map(() => 1)]);
  const scaled = draft.add('Mul', [back, draft.add('Reshape', [node.input[1]!, rest])]);
  return draft.give(draft.add('Add', [scaled, draft.add('Reshape', [node.input[2]!, rest])]));
}

function divisorsOf(value: number): number[] {
  return Array.from({ length: value }, (_, index) => index + 1).filter((divisor) => value % divisor === 0);
}

/** Maximum number of batch norms that are tried. */
const MAX_BATCH_NORMS = 16;

/** Detects a batch norm that normalizes by the statistics of the batch, as in training, on one side only. */
export async function batchStatistics(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'BatchNormalization').slice(0, MAX_BATCH_NORMS) ?? [];
  if (!graph || nodes.length === 0) return null;
  const training = nodes.filter((node) => intOf(node, 'training_mode', 0) === 1);
  const others = nodes.filter((node) => !training.includes(node));
  const inputs = await graph.values(others.map(({ input }) => input[0]!));
  return confirmedRepair(context, 'batch-norm-training', repairsOf([
    {
      changes: training.map((node) => ({ node, nodes: [evaluated(node)] })),
      text: (label) => `using the stored statistics in ${label}`,
      values: { training: 'ours' },
    },
    {
      changes: others.flatMap((node) => {
        const input = inputs.get(node.input[0]!);
        return input && input.shape.length >= 2 ? [{ node, nodes: withStatistics(node, input) }] : [];
      }),
      text: (label) => `using the statistics of the batch, as in training, in ${label}`,
      values: { training: 'golden' },
    },
  ]));
}

function evaluated(node: NodeProto): NodeProto {
  const changed = withAttributes(node, intAttribute('training_mode', 0));
  return copyWith(changed, { output: node.output.slice(0, 1) });
}

/** Replaces the stored mean and variance by those of `input`, axes (batch, channel, …). */
function withStatistics(node: NodeProto, { shape, data }: Tensor): readonly NodeProto[] {
  const [numItems = 1, numChannels = 1] = shape;
  const stride = sizeOf(shape.slice(2));
  const sums = new Float64Array(numChannels);
  const squares = new Float64Array(numChannels);
  const each = (visit: (channel: number, value: number) => void): void => {
    for (let index = 0; index < data.length; index++) visit(Math.floor(index / stride) % numChannels, data[index]!);
  };
  const count = numItems * stride;
  each((channel, value) => { sums[channel]! += value; });
  each((channel, value) => { squares[channel]! += (value - sums[channel]! / count) ** 2; });
  const draft = new Draft(node.output[0]!);
  const mean = draft.floats([numChannels], Float32Array.from(sums, (sum) => sum / count));
  const variance = draft.floats([numChannels], Float32Array.from(squares, (square) => square / count));
  return draft.give(draft.copy(node, { input: [...node.input.slice(0, 3), mean, variance] }));
}
