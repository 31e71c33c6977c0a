import { Draft, firstOutput } from '../../onnx/replaceNodes';
import { hasShape } from '../measure';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { channelViews, means, proven } from './perChannel';
import { distance, errorText, explains } from './proof';
import { labelOf } from './repair';

/** Inputs of operators that are added to each channel, by position. */
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
 * Golden is ours plus a number for each channel. If the stage has a bias, it is stated only if the stage with these numbers
 * added to the bias gives the golden values.
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
    const evidence = `golden is ours plus one number for each ${fit.axis}, up to ±${errorText(greatest)}${fit.leaves}`;
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

/** Constants of one value for each channel that nodes of the layer add, those of the last nodes first. */
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
