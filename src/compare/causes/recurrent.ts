import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, firstOutput, intAttribute, intOf, withAttributes } from '../../onnx/replaceNodes';
import type { LstmNode } from '../../onnx/weights';
import { everyOrder } from '../align';
import { hasShape } from '../measure';
import type { Cause } from '../report';
import { halvesSwapped } from './channels';
import type { CauseContext, LayerGraph } from './context';
import { distance, type Distance, explains, leavesText, type NodeChange, confirmedRepair, repairsOf } from './evidence';
import { zeroWeightsOf } from './values';

/** Gates in the order of ONNX's LSTM: input, output, forget, cell. */
const ONNX_GATES: readonly string[] = ['i', 'o', 'f', 'c'];

/** Common orders with their source, the most likely first; PyTorch names the cell gate g. */
const KNOWN_ORDERS: Readonly<Record<string, string>> = {
  ifco: 'as in PyTorch and Keras',
  icof: 'as after converting from PyTorch twice',
  icfo: 'as in TensorFlow',
  ifoc: 'as in Caffe',
};

/** Input weights, state weights, and biases. */
const PARTS = ['w', 'r', 'b'] as const;
type Part = (typeof PARTS)[number];

/** Maximum number of LSTM nodes for trials of a single kind of weights: up to 20 runs for one node, 60 for two. */
const MAX_LSTMS = 2;

/** Every order except ONNX's, the most likely first. */
const GATE_ORDERS: readonly string[] = [
  ...new Set([
    ...Object.keys(KNOWN_ORDERS),
    ...everyOrder(ONNX_GATES.length).map((order) => order.map((gate) => ONNX_GATES[gate]).join('')),
  ]),
].filter((order) => order !== ONNX_GATES.join(''));

/** True if an order swaps two gates. */
const isExchange = (order: string): boolean => ONNX_GATES.filter((gate, index) => gate !== order[index]).length === 2;

/**
 * Detects LSTM weights whose four gates are not in ONNX's order. Runs the stage with reordered weights of all nodes
 * together and of each node alone, until the result matches the golden values. PyTorch's order, by far the most common,
 * needs one run. If no order matches, the search needs 23 × (nodes + 1) runs. It then tries the likely orders and swaps of
 * two gates in the input weights alone, and in the state weights alone.
 */
export async function lstmGates(context: CauseContext): Promise<Cause | null> {
  const whole = await gatesOf(context, ['w', 'r', 'b']);
  if (whole) return whole;
  // More nodes would need hundreds of runs.
  if ((context.layer?.lstms.length ?? 0) > MAX_LSTMS) return null;
  return (await gatesOf(context, ['w'])) ?? gatesOf(context, ['r']);
}

/** Tries only these kinds of weights. */
function gatesOf(context: CauseContext, parts: readonly Part[]): Promise<Cause | null> {
  const kinds = parts.length < PARTS.length ? `the weight ${parts.join(', ').toUpperCase()}` : 'the weights';
  const orders = parts.length < PARTS.length ? GATE_ORDERS.filter((order) => order in KNOWN_ORDERS || isExchange(order)) : GATE_ORDERS;
  return firstThatFits(
    context,
    orders.map((letters) => ({
      id: 'lstm-gates',
      isLikely: letters in KNOWN_ORDERS,
      parts,
      // Blocks of all directions; for biases, those of the input and those of the state.
      change: (values, groups) => reordered(values, groups, ONNX_GATES.map((gate) => letters.indexOf(gate))),
      text: (nodes) =>
        `the gates in ${kinds} of ${nodes} are in the order ${letters.split('').join(', ')}` +
        `${letters in KNOWN_ORDERS ? ` (${KNOWN_ORDERS[letters]!})` : ''}, but ONNX reads ${ONNX_GATES.join(', ')}: ` +
        'reordered, they give the golden values',
      values: { order: letters },
    })),
    (lstm) => ({ w: lstm.directions, r: lstm.directions, b: 2 * lstm.directions }),
  );
}

