import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, intAttribute, intOf, withAttributes } from '../../onnx/replaceNodes';
import type { Tensor } from '../tensor';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { producerOf, provenRepair, repairsOf } from './repair';

/** Normalizations that are tried. */
const MAX_NODES = 8;

/** Since this version a GroupNormalization has a scale for each channel, before it one for each group. */
const SCALE_OF_CHANNELS_OPSET = 21;

/** A normalization over groups of channels has another number of groups; one group or one for each channel, too. */
export async function normGroups(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => /^(Instance|Group)Normalization$/.test(opType)).slice(0, MAX_NODES) ?? [];
  if (!graph || nodes.length === 0) return null;
  const known = await graph.values(nodes.flatMap((node) => [node.input[0]!, beforeReshape(graph, node)]));
  const sites = nodes.flatMap((node) => siteOf(graph, node, known) ?? []);
  const counts = [...new Set(sites.flatMap(({ numChannels }) => divisorsOf(numChannels)))];
  return provenRepair(context, 'norm-groups', repairsOf(
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

interface Site {
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

function siteOf(graph: LayerGraph, node: NodeProto, known: ReadonlyMap<string, Tensor>): Site | null {
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
  // Scales of channels stay those of channels.
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
