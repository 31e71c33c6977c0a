import type { NodeProto } from '../../onnx/onnx_pb';
import {
  Draft,
  firstOutput,
  intAttribute,
  intOf,
  intsAttribute,
  type NodeChanges,
  withAttributes,
} from '../../onnx/replaceNodes';
import type { Cause } from '../report';
import { sizeOf } from '../tensor';
import type { CauseContext, LayerGraph } from './context';
import { consumersOf, labelOf, type NodeChange, producerOf, confirmedRepair, type Repair, repairsOf } from './evidence';

/** A softmax and the product that computes its scores. */
interface AttentionSite {
  readonly softmax: NodeProto;
  /** q · kᵀ, neither of which is a constant. */
  readonly product: NodeProto;
  /** Nodes between the two, starting at the softmax: scale, mask, cast. */
  readonly between: readonly NodeProto[];
}

/** Operators allowed between the product and the softmax. */
const BETWEEN = new Set(['Add', 'Sub', 'Mul', 'Div', 'Where', 'Cast', 'Identity', 'Reshape', 'Unsqueeze', 'Squeeze', 'Clip', 'Max', 'Min']);

/** Maximum number of steps from the softmax to the product. */
const MAX_STEPS_TO_PRODUCT = 8;

/** The attention of a layer, as separate operators. */
function attentionSites(graph: LayerGraph): AttentionSite[] {
  return graph.nodes.flatMap((softmax) => {
    if (softmax.opType !== 'Softmax') return [];
    const path = pathToProduct(graph, softmax.input[0]!, MAX_STEPS_TO_PRODUCT);
    return path ? [{ softmax, product: path.at(-1)!, between: path.slice(0, -1) }] : [];
  });
}

/** Nodes from the producer of `value` back to a product of two non-constant values. */
function pathToProduct(graph: LayerGraph, value: string, steps: number): NodeProto[] | null {
  const node = producerOf(graph, value);
  if (!node || steps === 0) return null;
  if (node.opType === 'MatMul') return node.input.some((name) => graph.constant(name)) ? null : [node];
  if (!BETWEEN.has(node.opType)) return null;
  for (const input of node.input) {
    const path = pathToProduct(graph, input, steps - 1);
    if (path) return [node, ...path];
  }
  return null;
}

/** Detects attention scores that are not divided by √d, or divided twice. */
export async function attentionScale(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const sites = graph ? attentionSites(graph) : [];
  if (!graph || sites.length === 0) return null;
  const queries = await graph.values(sites.map(({ product }) => product.input[0]!));
  const scaled = sites.flatMap((site) => {
    const size = queries.get(site.product.input[0]!)?.shape.at(-1) ?? 0;
    return size > 1 ? [{ ...site, size }] : [];
  });
  const sizes = [...new Set(scaled.map(({ size }) => size))].join(', ');
  return confirmedRepair(context, 'attention-scale', repairsOf(
    [-0.5, 0.5].map((power) => ({
      changes: scaled.map(({ product, size }) => {
        const draft = new Draft(product.output[0]!);
        return { node: product, nodes: draft.give(draft.add('Mul', [draft.copy(product), draft.scalar(size ** power)])) };
      }),
      text: (nodes) => `${power < 0 ? 'dividing' : 'multiplying'} the scores of ${nodes} by √${sizes}`,
      values: { power },
    })),
  ));
}

/** Maximum number of mask values: 2,048 positions. */
const MAX_VALUES = 1 << 22;

/** Detects a missing causal mask, which hides the positions after each, or a mask that the golden network does not have. */
export async function causalMask(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const softmaxes = graph?.nodes.filter(({ opType }) => opType === 'Softmax') ?? [];
  if (!graph || softmaxes.length === 0) return null;
  const scores = await graph.values(softmaxes.map(({ input }) => input[0]!));
  const masked = softmaxes.flatMap((softmax) => {
    const shape = scores.get(softmax.input[0]!)?.shape.slice(-2) ?? [];
    if (shape.length < 2 || sizeOf(shape) > MAX_VALUES || shape[0] !== shape[1]) return [];
    const draft = new Draft(softmax.output[0]!);
    const mask = draft.floats(shape, upperTriangle(shape[0]!));
    const input = [draft.add('Add', [softmax.input[0]!, mask])];
    return [{ node: softmax, nodes: draft.give(draft.copy(softmax, { input })) }];
  });
  const missing = repairsOf([{ changes: masked, text: (nodes) => `a causal mask before ${nodes}`, values: { mask: 'missing' } }]);
  return confirmedRepair(context, 'causal-mask', [...missing, ...withoutMasks(context)]);
}

/** Row-major −∞ above the diagonal, 0 elsewhere. */
const upperTriangle = (size: number): Float32Array =>
  Float32Array.from({ length: size * size }, (_, index) => (index % size > Math.floor(index / size) ? -Infinity : 0));

function withoutMasks({ graph }: CauseContext): Repair[] {
  if (!graph) return [];
  return attentionSites(graph).flatMap(({ between, product }) =>
    between.flatMap((node, index) => {
      if (node.opType !== 'Add' && node.opType !== 'Where') return [];
      const scores = (between[index + 1] ?? product).output[0]!;
      return [
        {
          changes: new Map([[node.output[0]!, new Draft(node.output[0]!).give(scores)]]),
          text: `leaving out the mask of the node ${labelOf(node)}`,
          values: { mask: 'not golden', nodes: labelOf(node) },
        },
      ];
    }),
  );
}

