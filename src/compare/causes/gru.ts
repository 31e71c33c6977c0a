import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, firstOutput, intAttribute, intOf, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { provenRepair, repairsOf, type NodeChange } from './repair';

/** What may be wrong with a GRU, likeliest first. */
interface Option {
  /** Blocks of ONNX's order z, r, h; null for that order. */
  readonly gates: readonly number[] | null;
  readonly isOtherReset: boolean;
  readonly isSwapped: boolean;
  readonly text: string;
}

/** The order of the gates in our weights, as ONNX's gates z, r, h have to be taken from them. */
const ORDERS = [
  { gates: [1, 0, 2], name: 'r, z, h as in PyTorch' },
  { gates: [2, 1, 0], name: 'h, r, z' },
  { gates: [0, 2, 1], name: 'z, h, r' },
  { gates: [1, 2, 0], name: 'h, z, r' },
  { gates: [2, 0, 1], name: 'r, h, z' },
] as const;

const RESET: Option = { gates: null, isOtherReset: true, isSwapped: false, text: 'the other linear_before_reset' };
const SWAPPED: Option = { gates: null, isOtherReset: false, isSwapped: true, text: 'the two directions exchanged' };
const OPTIONS: readonly Option[] = [
  RESET,
  ...ORDERS.slice(0, 1).flatMap(withGates),
  SWAPPED,
  ...ORDERS.slice(1).flatMap(withGates),
];

function withGates({ gates, name }: (typeof ORDERS)[number]): Option[] {
  const text = `reading the gates in the order ${name}`;
  return [
    { gates, isOtherReset: false, isSwapped: false, text },
    { gates, isOtherReset: true, isSwapped: false, text: `${text}, with the other linear_before_reset,` },
  ];
}

/** The gates or directions of a GRU are in another order, or its reset gate is applied at another place. */
export function gruVariant(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'GRU') ?? [];
  return provenRepair(context, 'gru', repairsOf(
    OPTIONS.map((option) => ({
      changes: nodes.flatMap((node) => changeOf(graph!, node, option) ?? []),
      text: (label) => `${option.text} in ${label}`,
      values: { change: option.text },
    })),
  ));
}

function changeOf(graph: LayerGraph, node: NodeProto, { gates, isOtherReset, isSwapped }: Option): NodeChange | null {
  const [directions = 1, , hidden = 0] = graph.constant(node.input[2] ?? '')?.shape ?? [];
  if (hidden === 0 || (isSwapped && directions !== 2)) return null;
  const draft = new Draft(firstOutput(node));
  const input = node.input.map((name, position) => {
    // W, R and B; the biases of the state follow those of the input.
    if (name === '' || position < 1 || position > 3) return name;
    const swapped = isSwapped ? draft.add('Gather', [name, draft.ints([1, 0])], intAttribute('axis', 0)) : name;
    if (!gates) return swapped;
    const blocks = position === 3 ? [...gates, ...gates.map((gate) => gate + 3)] : gates;
    const rows = blocks.flatMap((block) => Array.from({ length: hidden }, (_, row) => block * hidden + row));
    return draft.add('Gather', [swapped, draft.ints(rows)], intAttribute('axis', 1));
  });
  const reset = intOf(node, 'linear_before_reset', 0);
  const changed = isOtherReset ? withAttributes(node, intAttribute('linear_before_reset', 1 - reset)) : node;
  // Only the first output is given another name: the others stay what they are.
  return { node, nodes: draft.give(draft.copy(changed, { input })) };
}
