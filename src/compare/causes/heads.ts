import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, intsAttribute } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { provenRepair, repairsOf, type NodeChange } from './repair';

/** Reshapes that are looked at; more are not the attention of one stage. */
const MAX_NODES = 16;

/**
 * The heads of attention are interleaved: the last axis holds (channel, head) where (head, channel) is read, or the
 * reverse.
 */
export async function interleavedHeads(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const reshapes = graph?.nodes.filter(({ opType }) => opType === 'Reshape').slice(0, MAX_NODES) ?? [];
  if (!graph || reshapes.length === 0) return null;
  const given = await graph.values(reshapes.flatMap(({ input, output }) => [input[0]!, output[0]!]));
  const splits: NodeChange[] = [];
  const merges: NodeChange[] = [];
  for (const node of reshapes) {
    const after = given.get(node.output[0]!)?.shape;
    const before = given.get(node.input[0]!)?.shape;
    if (!after || !before) continue;
    if (after.length === before.length + 1 && isSplit(before, after)) splits.push({ node, nodes: interleavedSplit(node, after) });
    if (before.length === after.length + 1 && isSplit(after, before)) merges.push({ node, nodes: interleavedMerge(node, before, after) });
  }
  return provenRepair(context, 'interleaved-heads', repairsOf(
    [
      { changes: splits, kind: 'split' },
      ...(splits.length > 0 && merges.length > 0 ? [{ changes: [...splits, ...merges], kind: 'split or merge' }] : []),
      { changes: merges, kind: 'merge' },
    ].map(({ changes, kind }) => ({ changes, text: (nodes) => `exchanging the two axes of the ${kind} in ${nodes} (interleaved heads)`, values: { kind } })),
  ));
}

/** Whether the last axis of `joined` is the product of the last two of `split`, and the others are equal. */
function isSplit(joined: readonly number[], split: readonly number[]): boolean {
  const [heads = 0, size = 0] = split.slice(-2);
  return heads > 1 && size > 1 && heads * size === joined.at(-1) && joined.slice(0, -1).every((length, axis) => length === split[axis]);
}

/** The order of axes that exchanges the last two. */
const exchanged = (rank: number): number[] =>
  Array.from({ length: rank }, (_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis));

function interleavedSplit(node: NodeProto, shape: readonly number[]): readonly NodeProto[] {
  const draft = new Draft(node.output[0]!);
  const order = exchanged(shape.length);
  const reshaped = draft.add('Reshape', [node.input[0]!, draft.ints(order.map((axis) => shape[axis]!))]);
  return draft.give(draft.add('Transpose', [reshaped], intsAttribute('perm', order)));
}

function interleavedMerge(node: NodeProto, before: readonly number[], after: readonly number[]): readonly NodeProto[] {
  const draft = new Draft(node.output[0]!);
  const transposed = draft.add('Transpose', [node.input[0]!], intsAttribute('perm', exchanged(before.length)));
  return draft.give(draft.add('Reshape', [transposed, draft.ints(after)]));
}
