import { VoxlaneError } from '../util/errors';
import { graphOf, initializerNames } from './model';
import { badGraph, producersOf, readBy, topologicalOrder } from './nodes';
import type { GraphProto, ModelProto } from './onnx_pb';
import { closest } from './suggest';

/** Where a part of a graph begins and ends, by the names of values. */
export interface Bounds {
  /** Given from outside, in place of what the graph computes. Those that nothing depends on are left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** The part of a graph that computes some of its values. */
export interface Slice {
  /** Indices of its nodes, each after those whose values it reads. */
  readonly nodes: readonly number[];
  /** The given values that are read, in the order given, then the graph's own inputs that are, in its order. */
  readonly inputs: readonly string[];
  /** Names of the initializers that are read. */
  readonly weights: ReadonlySet<string>;
}

/**
 * Walks backwards from the outputs until it comes to given values, initializers, constants or the graph's inputs.
 *
 * @throws VoxlaneError `options` for a value that the graph does not have or that no node gives, and for an output that
 *   is an input too; `model-invalid` where a node reads what nothing gives
 */
export function sliceOf(model: ModelProto, { inputs, outputs }: Bounds): Slice {
  const graph = graphOf(model);
  const producers = producersOf(graph.node);
  const initializers = new Set(initializerNames(graph));
  const graphInputs = graph.input.map(({ name }) => name);
  const given = new Set(inputs);
  requireKnown(inputs, new Set([...producers.keys(), ...graphInputs, ...initializers]), 'a value of the graph');
  requireComputed(graph, outputs);
  const both = outputs.find((name) => given.has(name));
  if (both !== undefined) throw outOfBounds(`The value ${both} is both an input and an output of the cut`, 'one of both');

  const nodes = new Set<number>();
  const seen = new Set<string>();
  const waiting = [...outputs];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const producer = given.has(name) ? undefined : producers.get(name);
    if (producer === undefined || nodes.has(producer)) continue;
    nodes.add(producer);
    for (const input of readBy(graph.node[producer]!)) waiting.push(input);
  }
  const inside = (name: string): boolean => seen.has(name) && !given.has(name) && !producers.has(name);
  const dangling = [...seen].find((name) => inside(name) && !initializers.has(name) && !graphInputs.includes(name));
  if (dangling !== undefined) throw badGraph(`A node of the graph reads ${dangling}, which nothing gives`, 'every value');
  return {
    nodes: topologicalOrder(graph.node).filter((index) => nodes.has(index)),
    inputs: [
      ...[...given].filter((name) => seen.has(name)),
      ...graphInputs.filter((name) => inside(name) && !initializers.has(name)),
    ],
    weights: new Set([...initializers].filter(inside)),
  };
}

/**
 * Rejects names that are no value that a node of `graph` gives.
 *
 * @throws VoxlaneError `options` that names those most like it
 */
export function requireComputed(graph: GraphProto, names: readonly string[]): void {
  requireKnown(names, producersOf(graph.node), 'a value that a node of the graph gives');
}

/**
 * Rejects names that are not in `known`.
 *
 * @param what those in `known` are, with an article
 * @throws VoxlaneError `options` that names those most like it
 */
export function requireKnown(
  names: Iterable<string>,
  known: ReadonlySet<string> | ReadonlyMap<string, unknown>,
  what: string,
): void {
  for (const name of names) {
    if (known.has(name)) continue;
    const alike = closest(name, known.keys());
    throw new VoxlaneError({
      code: 'options',
      problem: `There is no ${name} in the graph`,
      expected: what,
      remedy: alike.length > 0 ? `The closest are ${alike.join(', ')}` : 'The graph has none at all',
    });
  }
}

function outOfBounds(problem: string, expected: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy: 'Choose inputs that come before the outputs' });
}
