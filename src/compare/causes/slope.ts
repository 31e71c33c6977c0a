import type { NodeProto } from '../../onnx/onnx_pb';
import { copyWith } from '../../onnx/message';
import { Draft, firstOutput, floatAttribute, floatOf, withAttributes, type NodeChanges } from '../../onnx/replaceNodes';
import { sizeOf, type Tensor } from '../tensor';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { fitNumber } from './fitNumber';
import { errorText, fittedText, MIN_VALUES } from './proof';
import { labelOf, provenRepair, type Repair } from './repair';

/** Operators with a parameter `alpha`, and its default. */
const ALPHAS: Readonly<Record<string, number>> = { Elu: 1, LeakyRelu: 0.01, Celu: 1, ThresholdedRelu: 1 };

/** Operators that are a multiple of their input below zero, and the input itself above. */
const SLOPED = new Set(['Relu', 'LeakyRelu', 'PRelu']);

/** Activations that are tried, each by itself. */
const MAX_NODES = 4;

/** Relative distance at which a fitted number counts as one of two digits. */
const ROUND = 2e-3;

/** The parameter of an activation function is another: alpha of ELU or leaky ReLU, or the slopes of PReLU. */
export async function otherSlope(context: CauseContext): Promise<Cause | null> {
  const { graph, golden } = context;
  if (!graph) return null;
  const nodes = graph.nodes.filter(({ opType }) => opType in ALPHAS || SLOPED.has(opType));
  const alone = nodes.slice(0, MAX_NODES).map((node) => [node]);
  for (const group of nodes.length > 1 ? [nodes, ...alone] : alone) {
    const repairs = [...(await alphaRepairs(graph, golden, group)), ...(await slopeRepairs(graph, golden, group))];
    const cause = await provenRepair(context, 'activation', repairs);
    if (cause) return cause;
  }
  return null;
}

const alphaOf = (node: NodeProto): number => (node.opType === 'Relu' ? 0 : floatOf(node, 'alpha', ALPHAS[node.opType]!));

/** One alpha for all of these nodes. */
async function alphaRepairs(graph: LayerGraph, golden: Tensor, nodes: readonly NodeProto[]): Promise<Repair[]> {
  const start = alphaOf(nodes[0]!);
  if (nodes.some((node) => node.opType === 'PRelu' || alphaOf(node) !== start)) return [];
  const changesFor = (alpha: number): NodeChanges => new Map(nodes.map((node) => [firstOutput(node), [withAlpha(node, alpha)]]));
  const fitted = await fitNumber(graph, golden, start, 0.1, changesFor);
  if (fitted === null) return [];
  const rounded = Number(fitted.toPrecision(2));
  const alpha = Math.abs(rounded - fitted) <= ROUND * Math.abs(fitted) ? rounded : fitted;
  const names = nodes.map(labelOf).join(', ');
  const value = alpha === rounded ? errorText(rounded) : fittedText(fitted);
  const isRelu = nodes.some(({ opType }) => opType === 'Relu');
  return [{
    changes: changesFor(alpha),
    text: isRelu ? `a leaky ReLU with an alpha of ${value} in place of ReLU in ${names}` : `an alpha of ${value} in place of ${errorText(start)} in ${names}`,
    values: { alpha, nodes: names },
  }];
}

const withAlpha = (node: NodeProto, alpha: number): NodeProto =>
  copyWith(withAttributes(node, floatAttribute('alpha', alpha)), node.opType === 'Relu' ? { opType: 'LeakyRelu' } : {});

/** A slope for each channel, if the node gives the stage's own value: then every golden value below zero shows it. */
async function slopeRepairs(graph: LayerGraph, golden: Tensor, [node, ...others]: readonly NodeProto[]): Promise<Repair[]> {
  if (!node || others.length > 0 || !SLOPED.has(node.opType) || node.output[0] !== graph.value) return [];
  const x = (await graph.values([node.input[0]!])).get(node.input[0]!);
  if (!x || x.shape.length !== golden.shape.length || x.data.length !== golden.data.length) return [];
  // PyTorch's channels are along the second axis.
  const channels = x.shape.length > 1 ? x.shape[1]! : 1;
  const stride = sizeOf(x.shape.slice(2));
  const products = new Float64Array(channels);
  const squares = new Float64Array(channels);
  const counts = new Float64Array(channels);
  for (const [index, value] of x.data.entries()) {
    if (!(value < 0)) continue;
    const channel = Math.floor(index / stride) % channels;
    products[channel]! += golden.data[index]! * value;
    squares[channel]! += value * value;
    counts[channel]!++;
  }
  const ours = graph.constant(node.input[1] ?? '')?.values();
  const own = (channel: number): number => (node.opType === 'PRelu' ? (ours?.[channel] ?? ours?.[0] ?? 0) : alphaOf(node));
  // A channel with few values below zero proves nothing, and keeps its slope.
  const slopes = Float32Array.from(products, (product, channel) => (counts[channel]! >= MIN_VALUES ? product / squares[channel]! : own(channel)));
  const draft = new Draft(firstOutput(node));
  const shape = x.shape.length > 1 ? [channels, ...x.shape.slice(2).map(() => 1)] : [1];
  const fitted = draft.add('PRelu', [node.input[0]!, draft.floats(shape, slopes)]);
  const [least, greatest] = [Math.min(...slopes), Math.max(...slopes)];
  const kind = node.opType === 'PRelu' ? 'its own' : `a ${node.opType === 'Relu' ? 'ReLU' : 'leaky ReLU'}`;
  return [{
    changes: new Map([[firstOutput(node), draft.give(fitted)]]),
    text: `a PReLU with slopes from ${errorText(least)} to ${errorText(greatest)} in place of ${kind} in ${labelOf(node)}`,
    values: { least, greatest, nodes: labelOf(node) },
  }];
}
