import { copyWith } from '../../onnx/nodes';
import type { NodeProto } from '../../onnx/onnx_pb';
import {
  Draft,
  firstOutput,
  floatAttribute,
  intAttribute,
  intOf,
  intsAttribute,
  intsOf,
  textAttribute,
  textOf,
  withAttributes,
} from '../../onnx/replaceNodes';
import { hasShape } from '../measure';
import type { Cause } from '../report';
import { allowedAbs } from '../stageTolerance';
import type { CauseContext, LayerGraph } from './context';
import { distance, errorText, type NodeChange, confirmedRepair, type Repair, repairsOf } from './evidence';

/** Changes of the weight of a convolution, axes (output channel, input channel, tap …). */
const CHANGES = ['flipped', 'rows flipped', 'columns flipped', 'transposed in space', 'input channels reversed', 'output channels reversed', 'input and output channels exchanged'] as const;
type Change = (typeof CHANGES)[number];

/**
 * Detects a convolution kernel that is flipped (convolution versus correlation), with transposed taps, or with reversed or
 * swapped channels.
 */
export function convKernel(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'Conv' || opType === 'ConvTranspose') ?? [];
  return confirmedRepair(context, 'conv-kernel', repairsOf(
    CHANGES.map((change) => ({
      changes: nodes.flatMap((node) => changeOf(graph!, node, change) ?? []),
      text: (label) => `the kernel of ${label}, ${change},`,
      values: { change },
    })),
  ));
}

function changeOf(graph: LayerGraph, node: NodeProto, change: Change): NodeChange | null {
  const shape = graph.constant(node.input[1] ?? '')?.shape;
  if (!shape || shape.length < 3) return null;
  const draft = new Draft(node.output[0]!);
  const weight = changed(draft, node.input[1]!, shape, change);
  if (weight === null) return null;
  return { node, nodes: draft.give(draft.copy(node, { input: node.input.with(1, weight) })) };
}

/** The name of the changed weight; null if the change does not apply or has no effect. */
function changed(draft: Draft, weight: string, shape: readonly number[], change: Change): string | null {
  const taps = shape.map((_, axis) => axis).slice(2);
  switch (change) {
    case 'flipped':
      return reversed(draft, weight, shape, taps);
    case 'rows flipped':
      return taps.length === 2 ? reversed(draft, weight, shape, [2]) : null;
    case 'columns flipped':
      return taps.length === 2 ? reversed(draft, weight, shape, [3]) : null;
    case 'transposed in space':
      return taps.length === 2 && shape[2] === shape[3] && shape[2]! > 1 ? transposed(draft, weight, [0, 1, 3, 2]) : null;
    case 'input channels reversed':
      return reversed(draft, weight, shape, [1]);
    case 'output channels reversed':
      return reversed(draft, weight, shape, [0]);
    case 'input and output channels exchanged':
      return shape[0] === shape[1] && shape[0]! > 1 ? transposed(draft, weight, [1, 0, ...taps]) : null;
  }
}

const transposed = (draft: Draft, weight: string, order: readonly number[]): string =>
  draft.add('Transpose', [weight], intsAttribute('perm', order));

/** Reverses some axes; null if each of them has size 1. */
function reversed(draft: Draft, weight: string, shape: readonly number[], axes: readonly number[]): string | null {
  const long = axes.filter((axis) => shape[axis]! > 1);
  if (long.length === 0) return null;
  const list = (valueOf: (axis: number) => number): string => draft.ints(long.map(valueOf));
  // The end must be before the first value; −1 would mean the last value.
  return draft.add('Slice', [weight, list(() => -1), list((axis) => -shape[axis]! - 1), list((axis) => axis), list(() => -1)]);
}

const MODES = ['constant', 'reflect', 'edge', 'circular'] as const;
type Mode = (typeof MODES)[number];

/** Possible sides of a convolution's padding. */
const SIDES = {
  'all at the start': (begin: number, end: number) => [begin + end, 0],
  'all at the end': (begin: number, end: number) => [0, begin + end],
  'the sides exchanged': (begin: number, end: number) => [end, begin],
} as const;

/** Beyond the end of any axis. */
const END = 2 ** 31 - 1;

/** First opset version whose Pad reads the pads from an input. */
const PADS_INPUT_OPSET = 11;

/** Detects edges that are padded with other values or on the other side: only values near an edge differ. */
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
  return confirmedRepair(context, 'padding', repairsOf([...ofPads, ...modes, ...sides]));
}

/** ONNX names circular padding `wrap`, since opset 19. */
const modeOf = (node: NodeProto): string => textOf(node, 'mode', 'constant').replace('wrap', 'circular');

/** Only constant padding has a padding value. Null if the pads are unknown. */
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

/**
 * Repeats the opposite end of each axis. @param pads at the start of all axes, then at the end @returns the name of the
 * value
 */
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

/** Operators that compute the mean in place of the maximum, and the reverse. */
const OTHER_KIND: Readonly<Record<string, string>> = {
  MaxPool: 'AveragePool',
  AveragePool: 'MaxPool',
  GlobalMaxPool: 'GlobalAveragePool',
  GlobalAveragePool: 'GlobalMaxPool',
  ReduceMax: 'ReduceMean',
  ReduceMean: 'ReduceMax',
};

