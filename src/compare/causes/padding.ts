import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, firstOutput, intAttribute, intsAttribute, intsOf, textAttribute, textOf, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { provenRepair, repairsOf, type NodeChange } from './repair';

const MODES = ['constant', 'reflect', 'edge', 'circular'] as const;
type Mode = (typeof MODES)[number];

/** Sides on which the padding of a convolution may be. */
const SIDES = {
  'all at the start': (begin: number, end: number) => [begin + end, 0],
  'all at the end': (begin: number, end: number) => [0, begin + end],
  'the sides exchanged': (begin: number, end: number) => [end, begin],
} as const;

/** Beyond the end of any axis. */
const END = 2 ** 31 - 1;

/** Since this version the pads of Pad are an input. */
const PADS_INPUT_OPSET = 11;

/** The edges are padded with other values, or on the other side: only values near an edge differ. */
export function otherPadding(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  if (!graph) return Promise.resolve(null);
  const pads = graph.nodes.filter(({ opType }) => opType === 'Pad');
  const convolutions = graph.nodes.filter((node) => node.opType === 'Conv' && intsOf(node, 'pads').some((pad) => pad > 0));
  const ofPads = MODES.map((mode) => ({
    changes: pads.filter((node) => modeOf(node) !== mode).flatMap((node) => {
      const nodes = padWith(graph, node, mode);
      return nodes ? [{ node, nodes }] : [];
    }),
    text: (nodes: string) => `padding by ${mode === 'constant' ? 'zeros' : mode} in ${nodes}`,
    values: { mode },
  }));
  const modes = MODES.filter((mode) => mode !== 'constant').map((mode) => ({
    changes: graph.opset < PADS_INPUT_OPSET ? [] : convolutions.map((node) => ({ node, nodes: paddedBefore(node, mode) })),
    text: (nodes: string) => `padding by ${mode} in place of zeros in ${nodes}`,
    values: { mode },
  }));
  const sides = Object.entries(SIDES).map(([side, change]) => ({
    changes: convolutions.flatMap((node) => padsMoved(node, change) ?? []),
    text: (nodes: string) => `padding with ${side} in ${nodes}`,
    values: { side },
  }));
  return provenRepair(context, 'padding', repairsOf([...ofPads, ...modes, ...sides]));
}

/** ONNX calls circular padding `wrap`, and has it since version 19 only. */
const modeOf = (node: NodeProto): string => textOf(node, 'mode', 'constant').replace('wrap', 'circular');

/** Only constant padding has a value to pad with. Null if the pads are not known. */
function padWith(graph: LayerGraph, node: NodeProto, mode: Mode): readonly NodeProto[] | null {
  const draft = new Draft(firstOutput(node));
  if (mode === 'circular') {
    const pads = wholeNumbers(graph, node.input[1] ?? '');
    return pads && node.input.length < 4 ? draft.give(circular(draft, node.input[0]!, pads)) : null;
  }
  const changed = withAttributes(node, textAttribute('mode', mode));
  return draft.give(draft.copy(changed, { input: node.input.slice(0, 2) }));
}

/** The values of an int64 constant. */
function wholeNumbers(graph: LayerGraph, name: string): number[] | null {
  const constant = graph.constant(name);
  if (constant?.dtype !== 'int64') return null;
  const bytes = constant.bytes();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, index) => Number(view.getBigInt64(index * 8, true)));
}

/** Repeats the other end of each axis. @param pads at the start of all axes, then at the end @returns the name of the value */
function circular(draft: Draft, value: string, pads: readonly number[]): string {
  const rank = pads.length / 2;
  let padded = value;
  for (let axis = 0; axis < rank; axis++) {
    const [begin, end] = [pads[axis]!, pads[rank + axis]!];
    if (begin <= 0 && end <= 0) continue;
    const whole = padded;
    const slice = (from: number, to: number): string => draft.add('Slice', [whole, draft.ints([from]), draft.ints([to]), draft.ints([axis])]);
    const parts = [...(begin > 0 ? [slice(-begin, END)] : []), whole, ...(end > 0 ? [slice(0, end)] : [])];
    padded = draft.add('Concat', parts, intAttribute('axis', axis));
  }
  return padded;
}

function paddedBefore(node: NodeProto, mode: Mode): readonly NodeProto[] {
  const pads = intsOf(node, 'pads');
  const draft = new Draft(firstOutput(node));
  const half = pads.length / 2;
  const all = [0, 0, ...pads.slice(0, half), 0, 0, ...pads.slice(half)];
  const [x = ''] = node.input;
  const padded = mode === 'circular' ? circular(draft, x, all) : draft.add('Pad', [x, draft.ints(all)], textAttribute('mode', mode));
  const bare = withAttributes(node, intsAttribute('pads', pads.map(() => 0)));
  return draft.give(draft.copy(bare, { input: node.input.with(0, padded) }));
}

function padsMoved(node: NodeProto, change: (begin: number, end: number) => readonly number[]): NodeChange | null {
  const pads = intsOf(node, 'pads');
  const half = pads.length / 2;
  const moved = pads.slice(0, half).map((begin, axis) => change(begin, pads[half + axis]!));
  const all = [...moved.map(([begin]) => begin!), ...moved.map(([, end]) => end!)];
  if (all.every((pad, index) => pad === pads[index])) return null;
  return { node, nodes: [withAttributes(node, intsAttribute('pads', all))] };
}
