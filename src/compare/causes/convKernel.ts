import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, intsAttribute } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { provenRepair, repairsOf, type NodeChange } from './repair';

/** Changes of the weight of a convolution, axes (output channel, input channel, tap …). */
const CHANGES = ['flipped', 'rows flipped', 'columns flipped', 'transposed in space', 'input channels reversed', 'output channels reversed', 'input and output channels exchanged'] as const;
type Change = (typeof CHANGES)[number];

/**
 * The kernel of a convolution is flipped, as between convolution and correlation, its taps are transposed, or its channels
 * are in reverse order or exchanged.
 */
export function convKernel(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => opType === 'Conv' || opType === 'ConvTranspose') ?? [];
  return provenRepair(context, 'conv-kernel', repairsOf(
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

/** The name of the changed weight; null if the change does not apply, or changes nothing. */
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

/** Takes the values along some axes from the last to the first; null if all of these have one value. */
function reversed(draft: Draft, weight: string, shape: readonly number[], axes: readonly number[]): string | null {
  const long = axes.filter((axis) => shape[axis]! > 1);
  if (long.length === 0) return null;
  const list = (valueOf: (axis: number) => number): string => draft.ints(long.map(valueOf));
  // To before the first value, which an end of −1 would not be.
  return draft.add('Slice', [weight, list(() => -1), list((axis) => -shape[axis]! - 1), list((axis) => axis), list(() => -1)]);
}