/**
 * Detects pooling that computes the mean in place of the maximum or the reverse, counts its padding, or rounds its size up.
 */
export async function otherPooling(context: CauseContext): Promise<Cause | null> {
  return confirmedRepair(context, 'pooling', repairs(context));
}

/** Detects a pooling size that only one side rounds up, which changes the shape. */
export async function poolingSize(context: CauseContext): Promise<Cause | null> {
  const { graph, golden, tolerance } = context;
  const allowed = allowedAbs(tolerance, golden.data);
  if (!graph || !Number.isFinite(allowed)) return null;
  for (const { changes, text, values } of repairs(context)) {
    const repaired = await graph.run(changes);
    if (!repaired || !hasShape(repaired, golden.shape)) continue;
    const { maxAbs } = distance(repaired.data, golden.data);
    // There is no error of the same shape to compare with: only the tolerance can prove the cause.
    if (!(maxAbs <= allowed)) continue;
    return { id: 'pooling', evidence: `${text} gives the golden shape and values, with a max abs error of ${errorText(maxAbs)}`, values };
  }
  return null;
}

function repairs({ graph }: CauseContext): Repair[] {
  const pools = graph?.nodes.filter(({ opType, output }) => opType in OTHER_KIND && output.length === 1) ?? [];
  const change = (changeOf: (node: NodeProto) => NodeProto | null): NodeChange[] =>
    pools.flatMap((node) => {
      const changed = changeOf(node);
      return changed ? [{ node, nodes: [changed] }] : [];
    });
  const counts = (node: NodeProto, count: number): NodeProto => withAttributes(node, intAttribute('count_include_pad', count));
  const isPadded = (node: NodeProto): boolean => intsOf(node, 'pads').some((pad) => pad > 0) || intOf(node, 'ceil_mode', 0) === 1;
  const other = (node: NodeProto, isCounted: boolean): NodeProto | null => {
    const opType = OTHER_KIND[node.opType]!;
    const bare = copyWith(node, { opType, attribute: node.attribute.filter(({ name }) => !/^(count_include_pad|storage_order)$/.test(name)) });
    if (!isCounted) return bare;
    return opType === 'AveragePool' && isPadded(node) ? counts(bare, 1) : null;
  };
  return repairsOf([
    {
      changes: change((node) => (node.opType === 'AveragePool' && isPadded(node) ? counts(node, 1 - intOf(node, 'count_include_pad', 0)) : null)),
      text: (label) => `the other count_include_pad in ${label}`,
      values: { change: 'count_include_pad' },
    },
    {
      changes: change((node) => (/^(Max|Average)Pool$/.test(node.opType) ? withAttributes(node, intAttribute('ceil_mode', 1 - intOf(node, 'ceil_mode', 0))) : null)),
      text: (label) => `the other ceil_mode in ${label}`,
      values: { change: 'ceil_mode' },
    },
    ...[false, true].map((isCounted) => ({
      changes: change((node) => other(node, isCounted)),
      text: (label: string) => `the mean in place of the greatest value, or the reverse, in ${label}${isCounted ? ', with its padding counted,' : ''}`,
      values: { change: 'kind' },
    })),
  ]);
}

/** Resize settings of frameworks, likely ones first. */
const SETTINGS = [
  { mode: 'linear', coordinates: 'half_pixel', nearest: 'floor' },
  { mode: 'linear', coordinates: 'align_corners', nearest: 'floor' },
  { mode: 'linear', coordinates: 'pytorch_half_pixel', nearest: 'floor' },
  { mode: 'linear', coordinates: 'asymmetric', nearest: 'floor' },
  { mode: 'nearest', coordinates: 'asymmetric', nearest: 'floor' },
  { mode: 'nearest', coordinates: 'half_pixel', nearest: 'round_prefer_floor' },
  { mode: 'nearest', coordinates: 'half_pixel', nearest: 'floor' },
  { mode: 'nearest', coordinates: 'half_pixel', nearest: 'ceil' },
  { mode: 'nearest', coordinates: 'align_corners', nearest: 'round_prefer_floor' },
  { mode: 'cubic', coordinates: 'half_pixel', nearest: 'floor' },
  { mode: 'cubic', coordinates: 'align_corners', nearest: 'floor' },
] as const;

/** Cubic coefficient of PyTorch and ONNX. */
const CUBIC = -0.75;

/** Detects a resize with another mode or other coordinates. */
export function resizeMode(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'Resize') ?? [];
  return confirmedRepair(context, 'resize-mode', repairsOf(
    SETTINGS.map(({ mode, coordinates, nearest }) => ({
      changes: nodes
        .filter((node) => textOf(node, 'mode', 'nearest') !== mode || textOf(node, 'coordinate_transformation_mode', 'half_pixel') !== coordinates || mode === 'nearest')
        .map((node) => {
          const attributes = [textAttribute('mode', mode), textAttribute('coordinate_transformation_mode', coordinates), textAttribute('nearest_mode', nearest)];
          return { node, nodes: [withAttributes(node, ...attributes, floatAttribute('cubic_coeff_a', CUBIC))] };
        }),
      text: (label) => `the mode ${mode} with coordinates ${coordinates}${mode === 'nearest' ? ` and rounding ${nearest}` : ''} in ${label}`,
      values: { mode, coordinates, nearest },
    })),
  ));
}