/** Detects swapped queries and keys, which transpose the scores. */
export async function queryKeySwapped(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const sites = graph ? attentionSites(graph) : [];
  if (!graph || sites.length === 0) return null;
  const scores = await graph.values(sites.map(({ product }) => product.output[0]!));
  const changes = sites.flatMap(({ product }) => {
    const shape = scores.get(product.output[0]!)?.shape ?? [];
    const rank = shape.length;
    if (rank < 2 || shape[rank - 1] !== shape[rank - 2]) return [];
    const order = shape.map((_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis));
    const draft = new Draft(product.output[0]!);
    return [{ node: product, nodes: draft.give(draft.add('Transpose', [draft.copy(product)], intsAttribute('perm', order))) }];
  });
  return confirmedRepair(context, 'query-key-swapped', repairsOf([
    { changes, text: (nodes) => `exchanging the queries and the keys of ${nodes}`, values: {} },
  ]));
}

/** Maximum number of reshapes; more do not belong to the attention of one stage. */
const MAX_NODES = 16;

/**
 * Detects interleaved attention heads: the last axis holds (channel, head) where (head, channel) is read, or the reverse.
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
  return confirmedRepair(context, 'interleaved-heads', repairsOf(
    [
      { changes: splits, kind: 'split' },
      ...(splits.length > 0 && merges.length > 0 ? [{ changes: [...splits, ...merges], kind: 'split or merge' }] : []),
      { changes: merges, kind: 'merge' },
    ].map(({ changes, kind }) => ({ changes, text: (nodes) => `exchanging the two axes of the ${kind} in ${nodes} (interleaved heads)`, values: { kind } })),
  ));
}

/** True if the last axis of `joined` is the product of the last two of `split`, and the other axes are equal. */
function isSplit(joined: readonly number[], split: readonly number[]): boolean {
  const [heads = 0, size = 0] = split.slice(-2);
  return heads > 1 && size > 1 && heads * size === joined.at(-1) && joined.slice(0, -1).every((length, axis) => length === split[axis]);
}

/** The axis order that swaps the last two. */
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

/** Maximum number of steps from the scores back to the value that packs queries, keys and values. */
const MAX_STEPS_TO_SPLIT = 16;

/** Packed parts: queries, keys, values. */
const NUM_PACKED = 3;

/** Components of a packed axis: q, k or v (part), head, channel. */
type Part = 'part' | 'head' | 'channel';
type Layout = readonly Part[];

/** How we read the packed axis, and the order that may have been meant. */
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
 * Detects a wrong order of heads: one linear layer outputs queries, keys and values, and its last axis holds the heads in
 * another order than the graph reads.
 */
export async function packedHeads(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  if (!graph) return null;
  for (const { product } of attentionSites(graph)) {
    const query = product.input[0]!;
    const names = pathBack(graph, query);
    const known = await graph.values([query, ...names]);
    const channels = known.get(query)?.shape.at(-1) ?? 0;
    // The projection is the first value on the path whose last axis can hold all three; later values are parts of it.
    const packed = names.find((name) => isPacked(graph, name, known.get(name)?.shape.at(-1) ?? 0, channels));
    if (packed === undefined) continue;
    const heads = known.get(packed)!.shape.at(-1)! / (NUM_PACKED * channels);
    const repairs = PAIRS.map(([ours, golden]) => repairOf(graph, packed, known.get(packed)!.shape.length, { part: NUM_PACKED, head: heads, channel: channels }, ours, golden));
    const cause = await confirmedRepair(context, 'interleaved-heads', repairs);
    if (cause) return cause;
  }
  return null;
}

/** True if a value is the last one before it is split, and its last axis holds three times several heads. */
function isPacked(graph: LayerGraph, name: string, size: number, channels: number): boolean {
  const isLast = consumersOf(graph, name).every(({ opType }) => /^(Reshape|Split|Slice|Gather|Shape|Transpose)$/.test(opType));
  return isLast && channels > 1 && size % (NUM_PACKED * channels) === 0 && size > NUM_PACKED * channels;
}

/** Values from which `value` is computed only by moving or scaling values, the earliest first. */
function pathBack(graph: LayerGraph, value: string): string[] {
  const path = [value];
  for (let step = 0; step < MAX_STEPS_TO_SPLIT; step++) {
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
    // Nodes with several outputs, such as Split, keep the other outputs.
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

/** For each index in our order, the index in the golden order. */
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

const OPERATORS = new Set(['Softmax', 'LogSoftmax', 'Hardmax']);

/** Counted from the end, so the rank is not required. */
const AXES = [-1, -2, -3, -4];

/** Detects a softmax along a wrong axis. */
export function softmaxAxis(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const nodes = graph?.nodes.filter(({ opType }) => OPERATORS.has(opType)) ?? [];
  return confirmedRepair(context, 'softmax-axis', repairsOf(
    AXES.map((axis) => ({
      changes: nodes
        .filter((node) => intOf(node, 'axis', NaN) !== axis)
        .map((node) => ({ node, nodes: [withAttributes(node, intAttribute('axis', axis))] })),
      text: (label) => `axis ${axis} in ${label}`,
      values: { axis },
    })),
  ));
}
