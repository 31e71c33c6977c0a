import type { Message } from '@bufbuild/protobuf';
import { VoxlaneError } from '../util/errors';
import type { GraphProto, NodeProto } from './onnx_pb';

/**
 * Copies a message with `changes`. The other fields are shared with the original: weights are never copied.
 *
 * Not `create(schema, { ...message, ...changes })`: the library treats a spread message as a message and returns it without
 * the prototype that holds the defaults of its fields.
 */
export function copyWith<T extends Message>(message: T, changes: Partial<T>): T {
  const copy = Object.create(Object.getPrototypeOf(message) as object) as T;
  return Object.assign(copy, message, changes);
}

/** The `candidates` most similar to `name`, the best match first, for suggestions. */
export function closest(name: string, candidates: Iterable<string>, count = 3): string[] {
  const wanted = name.toLowerCase();
  return [...candidates]
    .map((candidate) => ({ candidate, distance: distanceBetween(wanted, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/**
 * Number of letters to insert, delete or replace. If one name contains the other, as in a path, the common part counts for
 * more.
 */
function distanceBetween(wanted: string, candidate: string): number {
  const holds = wanted !== '' && (candidate.includes(wanted) || wanted.includes(candidate));
  return holds ? Math.abs(candidate.length - wanted.length) / (candidate.length + wanted.length) : edits(wanted, candidate);
}

/** Levenshtein distance, row by row. */
function edits(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[to.length]!;
}

/** Position of a node among the modules of the original network. */
export interface Scope {
  /**
   * Paths of the module that computes the node, in PyTorch's notation (`blocks.0.att.q`; empty for the network itself).
   * More than one if the node's name is ambiguous.
   */
  readonly paths: readonly string[];
  /** True if the path comes from metadata, false if it comes from a name, which may have been chosen freely. */
  readonly isCertain: boolean;
}

/** Keys of `metadata_props` that PyTorch's newer exporter writes to each node. */
const NAME_SCOPES = 'pkg.torch.onnx.name_scopes';
const CLASS_HIERARCHY = 'pkg.torch.onnx.class_hierarchy';
const NAMESPACE = 'namespace';

/**
 * The module that a node belongs to; null if unknown.
 *
 * PyTorch's newer exporter writes it into the node's metadata, its older one into the names of nodes and values:
 * `/blocks.0/att/q/MatMul`. Names without a leading slash are ignored.
 */
export function scopeOf(node: NodeProto): Scope | null {
  const fromMetadata = metadataPath(node);
  if (fromMetadata !== null) return { paths: [fromMetadata], isCertain: true };
  const named = [node.name, ...node.output].find((name) => name.startsWith('/'));
  return named === undefined ? null : { paths: pathsOfName(named), isCertain: false };
}

/** Splits the name of a stage into module and run: `residual.act#2@0` comes from the second run of `residual.act`. */
export function moduleOf(stage: string): { readonly path: string; readonly run: number } {
  const [, path = stage, run = '1'] = /^(.*?)(?:#(\d+))?(?:@[\w.]+)?$/s.exec(stage) ?? [];
  return { path, run: Number(run) };
}

/** True if a node belongs to the module at `path`, or to one of its submodules. */
export const isWithin = (path: string, { paths }: Scope): boolean =>
  paths.some((own) => own === path || own.startsWith(`${path}.`));

function metadataPath({ metadataProps }: NodeProto): string | null {
  const valueOf = (wanted: string): string | undefined => metadataProps.find(({ key }) => key === wanted)?.value;
  const scopes = listOf(valueOf(NAME_SCOPES));
  // The last entry is the operator, the one before it the innermost module.
  if (scopes && scopes.length > 1) return scopes.at(-2)!;
  const namespace = valueOf(NAMESPACE);
  if (namespace === undefined) return null;
  const parts = namespace.split('/').map((part) => part.slice(0, part.lastIndexOf(': ')));
  const depth = listOf(valueOf(CLASS_HIERARCHY))?.length ?? parts.length;
  return parts.length > 1 && depth === parts.length ? parts.at(-2)! : null;
}

/** A list of strings as printed by Python: `['', 'blocks.0', 'linear']`. */
function listOf(text: string | undefined): string[] | null {
  if (text === undefined || !/^\[.*\]$/s.test(text)) return null;
  return [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map(([, single, double]) => single ?? double ?? '');
}

/**
 * Converts `/features/features.0/conv/Conv` to `features.0.conv`. In a container that runs itself (Sequential), the name of
 * a module repeats that of the container; in one that does not run (ModuleList), it does not: `/blocks.0/q/MatMul`. A list
 * with the name of its parent module looks the same, so both readings are returned.
 */
function pathsOfName(name: string): string[] {
  const segments = name.slice(1).split('/').slice(0, -1);
  const merged = segments.map((segment, index) => {
    const before = segments[index - 1];
    return before !== undefined && segment.startsWith(`${before}.`) ? segment.slice(before.length + 1) : segment;
  });
  return [...new Set([merged.join('.'), segments.join('.')])];
}

/**
 * Assigns a unique name to each node: its own, or `op_index` if it has none or shares it with an earlier node. Names are
 * optional in the format.
 */
export function nodeNames(nodes: readonly NodeProto[]): string[] {
  const taken = new Set<string>();
  return nodes.map(({ name, opType }, index) => {
    let unique = name === '' || taken.has(name) ? `${opType}_${index}` : name;
    while (taken.has(unique)) unique += '_';
    taken.add(unique);
    return unique;
  });
}

/** Subgraphs of a node: the branches of If, the bodies of Loop and Scan. */
export function subgraphsOf(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs }) => (g ? [g, ...graphs] : graphs));
}

/** Values of the outer graph that the subgraphs of `node` read, without duplicates. */
export function capturedBy(node: NodeProto): string[] {
  return [...new Set(subgraphsOf(node).flatMap(capturedByGraph))];
}

function capturedByGraph(graph: GraphProto): string[] {
  const own = new Set([
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.sparseInitializer.map(({ values }) => values?.name ?? ''),
    ...graph.node.flatMap(({ output }) => output),
  ]);
  const read = [...graph.node.flatMap(readBy), ...graph.output.map(({ name }) => name)];
  return read.filter((name) => name !== '' && !own.has(name));
}

/** All values that `node` needs, without duplicates: its inputs and the values captured by its subgraphs. */
export function readBy(node: NodeProto): string[] {
  // Most nodes have no subgraphs; an omitted optional input has an empty name.
  const captured = node.attribute.length > 0 ? capturedBy(node) : [];
  return [...new Set([...node.input, ...captured])].filter((name) => name !== '');
}

/**
 * Index of the node that outputs each value.
 *
 * @throws VoxlaneError `model-invalid` if two nodes output the same value
 */
export function producersOf(nodes: readonly NodeProto[]): Map<string, number> {
  const producers = new Map<string, number>();
  for (const [index, { output }] of nodes.entries()) {
    for (const name of output) {
      if (name === '') continue;
      if (producers.has(name)) throw badGraph(`Two nodes of the graph output the value ${name}`, 'one node for each value');
      producers.set(name, index);
    }
  }
  return producers;
}

/**
 * Indices of the nodes in topological order; file order if it is topological.
 *
 * @throws VoxlaneError `model-invalid` if nodes form a cycle
 */
export function topologicalOrder(nodes: readonly NodeProto[]): number[] {
  const producers = producersOf(nodes);
  const needs = nodes.map((node) =>
    readBy(node).flatMap((name) => {
      const producer = producers.get(name);
      return producer === undefined ? [] : [producer];
    }),
  );
  const order: number[] = [];
  const state = new Uint8Array(nodes.length);
  const WAITING = 1;
  const DONE = 2;
  for (const start of nodes.keys()) {
    // Depth-first search with an explicit stack: a chain of thousands of nodes would overflow the call stack.
    const stack = state[start] === DONE ? [] : [start];
    while (stack.length > 0) {
      const index = stack.at(-1)!;
      state[index] = WAITING;
      const next = needs[index]!.find((needed) => state[needed] !== DONE);
      if (next === undefined) {
        state[index] = DONE;
        order.push(index);
        stack.pop();
      } else if (state[next] === WAITING) {
        const name = nodeNames(nodes)[next] ?? '';
        throw badGraph(`The graph's node ${name} depends on its own output`, 'no cycle of nodes');
      } else {
        stack.push(next);
      }
    }
  }
  return order;
}

/** An error about the contents of a graph, after its file was read. */
export function badGraph(problem: string, expected: string): VoxlaneError {
  return new VoxlaneError({ code: 'model-invalid', problem, expected, remedy: 'Export the model again' });
}
