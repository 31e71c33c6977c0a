import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, intsAttribute, intsOf, textAttribute, textOf, withAttributes } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { provenRepair, repairsOf, type NodeChange } from './repair';

const MODES = ['constant', 'reflect', 'edge'];

/** Sides on which the padding of a convolution may be. */
const SIDES = {
  'all at the start': (begin: number, end: number) => [begin + end, 0],
  'all at the end': (begin: number, end: number) => [0, begin + end],
  'the sides exchanged': (begin: number, end: number) => [end, begin],
} as const;

/** Since this version the pads of Pad are an input. */
const PADS_INPUT_OPSET = 11;

/** The edges are padded with other values, or on the other side: only values near an edge differ. */
export function otherPadding(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  if (!graph) return Promise.resolve(null);
  const pads = graph.nodes.filter(({ opType }) => opType === 'Pad');
  const convolutions = graph.nodes.filter((node) => node.opType === 'Conv' && intsOf(node, 'pads').some((pad) => pad > 0));
  const ofPads = MODES.map((mode) => ({
    changes: pads.filter((node) => textOf(node, 'mode', 'constant') !== mode).map((node) => ({ node, nodes: padWith(node, mode) })),
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

/** Only constant padding has a value to pad with. */
function padWith(node: NodeProto, mode: string): readonly NodeProto[] {
  const draft = new Draft(node.output[0]!);
  const changed = withAttributes(node, textAttribute('mode', mode));
  return draft.give(draft.copy(changed, { input: node.input.slice(0, 2) }));
}

function paddedBefore(node: NodeProto, mode: string): readonly NodeProto[] {
  const pads = intsOf(node, 'pads');
  const draft = new Draft(node.output[0]!);
  const half = pads.length / 2;
  const all = [0, 0, ...pads.slice(0, half), 0, 0, ...pads.slice(half)];
  const padded = draft.add('Pad', [node.input[0]!, draft.ints(all)], textAttribute('mode', mode));
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
