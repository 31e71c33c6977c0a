import type { LstmNode } from '../../onnx/weights';
import { everyOrder } from '../align';
import { hasShape } from '../measure';
import type { Cause } from '../report';
import { halvesSwapped } from './channels';
import type { CauseContext } from './context';
import { distance, explains, leavesText, type Distance } from './proof';
import { zeroWeightsOf } from './values';

/** Gates in the order in which ONNX's LSTM reads them: input, output, forget, cell. */
const ONNX_GATES: readonly string[] = ['i', 'o', 'f', 'c'];

/** Orders that are met, by who uses them, likeliest first; PyTorch calls the cell gate g. */
const KNOWN_ORDERS: Readonly<Record<string, string>> = {
  ifco: 'as in PyTorch and Keras',
  icof: 'as after converting from PyTorch twice',
  icfo: 'as in TensorFlow',
  ifoc: 'as in Caffe',
};

/** Weights of the input, of the state, and biases. */
const PARTS = ['w', 'r', 'b'] as const;
type Part = (typeof PARTS)[number];

/** LSTM nodes of which one kind of weights is tried by itself: up to 20 runs for one node, 60 for two. */
const MAX_NODES_OF_ONE = 2;

/** Every order but ONNX's own, likeliest first. */
const GATE_ORDERS: readonly string[] = [
  ...new Set([
    ...Object.keys(KNOWN_ORDERS),
    ...everyOrder(ONNX_GATES.length).map((order) => order.map((gate) => ONNX_GATES[gate]).join('')),
  ]),
].filter((order) => order !== ONNX_GATES.join(''));

/** Whether an order exchanges two gates. */
const isExchange = (order: string): boolean => ONNX_GATES.filter((gate, index) => gate !== order[index]).length === 2;

/**
 * The four gates in an LSTM's weights are in another order than ONNX's. Runs the stage with them put in order: of all
 * nodes together and of each alone, 23 orders each, up to the first that gives the golden values. That is one run for
 * PyTorch's order, which nearly all are, and 23 × (nodes + 1) where none does. After that the likely
 * orders and exchanges of two gates in the weights of the input alone, or of the state.
 */
export async function lstmGates(context: CauseContext): Promise<Cause | null> {
  const whole = await gatesOf(context, ['w', 'r', 'b']);
  if (whole) return whole;
  // More nodes would be hundreds of runs.
  if ((context.layer?.lstms.length ?? 0) > MAX_NODES_OF_ONE) return null;
  return (await gatesOf(context, ['w'])) ?? gatesOf(context, ['r']);
}

/** The same in these kinds of weights. */
function gatesOf(context: CauseContext, parts: readonly Part[]): Promise<Cause | null> {
  const kinds = parts.length < PARTS.length ? `the weight ${parts.join(', ').toUpperCase()}` : 'the weights';
  const orders = parts.length < PARTS.length ? GATE_ORDERS.filter((order) => order in KNOWN_ORDERS || isExchange(order)) : GATE_ORDERS;
  return firstThatFits(
    context,
    orders.map((letters) => ({
      id: 'lstm-gates',
      isLikely: letters in KNOWN_ORDERS,
      parts,
      // Blocks of all directions; of the biases, those on the input and those on the state.
      change: (values, groups) => reordered(values, groups, ONNX_GATES.map((gate) => letters.indexOf(gate))),
      text: (nodes) =>
        `the gates in ${kinds} of ${nodes} are in the order ${letters.split('').join(', ')}` +
        `${letters in KNOWN_ORDERS ? ` (${KNOWN_ORDERS[letters]!})` : ''} where ONNX reads ${ONNX_GATES.join(', ')}: ` +
        'put in order, they give the golden values',
      values: { order: letters },
    })),
    (lstm) => ({ w: lstm.directions, r: lstm.directions, b: 2 * lstm.directions }),
  );
}

/** The two directions of an LSTM are swapped, in what it gives or in its weights. */
export async function lstmDirection(context: CauseContext): Promise<Cause | null> {
  const swapped = bidirectional(context).length > 0 ? halvesSwapped(context) : null;
  if (swapped) {
    const { axis, left, error } = swapped;
    return {
      id: 'lstm-direction',
      evidence:
        `golden has ours with the halves along ${axis} swapped: ` +
        `the backward direction stands before the forward one${leavesText(left, error)}`,
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

/** A change of an LSTM's weights that may put them right. */
interface Repair {
  readonly id: 'lstm-gates' | 'lstm-direction';
  readonly isLikely: boolean;
  /** The kinds of weights that are changed. */
  readonly parts: readonly Part[];
  /** New values of a tensor of weights that consists of `groups` equal groups. */
  readonly change: (values: Float32Array, groups: number) => Float32Array;
  readonly text: (nodes: string) => string;
  readonly values: Cause['values'];
}

/** Groups in each of an LSTM's tensors, in every one of which a change is made. */
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

/** Each repair of all nodes, and of each alone: first the likely ones, then the rest. */
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

/** The weights of these LSTMs changed; null where the layer lacks one. */
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

/** Of each of `groups` equal groups, the blocks in another order: block `i` is block `order[i]` of `values`. */
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
