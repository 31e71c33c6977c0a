import { copyWith } from '../../onnx/nodes';
import type { NodeProto } from '../../onnx/onnx_pb';
import {
  Draft,
  firstOutput,
  floatAttribute,
  floatOf,
  type NodeChanges,
  textOf,
  withAttributes,
} from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import { sizeOf, type Tensor } from '../tensor';
import type { CauseContext, LayerGraph } from './context';
import {
  consumersOf,
  errorText,
  fitNumber,
  fittedText,
  labelOf,
  MIN_VALUES,
  producerOf,
  confirmedRepair,
  type Repair,
} from './evidence';

/** Where a graph computes an activation function. */
interface ActivationSite {
  /** The node that outputs the result. */
  readonly node: NodeProto;
  /** The argument of the function; null for the end of a stage, where a function may be missing. */
  readonly input: string | null;
  readonly kind: string;
}

/** Operators that are activations on their own. */
const UNARY = new Set([
  'Relu', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'Gelu', 'FastGelu', 'QuickGelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh',
  'Softplus', 'Softsign', 'Mish', 'ThresholdedRelu',
]);

/** Maximum number of nodes of a decomposed activation after the node that identifies it. */
const MAX_STEPS = 4;

/** The activation functions of a layer, each once, including those that consist of several nodes. */
function activationSites(graph: LayerGraph): ActivationSite[] {
  return graph.nodes.flatMap((node) => {
    const { opType, input } = node;
    const [x = ''] = input;
    if (opType === 'Erf') return gelu(graph, node, [otherOperand(graph, producerOf(graph, x))], 'GELU (erf)');
    if (opType === 'Sigmoid' || opType === 'Tanh') {
      const product = consumersOf(graph, node.output[0]!).find((user) => user.opType === 'Mul' && user.input.includes(x));
      if (product && opType === 'Sigmoid') return [{ node: product, input: x, kind: 'SiLU' }];
      const scaled = opType === 'Tanh' ? otherOperand(graph, producerOf(graph, x)) : null;
      const sum = scaled === null ? undefined : producerOf(graph, scaled);
      const sites = sum?.opType === 'Add' ? gelu(graph, node, sum.input, 'GELU (tanh)') : [];
      if (sites.length > 0) return sites;
    }
    const isApproximate = opType === 'Gelu' && textOf(node, 'approximate', 'none') === 'tanh';
    return UNARY.has(opType) && input.length === 1 ? [{ node, input: x, kind: isApproximate ? 'GELU (tanh)' : opType }] : [];
  });
}

/** The end of the stage. */
function lastNodeSite(graph: LayerGraph): ActivationSite | null {
  const node = producerOf(graph, graph.value);
  return node?.output[0] === graph.value ? { node, input: null, kind: 'no activation' } : null;
}

/** The non-constant operand of a product or quotient. */
function otherOperand(graph: LayerGraph, node: NodeProto | undefined): string | null {
  if (node?.opType !== 'Mul' && node?.opType !== 'Div') return null;
  return node.input.find((name) => !graph.constant(name)) ?? null;
}

/** Matches x · (1 + gate) · ½ in any order; `node` computes the gate. */
function gelu(graph: LayerGraph, node: NodeProto, inputs: readonly (string | null)[], kind: string): ActivationSite[] {
  for (const x of inputs) {
    if (x === null) continue;
    let last = node;
    for (let step = 0; step < MAX_STEPS; step++) {
      const [next, ...others] = consumersOf(graph, last.output[0]!);
      if (!next || others.length > 0 || !continues(graph, next, last.output[0]!, x)) break;
      last = next;
    }
    if (last.opType === 'Mul') return [{ node: last, input: x, kind }];
  }
  return [];
}

/** True if a node adds a constant to the gate, or multiplies it by a constant, by x, or by a multiple of x. */
function continues(graph: LayerGraph, { opType, input }: NodeProto, gate: string, x: string): boolean {
  const other = input.find((name) => name !== gate) ?? '';
  if (opType === 'Add') return graph.constant(other) !== null;
  if (opType !== 'Mul') return false;
  const isSmall = (name: string): boolean => graph.constant(name)?.shape.every((size) => size === 1) ?? false;
  return isSmall(other) || other === x || otherOperand(graph, producerOf(graph, other)) === x;
}

/** Adds nodes that compute a function of `x`. Returns the name of the result. */
type Build = (draft: Draft, x: string) => string;

