import { VoxlaneError } from '../util/errors';
import { graphOf, initializerNames } from './model';
import { badGraph, closest, copyWith, nodeNames, producersOf, readBy, topologicalOrder } from './nodes';
import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from './onnx_pb';
import { type KnownType, makeValueInfo, readValueInfo, UNKNOWN, untyped } from './types';

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

/**
 * Parts of graphs, as graphs of their own. Nothing here alters the model that it is given; weights are shared with it.
 */

/** What is known of values, by name. */
export type KnownTypes = ReadonlyMap<string, KnownType>;

/** A part of a graph as a model that runs. */
export interface Cut {
  readonly model: ModelProto;
  /** Everything that it must be fed. */
  readonly inputs: readonly string[];
}

/**
 * The model with intermediate values as outputs of its graph, after those that it has.
 *
 * @param options.only as its only outputs; nodes and weights that they do not need are left out
 * @throws VoxlaneError `options` for a value that no node gives, and names those most like it
 */
export function tap(model: ModelProto, values: readonly string[], { only = false } = {}): ModelProto {
  const graph = graphOf(model);
  requireComputed(graph, values);
  const kept = only ? [] : graph.output;
  const present = new Set(kept.map(({ name }) => name));
  const added = [...new Set(values)].filter((name) => !present.has(name));
  const declared = declaredIn(graph);
  const tapped = copyWith(graph, { output: [...kept, ...added.map((name) => declared.get(name) ?? untyped(name))] });
  return copyWith(model, {
    graph: only ? restrict(tapped, sliceOf(model, { inputs: [], outputs: values })) : tapped,
  });
}

/**
 * The part of a graph that computes `outputs` from `inputs`, and from the graph's own inputs where it reaches them.
 * Nodes without a name get that of {@link nodeNames}, so that they are called the same in every cut.
 *
 * @param bounds.types of inputs that the file has no type for; without one they are float32 of any shape
 * @throws VoxlaneError `options` for a value that is not there or is on both sides, `model-invalid` for a broken graph
 */
export function extract(model: ModelProto, bounds: Bounds & { readonly types?: KnownTypes }): Cut {
  const graph = graphOf(model);
  const slice = sliceOf(model, bounds);
  const declared = declaredIn(graph);
  const input = slice.inputs.map(
    (name) => declared.get(name) ?? makeValueInfo(name, bounds.types?.get(name) ?? { dtype: 'float32' }),
  );
  const output = [...new Set(bounds.outputs)].map((name) => declared.get(name) ?? untyped(name));
  // Format versions before 4 want initializers among the inputs.
  const weights = graph.input.filter(({ name }) => slice.weights.has(name));
  const part = restrict(named(graph), slice);
  const cut = copyWith(part, { input: [...input, ...weights], output, node: givenFromOutside(part.node, slice.inputs) });
  return { model: copyWith(model, { graph: withoutDoubleInfo(cut) }), inputs: slice.inputs };
}

/**
 * One node as a graph of its own, with the weights and constants that it reads.
 *
 * @param nodeName as in {@link nodeNames}
 * @throws VoxlaneError `options` for a node that is not there
 */
export function isolateNode(model: ModelProto, nodeName: string, types?: KnownTypes): Cut {
  const graph = graphOf(model);
  const node = findNode(graph, nodeName);
  const fixed = new Set([
    ...initializerNames(graph),
    ...graph.node.filter(({ opType }) => opType === 'Constant').flatMap(({ output }) => output),
  ]);
  const inputs = readBy(node).filter((name) => !fixed.has(name));
  const outputs = node.output.filter((name) => name !== '');
  return extract(model, { inputs, outputs, ...(types && { types }) });
}

/**
 * The node of that name, or of that place where it has none.
 *
 * @throws VoxlaneError `options` that names those most like it
 */
export function findNode(graph: GraphProto, name: string): NodeProto {
  const nodes = new Map(nodeNames(graph.node).map((known, index) => [known, graph.node[index]!]));
  requireKnown([name], nodes, 'the name of a node, or its op and place, such as `Conv_12`');
  return nodes.get(name)!;
}

/** Values that the file declares with their types. */
function declaredIn({ input, output, valueInfo }: GraphProto): Map<string, ValueInfoProto> {
  return new Map([...valueInfo, ...output, ...input].filter(({ type }) => type).map((info) => [info.name, info]));
}

/** The model without the shapes that it declares for values, except those in `keep`. Types stay. */
export function withoutShapes(model: ModelProto, keep: ReadonlySet<string>): ModelProto {
  const graph = graphOf(model);
  const shapeless = (info: ValueInfoProto): ValueInfoProto => {
    const { dtype } = readValueInfo(info);
    return !keep.has(info.name) && info.type?.value.case === 'tensorType' && dtype !== UNKNOWN ? makeValueInfo(info.name, { dtype }) : info;
  };
  return copyWith(model, { graph: copyWith(graph, { valueInfo: graph.valueInfo.map(shapeless), input: graph.input.map(shapeless), output: graph.output.map(shapeless) }) });
}

/** The graph with only the nodes and weights of `slice`, and what is told of them; inputs and outputs as they are. */
function restrict(graph: GraphProto, { nodes, weights }: Slice): GraphProto {
  const node = nodes.map((index) => graph.node[index]!);
  const values = new Set(node.flatMap(({ output }) => output));
  return copyWith(graph, {
    node,
    initializer: graph.initializer.filter(({ name }) => weights.has(name)),
    sparseInitializer: graph.sparseInitializer.filter((sparse) => weights.has(sparse.values?.name ?? '')),
    valueInfo: graph.valueInfo.filter(({ name }) => values.has(name)),
    quantizationAnnotation: graph.quantizationAnnotation.filter(({ tensorName }) => values.has(tensorName)),
  });
}

/** Drops what `valueInfo` tells of inputs and outputs, which tell it themselves. */
function withoutDoubleInfo(graph: GraphProto): GraphProto {
  const ends = new Set([...graph.input, ...graph.output].map(({ name }) => name));
  return copyWith(graph, { valueInfo: graph.valueInfo.filter(({ name }) => !ends.has(name)) });
}

function named(graph: GraphProto): GraphProto {
  const names = nodeNames(graph.node);
  const node = graph.node.map((other, index) =>
    other.name === names[index] ? other : copyWith(other, { name: names[index]! }),
  );
  return copyWith(graph, { node });
}

/**
 * Renames what a node gives where the same value now comes from outside: the node is there for another output of its,
 * and a value may have one source only.
 */
function givenFromOutside(nodes: readonly NodeProto[], inputs: readonly string[]): NodeProto[] {
  const given = new Set(inputs);
  if (!nodes.some(({ output }) => output.some((name) => given.has(name)))) return [...nodes];
  const taken = new Set(nodes.flatMap(({ input, output }) => [...input, ...output]));
  return nodes.map((node) =>
    copyWith(node, {
      output: node.output.map((name) => (given.has(name) ? freshName(`${name}/computed`, taken) : name)),
    }),
  );
}

/** A name that nothing has yet, which is then taken. */
function freshName(name: string, taken: Set<string>): string {
  let fresh = name;
  while (taken.has(fresh)) fresh += '_';
  taken.add(fresh);
  return fresh;
}
