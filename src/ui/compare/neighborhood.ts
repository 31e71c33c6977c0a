import type { Opened } from '../../pipeline/comparatorTypes';
import type { State } from './state';

/** A node of the opened graph. */
export type GraphNode = Opened['graph']['nodes'][number];

/** A value that a node reads. */
export interface NodeInput {
  readonly name: string;
  /** The node that computes it; null for a weight and for an input of the graph. */
  readonly from: GraphNode | null;
  /** Type and size of each axis if it is a weight or an input of the graph; else null. */
  readonly type: { readonly isWeight: boolean; readonly dtype: string; readonly shape: readonly (number | string)[] } | null;
  /** The stage that is this value; null if it is not compared. */
  readonly stage: string | null;
}

/** Where a stage is in the graph. */
export interface Neighborhood {
  /** Value that the stage is. */
  readonly value: string;
  /** The node that computes it. */
  readonly node: GraphNode;
  /** What the node reads, in the order of its operator. */
  readonly inputs: readonly NodeInput[];
  /** Nodes that read the value. */
  readonly readers: readonly GraphNode[];
  /** The nearest compared stages that the stage is computed from, in the order of the graph. */
  readonly before: readonly string[];
  /** Number of nodes by operator between these stages, or the inputs of the graph, and this stage; its own node is one of them. */
  readonly ops: ReadonlyMap<string, number>;
}

/** Where a stage is in the graph; null if no node of the graph computes it. */
export function neighborhoodOf(state: Pick<State, 'opened' | 'reports'>, stage: string): Neighborhood | null {
  const { opened, reports } = state;
  const stageOfValue = new Map<string, string>();
  let value: string | null = null;
  // A comparison finds values that were not known when the files were opened.
  for (const entry of [...(reports.wasm?.stages ?? []), ...(reports.webgpu?.stages ?? [])]) {
    if (entry.name === stage) value = entry.value;
    if (entry.value !== null && !stageOfValue.has(entry.value)) stageOfValue.set(entry.value, entry.name);
  }
  if (!opened || value === null) return null;
  const { nodes, weights, inputs } = opened.graph;
  const computedBy = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const node = computedBy.get(value);
  if (!node) return null;
  const declared = new Map<string, NodeInput['type']>([
    ...weights.map(({ name, dtype, shape }) => [name, { isWeight: true, dtype, shape }] as const),
    ...inputs.map(({ name, dtype, shape }) => [name, { isWeight: false, dtype, shape }] as const),
  ]);
  const seen = new Set([node]);
  const before = new Set<string>();
  // A set takes in what is added while it is walked through.
  for (const { inputs: read } of seen) {
    for (const name of read) {
      const known = stageOfValue.get(name);
      const from = computedBy.get(name);
      if (known !== undefined && known !== stage) before.add(known);
      else if (from) seen.add(from);
    }
  }
  const ops = new Map<string, number>();
  for (const { op } of seen) if (op !== 'Constant') ops.set(op, (ops.get(op) ?? 0) + 1);
  return {
    value,
    node,
    inputs: node.inputs.map((name) => ({
      name,
      from: computedBy.get(name) ?? null,
      type: declared.get(name) ?? null,
      stage: stageOfValue.get(name) ?? null,
    })),
    readers: nodes.filter(({ inputs: read }) => read.includes(value)),
    before: [...stageOfValue.values()].filter((name) => before.has(name)),
    ops,
  };
}
