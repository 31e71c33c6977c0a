import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, firstOutput, intAttribute, intOf, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { provenRepair, repairsOf, type NodeChange } from './repair';

/** What may be wrong with a GRU. */
interface Option {
  /** Blocks of ONNX's order z, r, h; null for that order. */
  readonly gates: readonly number[] | null;
  readonly isOtherReset: boolean;
  readonly isSwapped: boolean;
  /** The inputs that are changed: W, R and B. */
  readonly positions: readonly number[];
  /** The only direction that is changed; null for all. */
  readonly direction: number | null;
  readonly text: string;
}

/** Weights of the input, of the state, and biases, by the position of the input. */
const INPUTS = { W: 1, R: 2, B: 3 } as const;

/** The order of the gates in our weights, as ONNX's gates z, r, h have to be taken from them. */
const ORDERS = [
  { gates: [1, 0, 2], name: 'r, z, h as in PyTorch' },
  { gates: [2, 1, 0], name: 'h, r, z' },
  { gates: [0, 2, 1], name: 'z, h, r' },
  { gates: [1, 2, 0], name: 'h, z, r' },
  { gates: [2, 0, 1], name: 'r, h, z' },
] as const;

/** The first of {@link ORDERS}, which exchange two gates. */
const NUM_EXCHANGES = 3;

/** GRUs of which one kind of weights is changed by itself: up to 33 runs for each. */
const MAX_NODES_OF_ONE = 2;

const WHOLE = { gates: null, isOtherReset: false, isSwapped: false, positions: Object.values(INPUTS), direction: null } as const;
const RESET: Option = { ...WHOLE, isOtherReset: true, text: 'the other linear_before_reset' };
const SWAPPED: Option = { ...WHOLE, isSwapped: true, text: 'the two directions exchanged' };

/** Of all weights of a GRU, likeliest first. */
const OPTIONS: readonly Option[] = [RESET, ...ORDERS.slice(0, 1).flatMap(withGates), SWAPPED, ...ORDERS.slice(1).flatMap(withGates)];

function withGates({ gates, name }: (typeof ORDERS)[number]): Option[] {
  const text = `reading the gates in the order ${name}`;
  return [
    { ...WHOLE, gates, text },
    { ...WHOLE, gates, isOtherReset: true, text: `${text}, with the other linear_before_reset,` },
  ];
}

/** Of one kind of weights, in all directions or in one. */
const OPTIONS_OF_ONE: readonly Option[] = [null, 0, 1].flatMap((direction) =>
  ORDERS.slice(0, direction === null ? ORDERS.length : NUM_EXCHANGES).flatMap(({ gates, name }) =>
    Object.entries(INPUTS).map(([input, position]): Option => {
      const place = direction === null ? input : `${input} of direction ${direction}`;
      return { ...WHOLE, gates, positions: [position], direction, text: `reading only the gates of ${place} in the order ${name}` };
    })));

/** The gates or directions of a GRU are in another order, or its reset gate is applied at another place. */
export async function gruVariant(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'GRU') ?? [];
  const tried = (own: readonly NodeProto[], options: readonly Option[]): Promise<Cause | null> =>
    provenRepair(context, 'gru', repairsOf(
      options.map((option) => ({
        changes: own.flatMap((node) => changeOf(graph!, node, option) ?? []),
        text: (label) => `${option.text} in ${label}`,
        values: { change: option.text },
      })),
    ));
  let cause = await tried(nodes, OPTIONS);
  for (const node of nodes.slice(0, MAX_NODES_OF_ONE)) cause ??= await tried([node], OPTIONS_OF_ONE);
  return cause;
}

function changeOf(graph: LayerGraph, node: NodeProto, option: Option): NodeChange | null {
  const { gates, isOtherReset, isSwapped, positions, direction } = option;
  const [directions = 1, , hidden = 0] = graph.constant(node.input[2] ?? '')?.shape ?? [];
  if (hidden === 0 || (isSwapped && directions !== 2) || (direction !== null && directions !== 2)) return null;
  const draft = new Draft(firstOutput(node));
  const input = node.input.map((name, position) => {
    if (name === '' || !positions.includes(position)) return name;
    const swapped = isSwapped ? draft.add('Gather', [name, draft.ints([1, 0])], intAttribute('axis', 0)) : name;
    if (!gates) return swapped;
    // The biases of the state follow those of the input.
    const blocks = position === INPUTS.B ? [...gates, ...gates.map((gate) => gate + 3)] : gates;
    const rows = blocks.flatMap((block) => Array.from({ length: hidden }, (_, row) => block * hidden + row));
    const ordered = draft.add('Gather', [swapped, draft.ints(rows)], intAttribute('axis', 1));
    if (direction === null) return ordered;
    const halves = [0, 1].map((half) => draft.add('Gather', [half === direction ? ordered : name, draft.ints([half])], intAttribute('axis', 0)));
    return draft.add('Concat', halves, intAttribute('axis', 0));
  });
  if (input.every((name, position) => name === node.input[position]) && !isOtherReset) return null;
  const reset = intOf(node, 'linear_before_reset', 0);
  const changed = isOtherReset ? withAttributes(node, intAttribute('linear_before_reset', 1 - reset)) : node;
  // Only the first output is given another name: the others stay what they are.
  return { node, nodes: draft.give(draft.copy(changed, { input })) };
}
