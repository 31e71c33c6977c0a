import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft, firstOutput, intAttribute, type NodeChanges } from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import { attentionSites } from './attention';
import type { CauseContext, LayerGraph } from './context';
import { consumersOf, labelOf, producerOf, provenRepair, type Repair } from './repair';

/** Steps from the scores back to the values that hold queries, keys and values side by side. */
const MAX_STEPS = 16;

/** Values that are packed: queries, keys, values. */
const NUM_PACKED = 3;

/** What a packed axis holds: q, k or v (part), head, channel. */
type Part = 'part' | 'head' | 'channel';
type Layout = readonly Part[];

/** How we read the packed axis, and how it may have been meant. */
const PAIRS: readonly (readonly [ours: Layout, golden: Layout])[] = [
  [['part', 'head', 'channel'], ['part', 'channel', 'head']],
  [['part', 'head', 'channel'], ['head', 'part', 'channel']],
  [['head', 'part', 'channel'], ['part', 'head', 'channel']],
  [['part', 'channel', 'head'], ['part', 'head', 'channel']],
  [['part', 'head', 'channel'], ['head', 'channel', 'part']],
  [['part', 'head', 'channel'], ['channel', 'head', 'part']],
  [['part', 'head', 'channel'], ['channel', 'part', 'head']],
  [['head', 'part', 'channel'], ['part', 'channel', 'head']],
];

/**
 * One linear layer gives queries, keys and values, and its last axis holds their heads in another order than the one in which
 * they are read.
 */
export async function packedHeads(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  if (!graph) return null;
  for (const { product } of attentionSites(graph)) {
    const query = product.input[0]!;
    const names = pathBack(graph, query);
    const known = await graph.values([query, ...names]);
    const channels = known.get(query)?.shape.at(-1) ?? 0;
    // The projection is the earliest value on the path whose last axis can be all three; later ones are parts of it.
    const packed = names.find((name) => isPacked(graph, name, known.get(name)?.shape.at(-1) ?? 0, channels));
    if (packed === undefined) continue;
    const heads = known.get(packed)!.shape.at(-1)! / (NUM_PACKED * channels);
    const repairs = PAIRS.map(([ours, golden]) => repairOf(graph, packed, known.get(packed)!.shape.length, { part: NUM_PACKED, head: heads, channel: channels }, ours, golden));
    const cause = await provenRepair(context, 'interleaved-heads', repairs);
    if (cause) return cause;
  }
  return null;
}

/** Whether a value is the last before it is taken apart, and its last axis holds three times several heads. */
function isPacked(graph: LayerGraph, name: string, size: number, channels: number): boolean {
  const isLast = consumersOf(graph, name).every(({ opType }) => /^(Reshape|Split|Slice|Gather|Shape|Transpose)$/.test(opType));
  return isLast && channels > 1 && size % (NUM_PACKED * channels) === 0 && size > NUM_PACKED * channels;
}

/** Values from which `value` is computed by moving values and scaling, the earliest first. */
function pathBack(graph: LayerGraph, value: string): string[] {
  const path = [value];
  for (let step = 0; step < MAX_STEPS; step++) {
    const node = producerOf(graph, path[0]!);
    if (!node || !/^(Reshape|Split|Slice|Gather|Transpose|Squeeze|Unsqueeze|Mul|Div|Identity|Cast)$/.test(node.opType)) break;
    path.unshift(node.input[0]!);
  }
  return path;
}

function repairOf(
  graph: LayerGraph,
  packed: string,
  rank: number,
  sizes: Readonly<Record<Part, number>>,
  ours: Layout,
  golden: Layout,
): Repair {
  const rows = orderOf(sizes, ours, golden);
  const changes: [string, readonly NodeProto[]][] = consumersOf(graph, packed).map((node) => {
    const draft = new Draft(firstOutput(node));
    const ordered = draft.add('Gather', [packed, draft.ints(rows)], intAttribute('axis', rank - 1));
    const input = node.input.map((name) => (name === packed ? ordered : name));
    // Nodes of several outputs, as Split has, keep the others.
    return [firstOutput(node), draft.give(draft.copy(node, { input }))];
  });
  const text = (layout: Layout): string => `(${layout.map((part) => (part === 'part' ? 'q/k/v' : part)).join(', ')})`;
  const producer = producerOf(graph, packed);
  return {
    changes: new Map(changes) satisfies NodeChanges,
    text: `reading the last axis of ${producer ? `the node ${labelOf(producer)}` : packed} as ${text(golden)} in place of ${text(ours)}`,
    values: { kind: 'packed', order: text(golden), nodes: producer ? labelOf(producer) : packed },
  };
}

/** For each place of our order, the place in the golden one. */
function orderOf(sizes: Readonly<Record<Part, number>>, ours: Layout, golden: Layout): number[] {
  const [a, b, c] = ours;
  const rows: number[] = [];
  const at: Record<Part, number> = { part: 0, head: 0, channel: 0 };
  for (at[a!] = 0; at[a!] < sizes[a!]; at[a!]++) {
    for (at[b!] = 0; at[b!] < sizes[b!]; at[b!]++) {
      for (at[c!] = 0; at[c!] < sizes[c!]; at[c!]++) {
        rows.push(golden.reduce((place, part) => place * sizes[part] + at[part], 0));
      }
    }
  }
  return rows;
}