/** Detects swapped directions of an LSTM, in its output or in its weights. */
export async function lstmDirection(context: CauseContext): Promise<Cause | null> {
  const swapped = bidirectional(context).length > 0 ? halvesSwapped(context) : null;
  if (swapped) {
    const { axis, left, error } = swapped;
    return {
      id: 'lstm-direction',
      evidence:
        `the golden output is the computed output with the halves along ${axis} swapped: ` +
        `the backward direction comes before the forward one${leavesText(left, error)}`,
      values: { swapped: 'outputs' },
    };
  }
  return firstThatFits(
    { ...context, layer: context.layer && { ...context.layer, lstms: bidirectional(context) } },
    [
      {
        id: 'lstm-direction',
        isLikely: true,
        parts: PARTS,
        change: (values) => reordered(values, 1, [1, 0]),
        text: (nodes) =>
          `the weights of the two directions of ${nodes} are swapped: swapped back, they give the golden values`,
        values: { swapped: 'weights' },
      },
    ],
    () => ({ w: 1, r: 1, b: 1 }),
  );
}

const bidirectional = ({ layer }: CauseContext): readonly LstmNode[] =>
  layer?.lstms.filter(({ directions }) => directions === 2) ?? [];

/** A change of an LSTM's weights that may repair them. */
interface Repair {
  readonly id: 'lstm-gates' | 'lstm-direction';
  readonly isLikely: boolean;
  /** The kinds of weights that are changed. */
  readonly parts: readonly Part[];
  /** New values of a weight tensor that consists of `groups` equal groups. */
  readonly change: (values: Float32Array, groups: number) => Float32Array;
  readonly text: (nodes: string) => string;
  readonly values: Cause['values'];
}

/** Number of groups in each of an LSTM's tensors; a change applies to every group. */
type GroupsOf = (lstm: LstmNode) => { readonly w: number; readonly r: number; readonly b: number };

async function firstThatFits(
  context: CauseContext,
  repairs: readonly Repair[],
  groupsOf: GroupsOf,
): Promise<Cause | null> {
  const { layer, rerun, actual, golden } = context;
  // Weights that were never loaded have no order.
  if (!rerun || !layer || layer.lstms.length === 0 || zeroWeightsOf(context).some(isOfLstm(layer.lstms))) return null;
  if (!hasShape(actual, golden.shape)) return null;
  const error = distance(actual.data, golden.data);
  let numRuns = 0;
  for (const { repair, lstms } of trials(repairs, layer.lstms)) {
    const changes = changesOf(context, lstms, repair, groupsOf);
    if (!changes) continue;
    numRuns++;
    const repaired = await rerun(changes);
    if (!hasShape(repaired, golden.shape)) continue;
    const left = distance(repaired.data, golden.data);
    if (explains(left, error, context)) return causeOf(repair, lstms, layer.lstms.length, numRuns, left, error);
  }
  return null;
}

/** Each repair for all nodes and for each node alone: likely repairs first, then the rest. */
function trials(
  repairs: readonly Repair[],
  all: readonly LstmNode[],
): { repair: Repair; lstms: readonly LstmNode[] }[] {
  const each = all.length > 1 ? all.map((lstm) => [lstm]) : [];
  const likely = repairs.filter(({ isLikely }) => isLikely);
  const others = repairs.filter(({ isLikely }) => !isLikely);
  return [
    ...likely.flatMap((repair) => [all, ...each].map((lstms) => ({ repair, lstms }))),
    ...[all, ...each].flatMap((lstms) => others.map((repair) => ({ repair, lstms }))),
  ];
}

function causeOf(
  { id, text, values }: Repair,
  lstms: readonly LstmNode[],
  numLstms: number,
  numRuns: number,
  left: Distance,
  error: Distance,
): Cause {
  const names = lstms.map(({ node }) => node).join(', ');
  const nodes = lstms.length === numLstms && numLstms > 1 ? `all ${numLstms} LSTM nodes` : `the LSTM node ${names}`;
  return {
    id,
    evidence: `${text(nodes)}${leavesText(left, error)} (run ${numRuns} of the search)`,
    values: { ...values, nodes: names, numRuns },
  };
}

/** The changed weights of these LSTMs; null if the layer lacks one. */
function changesOf(
  { layer }: CauseContext,
  lstms: readonly LstmNode[],
  { change, parts }: Repair,
  groupsOf: GroupsOf,
): Map<string, Float32Array> | null {
  const changes = new Map<string, Float32Array>();
  for (const lstm of lstms) {
    const groups = groupsOf(lstm);
    for (const part of parts) {
      const name = lstm[part];
      if (name === null) continue;
      const weight = layer?.weights.find((candidate) => candidate.name === name);
      if (!weight) return null;
      changes.set(name, change(weight.values, groups[part]));
    }
  }
  return changes;
}

