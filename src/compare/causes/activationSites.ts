import type { NodeProto } from '../../onnx/onnx_pb';
import { textOf } from '../../onnx/replaceNodes';
import type { LayerGraph } from './context';
import { consumersOf, producerOf } from './repair';

/** Where a graph computes an activation function. */
export interface ActivationSite {
  /** The node that gives its value. */
  readonly node: NodeProto;
  /** The value that it is a function of; null for the end of a stage, after which a function may be missing. */
  readonly input: string | null;
  readonly kind: string;
}

/** Operators that are an activation by themselves. */
const UNARY = new Set([
  'Relu', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'Gelu', 'FastGelu', 'QuickGelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh',
  'Softplus', 'Softsign', 'Mish', 'ThresholdedRelu',
]);

/** Most nodes of a decomposed activation after the node by which it is recognized. */
const MAX_STEPS = 4;

/** The activation functions of a layer, each once, with those that consist of several nodes. */
export function activationSites(graph: LayerGraph): ActivationSite[] {
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
export function lastNodeSite(graph: LayerGraph): ActivationSite | null {
  const node = producerOf(graph, graph.value);
  return node?.output[0] === graph.value ? { node, input: null, kind: 'no activation' } : null;
}

/** The operand of a product or quotient that is not a constant. */
function otherOperand(graph: LayerGraph, node: NodeProto | undefined): string | null {
  if (node?.opType !== 'Mul' && node?.opType !== 'Div') return null;
  return node.input.find((name) => !graph.constant(name)) ?? null;
}

/** x · (1 + gate) · ½ in any order, of which `node` gives the gate. */
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

/** Whether a node adds a constant to the gate, or multiplies it by a constant, by x, or by a multiple of x. */
function continues(graph: LayerGraph, { opType, input }: NodeProto, gate: string, x: string): boolean {
  const other = input.find((name) => name !== gate) ?? '';
  if (opType === 'Add') return graph.constant(other) !== null;
  if (opType !== 'Mul') return false;
  const isSmall = (name: string): boolean => graph.constant(name)?.shape.every((size) => size === 1) ?? false;
  return isSmall(other) || other === x || otherOperand(graph, producerOf(graph, other)) === x;
}