/** Candidate functions, likely ones first. */
const ACTIVATIONS: Readonly<Record<string, Build>> = {
  'GELU (erf)': (draft, x) => gate(draft, x, draft.add('Erf', [times(draft, x, Math.SQRT1_2)])),
  'GELU (tanh)': (draft, x) => {
    const cube = draft.add('Mul', [draft.add('Mul', [x, x]), x]);
    const inner = draft.add('Add', [x, times(draft, cube, 0.044715)]);
    return gate(draft, x, draft.add('Tanh', [times(draft, inner, Math.sqrt(2 / Math.PI))]));
  },
  ReLU: (draft, x) => draft.add('Relu', [x]),
  SiLU: (draft, x) => draft.add('Mul', [x, draft.add('Sigmoid', [x])]),
  'quick GELU': (draft, x) => draft.add('Mul', [x, draft.add('Sigmoid', [times(draft, x, 1.702)])]),
  'leaky ReLU (0.01)': (draft, x) => draft.add('LeakyRelu', [x], floatAttribute('alpha', 0.01)),
  'leaky ReLU (0.1)': (draft, x) => draft.add('LeakyRelu', [x], floatAttribute('alpha', 0.1)),
  'leaky ReLU (0.2)': (draft, x) => draft.add('LeakyRelu', [x], floatAttribute('alpha', 0.2)),
  ELU: (draft, x) => draft.add('Elu', [x]),
  Sigmoid: (draft, x) => draft.add('Sigmoid', [x]),
  Tanh: (draft, x) => draft.add('Tanh', [x]),
  Softplus: (draft, x) => draft.add('Softplus', [x]),
  Mish: (draft, x) => draft.add('Mul', [x, draft.add('Tanh', [draft.add('Softplus', [x])])]),
  'hard swish': (draft, x) => draft.add('Mul', [x, hardSigmoid(draft, x)]),
  'hard sigmoid': hardSigmoid,
  ReLU6: (draft, x) => draft.add('Min', [draft.add('Relu', [x]), draft.scalar(6)]),
  'no activation': (_, x) => x,
};

/**
 * Detects an activation function that differs from the golden network, such as GELU with tanh in place of erf, or that is
 * missing at the end of the stage.
 */
export function otherActivation(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  if (!graph) return Promise.resolve(null);
  const sites = activationSites(graph);
  // If there is no activation, one may be missing at the end.
  const missing = sites.length === 0 ? lastNodeSite(graph) : null;
  const kinds = [...new Set(sites.map(({ kind }) => kind))];
  const groups = kinds.map((kind) => sites.filter((site) => site.kind === kind)).filter((group) => group.length > 1);
  const repairs: Repair[] = Object.entries(ACTIVATIONS).flatMap(([name, build]) => [
    ...groups.filter(([site]) => !isSameFunction(site!, name)).map((group) => repairOf(group, name, build)),
    ...(missing ? [repairOf([missing], name, build)] : []),
  ]);
  const alone = Object.entries(ACTIVATIONS).flatMap(([name, build]) =>
    sites.filter((site) => !isSameFunction(site, name)).map((site) => repairOf([site], name, build)));
  return confirmedRepair(context, 'activation', [...repairs, ...alone]);
}

/** The same function with another parameter is a different cause. */
const SAME_KIND: Readonly<Record<string, RegExp>> = {
  Elu: /^ELU$/, LeakyRelu: /^leaky ReLU/, Relu: /^ReLU$/, Gelu: /^GELU \(erf\)$/, QuickGelu: /^quick GELU$/, HardSwish: /^hard swish$/,
};

const isSameFunction = ({ kind }: ActivationSite, name: string): boolean => kind === name || (SAME_KIND[kind]?.test(name) ?? false);

function repairOf(sites: readonly ActivationSite[], name: string, build: Build): Repair {
  const changes = new Map<string, readonly NodeProto[]>();
  for (const site of sites) {
    const draft = new Draft(site.node.output[0]!);
    changes.set(site.node.output[0]!, draft.give(build(draft, site.input ?? draft.copy(site.node))));
  }
  const nodes = sites.map(({ node }) => labelOf(node)).join(', ');
  const place = sites.every(({ input }) => input === null) ? `after the node ${nodes}` : `in place of ${sites[0]!.kind} in ${nodes}`;
  return { changes, text: `${name} ${place}`, values: { activation: name, nodes } };
}

const times = (draft: Draft, x: string, factor: number): string => draft.add('Mul', [x, draft.scalar(factor)]);

/** x · (1 + gate) / 2 */
const gate = (draft: Draft, x: string, value: string): string =>
  times(draft, draft.add('Mul', [x, draft.add('Add', [value, draft.scalar(1)])]), 0.5);

/** PyTorch's slope; ONNX's default is 0.2. */
function hardSigmoid(draft: Draft, x: string): string {
  return draft.add('HardSigmoid', [x], floatAttribute('alpha', 1 / 6), floatAttribute('beta', 0.5));
}

/** Operators with a parameter `alpha`, and its default. */
const ALPHAS: Readonly<Record<string, number>> = { Elu: 1, LeakyRelu: 0.01, Celu: 1, ThresholdedRelu: 1 };

/** Operators that scale their input below zero and keep it above. */
const SLOPED = new Set(['Relu', 'LeakyRelu', 'PRelu']);

/** Maximum number of activations that are tried, one at a time. */
const MAX_NODES = 4;

/** Maximum relative distance at which a fitted number is rounded to two digits. */
const ROUND = 2e-3;

/** Detects a wrong parameter of an activation function: alpha of ELU or leaky ReLU, or the slopes of PReLU. */
export async function otherSlope(context: CauseContext): Promise<Cause | null> {
  const { graph, golden } = context;
  if (!graph) return null;
  const nodes = graph.nodes.filter(({ opType }) => opType in ALPHAS || SLOPED.has(opType));
  const alone = nodes.slice(0, MAX_NODES).map((node) => [node]);
  for (const group of nodes.length > 1 ? [nodes, ...alone] : alone) {
    const repairs = [...(await alphaRepairs(graph, golden, group)), ...(await slopeRepairs(graph, golden, group))];
    const cause = await confirmedRepair(context, 'activation', repairs);
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

/** One slope per channel. Only if the node outputs the stage itself: then every golden value below zero shows its slope. */
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
  // A channel with few values below zero proves nothing and keeps its slope.
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