/** Reorders the blocks within each of `groups` equal groups: block `i` is block `order[i]` of `values`. */
function reordered(values: Float32Array, groups: number, order: readonly number[]): Float32Array {
  const block = values.length / (groups * order.length);
  const result = new Float32Array(values.length);
  for (let group = 0; group < groups; group++) {
    const start = group * order.length;
    for (const [target, source] of order.entries()) {
      result.set(values.subarray((start + source) * block, (start + source + 1) * block), (start + target) * block);
    }
  }
  return result;
}

const isOfLstm =
  (lstms: readonly LstmNode[]) =>
  ({ name }: { readonly name: string }): boolean =>
    lstms.some(({ w, r }) => name === w || name === r);

/** A possible fault of a GRU. */
interface Option {
  /** Blocks of ONNX's order z, r, h; null for that order. */
  readonly gates: readonly number[] | null;
  readonly isOtherReset: boolean;
  readonly isSwapped: boolean;
  /** The changed inputs: W, R and B. */
  readonly positions: readonly number[];
  /** The only changed direction; null for all. */
  readonly direction: number | null;
  readonly text: string;
}

/** Input positions of the input weights, state weights, and biases. */
const INPUTS = { W: 1, R: 2, B: 3 } as const;

/** Possible gate orders of our weights: where to find ONNX's gates z, r, h. */
const ORDERS = [
  { gates: [1, 0, 2], name: 'r, z, h as in PyTorch' },
  { gates: [2, 1, 0], name: 'h, r, z' },
  { gates: [0, 2, 1], name: 'z, h, r' },
  { gates: [1, 2, 0], name: 'h, z, r' },
  { gates: [2, 0, 1], name: 'r, h, z' },
] as const;

/** The first entries of {@link ORDERS}, which swap two gates. */
const NUM_EXCHANGES = 3;

/** Maximum number of GRUs for trials of a single kind of weights: up to 33 runs each. */
const MAX_GRUS = 2;

const WHOLE = { gates: null, isOtherReset: false, isSwapped: false, positions: Object.values(INPUTS), direction: null } as const;
const RESET: Option = { ...WHOLE, isOtherReset: true, text: 'the other linear_before_reset' };
const SWAPPED: Option = { ...WHOLE, isSwapped: true, text: 'the two directions exchanged' };

/** Options for all weights of a GRU, the most likely first. */
const OPTIONS: readonly Option[] = [RESET, ...ORDERS.slice(0, 1).flatMap(withGates), SWAPPED, ...ORDERS.slice(1).flatMap(withGates)];

function withGates({ gates, name }: (typeof ORDERS)[number]): Option[] {
  const text = `reading the gates in the order ${name}`;
  return [
    { ...WHOLE, gates, text },
    { ...WHOLE, gates, isOtherReset: true, text: `${text}, with the other linear_before_reset,` },
  ];
}

/** Options for one kind of weights, in all directions or in one. */
const OPTIONS_OF_ONE: readonly Option[] = [null, 0, 1].flatMap((direction) =>
  ORDERS.slice(0, direction === null ? ORDERS.length : NUM_EXCHANGES).flatMap(({ gates, name }) =>
    Object.entries(INPUTS).map(([input, position]): Option => {
      const place = direction === null ? input : `${input} of direction ${direction}`;
      return { ...WHOLE, gates, positions: [position], direction, text: `reading only the gates of ${place} in the order ${name}` };
    })));

/** Detects GRU gates or directions in another order, or a reset gate at another position. */
export async function gruVariant(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'GRU') ?? [];
  const tried = (own: readonly NodeProto[], options: readonly Option[]): Promise<Cause | null> =>
    confirmedRepair(context, 'gru', repairsOf(
      options.map((option) => ({
        changes: own.flatMap((node) => changeOf(graph!, node, option) ?? []),
        text: (label) => `${option.text} in ${label}`,
        values: { change: option.text },
      })),
    ));
  let cause = await tried(nodes, OPTIONS);
  for (const node of nodes.slice(0, MAX_GRUS)) cause ??= await tried([node], OPTIONS_OF_ONE);
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
    // The state biases follow the input biases.
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
  // Only the first output is renamed.
  return { node, nodes: draft.give(draft.copy(changed, { input })) };
}
