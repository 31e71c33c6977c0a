import { VoxlaneError } from '../util/errors';
import type { GraphProto, NodeProto } from './onnx_pb';

/**
 * A name for each node, each once: its own, or `op_index` where it has none or shares it with a node before it.
 * The format lets nodes go without a name.
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

/** Graphs inside of a node: the branches of If, the bodies of Loop and Scan. */
export function subgraphsOf(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs }) => (g ? [g, ...graphs] : graphs));
}

/** Values of the outer graph that the graphs inside of `node` read by name, each once. */
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

/** Every value that `node` needs, each once: its inputs and what the graphs inside of it capture. */
export function readBy(node: NodeProto): string[] {
  // Most nodes have no graphs inside; an optional input that is absent has an empty name.
  const captured = node.attribute.length > 0 ? capturedBy(node) : [];
  return [...new Set([...node.input, ...captured])].filter((name) => name !== '');
}

/**
 * Index of the node that gives each value.
 *
 * @throws VoxlaneError `model-invalid` where two nodes give one value
 */
export function producersOf(nodes: readonly NodeProto[]): Map<string, number> {
  const producers = new Map<string, number>();
  for (const [index, { output }] of nodes.entries()) {
    for (const name of output) {
      if (name === '') continue;
      if (producers.has(name)) throw badGraph(`Two nodes of the graph give the value ${name}`, 'one node for each');
      producers.set(name, index);
    }
  }
  return producers;
}

/**
 * Indices of the nodes such that each comes after those whose values it reads: the order of the file where it is one.
 *
 * @throws VoxlaneError `model-invalid` where nodes wait for each other
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
    // Depth first, with a stack of its own: a graph of thousands of nodes in a row would overflow the call stack.
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
        throw badGraph(`The graph's node ${name} needs, by way of others, what it gives itself`, 'no cycle of nodes');
      } else {
        stack.push(next);
      }
    }
  }
  return order;
}

/** An error about what a graph holds, after its file was read. */
export function badGraph(problem: string, expected: string): VoxlaneError {
  return new VoxlaneError({ code: 'model-invalid', problem, expected, remedy: 'Export the model again' });
}
