import type { NodeProto } from '../../onnx/onnx_pb';
import { firstOutput, type NodeChanges } from '../../onnx/replaceNodes';
import { hasShape } from '../measure';
import type { Cause, CauseId } from '../report';
import type { CauseContext, LayerGraph } from './context';
import { distance, explains, leavesText, type Distance } from './proof';

/** A change of nodes that may put a stage right. */
export interface Repair {
  readonly changes: NodeChanges;
  /** What was changed, to be continued with `gives the golden values`. */
  readonly text: string;
  readonly values: Cause['values'];
}

/** Runs that one detector may make: of a stage with many nodes of a kind, not every one is tried by itself. */
const MAX_RUNS = 40;

/** Share of the error's norm that the graph itself has at least if it is the graph that is wrong. */
const MIN_OWN = 0.5;

/** Error relative to the golden values, by norm, that is no more than rounding: no other repair could be better. */
const SURE = 2 ** -22;

/** Share of what the best repair leaves that a later one, which is less usual, may leave at most to be better. */
const BETTER = 0.7;

/**
 * Runs the stage with each of the repairs, and states the one that gives the golden values. If several explain the error,
 * as similar epsilons may, it is the one that leaves clearly least, else the first of them.
 */
export async function provenRepair(
  context: CauseContext,
  id: CauseId,
  repairs: readonly Repair[],
): Promise<Cause | null> {
  const { graph, actual, golden } = context;
  if (!graph || !hasShape(actual, golden.shape)) return null;
  const error = distance(actual.data, golden.data);
  if (!(error.norm > 0) || repairs.length === 0) return null;
  const unchanged = await graph.unchanged();
  if (!unchanged || !hasShape(unchanged, golden.shape)) return null;
  // A backend that computes a right graph wrongly has another error: changes of the graph then prove nothing.
  const ownError = distance(unchanged.data, golden.data);
  if (!(ownError.norm >= MIN_OWN * error.norm)) return null;
  const size = distance(golden.data, golden.data, () => 0).norm;
  let best: { readonly repair: Repair; readonly left: Distance } | null = null;
  for (const repair of repairs.slice(0, MAX_RUNS)) {
    const repaired = await graph.run(repair.changes);
    if (!repaired || !hasShape(repaired, golden.shape)) continue;
    const left = distance(repaired.data, golden.data);
    if (!explains(left, error, context) || !explains(left, ownError, context)) continue;
    if (!best || left.norm < BETTER * best.left.norm) best = { repair, left };
    if (left.norm <= SURE * size) break;
  }
  if (!best) return null;
  const { text, values } = best.repair;
  return { id, evidence: `${text} gives the golden values${leavesText(best.left, error)}`, values };
}

/** A change of one node, as a part of repairs. */
export interface NodeChange {
  /** The node that is replaced. */
  readonly node: NodeProto;
  readonly nodes: readonly NodeProto[];
}

/**
 * Repairs of all nodes at once, and of each alone.
 *
 * @param options changes of one kind, each with the nodes that it can be made at
 */
export function repairsOf(
  options: readonly {
    readonly changes: readonly NodeChange[];
    /** @param nodes such as `the node MatMul_1` */
    readonly text: (nodes: string) => string;
    readonly values: Cause['values'];
  }[],
): Repair[] {
  const together = options.filter(({ changes }) => changes.length > 1);
  const alone = options.flatMap((option) => option.changes.map((change) => ({ ...option, changes: [change] })));
  return [...together, ...alone].map(({ changes, text, values }) => ({
    changes: new Map(changes.map(({ node, nodes }) => [firstOutput(node), nodes])),
    text: text(nodesText(changes.map(({ node }) => node))),
    values: { ...values, nodes: changes.map(({ node }) => labelOf(node)).join(', ') },
  }));
}

/** The node that gives a value of this layer. */
export const producerOf = ({ nodes }: LayerGraph, value: string): NodeProto | undefined =>
  nodes.find(({ output }) => output.includes(value));

/** Nodes of the layer that read a value. */
export const consumersOf = ({ nodes }: LayerGraph, value: string): NodeProto[] =>
  nodes.filter(({ input }) => input.includes(value));

/** A node's name, or its operator and output if it has none. */
export const labelOf = ({ name, opType, output }: NodeProto): string =>
  name === '' ? `${opType} (${output[0] ?? ''})` : name;

const nodesText = (nodes: readonly NodeProto[]): string =>
  nodes.length === 1
    ? `the node ${labelOf(nodes[0]!)}`
    : `all ${nodes.length} nodes ${nodes.slice(0, 3).map(labelOf).join(', ')}${nodes.length > 3 ? ' …' : ''}`;
