import { VoxlaneError } from '../util/errors';
import { graphOf, initializerNames } from './model';
import { badGraph, closest, copyWith, nodeNames, producersOf, readBy, topologicalOrder } from './nodes';
import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from './onnx_pb';
import { type KnownType, makeValueInfo, readValueInfo, UNKNOWN, untyped } from './types';

/** Where a part of a graph begins and ends, by value names. */
export interface Bounds {
  /** Values that are fed in place of what the graph computes. Unused ones are left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** The part of a graph that computes some of its values. */
interface Slice {
  /** Indices of its nodes, in topological order. */
  readonly nodes: readonly number[];
  /** The fed values that are read, in the given order, followed by the graph inputs that are read, in graph order. */
  readonly inputs: readonly string[];
  /** Names of the initializers that are read. */
  readonly weights: ReadonlySet<string>;
}

/**
 * Walks backward from the outputs to fed values, initializers, constants or the graph's inputs.
 *
 * @throws VoxlaneError `options` for a value that the graph does not have or that no node outputs, and for an output that
 *   is also an input; `model-invalid` if a node reads a value that nothing provides
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
  if (both !== undefined) throw outOfBounds(`The value ${both} is both an input and an output of the cut`, 'only one of the two');

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
  if (dangling !== undefined) throw badGraph(`The graph has no source for ${dangling}, an input of one of its nodes`, 'a source for every value');
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
 * Rejects names of values that no node of `graph` outputs.
 *
 * @throws VoxlaneError `options` that names the closest matches
 */
function requireComputed(graph: GraphProto, names: readonly string[]): void {
  requireKnown(names, producersOf(graph.node), 'the output of a node of the graph');
}

/**
 * Rejects names that are not in `known`.
 *
 * @param what what the names in `known` are, with an article
 * @throws VoxlaneError `options` that names the closest matches
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
      remedy: alike.length > 0 ? `The closest are ${alike.join(', ')}` : 'The graph has none',
    });
  }
}

function outOfBounds(problem: string, expected: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy: 'Choose inputs that come before the outputs' });
}

/** Known types of values, by name. */
export type KnownTypes = ReadonlyMap<string, KnownType>;

/** A part of a graph as a runnable model. Weights are shared with the original. */
export interface Cut {
  readonly model: ModelProto;
  /** All inputs that must be fed. */
  readonly inputs: readonly string[];
}

/**
 * Adds intermediate values as outputs of the graph, after its own outputs.
 *
 * @param options.only keeps only these outputs; nodes and weights that they do not need are left out
 * @throws VoxlaneError `options` for a value that no node outputs; names the closest matches
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
 * Extracts the part of a graph that computes `outputs` from `inputs`, and from the graph's own inputs as far as required.
 * Unnamed nodes get the names of {@link nodeNames}, which are the same in every cut.
 *
 * @param bounds.types types of inputs without a type in the file; without one they are float32 of any shape
 * @throws VoxlaneError `options` for a value that does not exist or is on both sides, `model-invalid` for a broken graph
 */
export function extract(model: ModelProto, bounds: Bounds & { readonly types?: KnownTypes }): Cut {
  const graph = graphOf(model);
  const slice = sliceOf(model, bounds);
  const declared = declaredIn(graph);
  const input = slice.inputs.map(
    (name) => declared.get(name) ?? makeValueInfo(name, bounds.types?.get(name) ?? { dtype: 'float32' }),
  );
  const output = [...new Set(bounds.outputs)].map((name) => declared.get(name) ?? untyped(name));
  // Format versions before 4 require initializers among the inputs.
  const weights = graph.input.filter(({ name }) => slice.weights.has(name));
  const part = restrict(named(graph), slice);
  const cut = copyWith(part, { input: [...input, ...weights], output, node: givenFromOutside(part.node, slice.inputs) });
  return { model: copyWith(model, { graph: withoutDoubleInfo(cut) }), inputs: slice.inputs };
}

/**
 * Extracts one node as a graph, with the weights and constants that it reads.
 *
 * @param nodeName as in {@link nodeNames}
 * @throws VoxlaneError `options` for an unknown node
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
 * Finds a node by name or, for unnamed nodes, by the name that {@link nodeNames} assigns.
 *
 * @throws VoxlaneError `options` that names the closest matches
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

/** Removes the declared shapes of values, except those in `keep`. Types stay. */
export function withoutShapes(model: ModelProto, keep: ReadonlySet<string>): ModelProto {
  const graph = graphOf(model);
  const shapeless = (info: ValueInfoProto): ValueInfoProto => {
    const { dtype } = readValueInfo(info);
    return !keep.has(info.name) && info.type?.value.case === 'tensorType' && dtype !== UNKNOWN ? makeValueInfo(info.name, { dtype }) : info;
  };
  return copyWith(model, { graph: copyWith(graph, { valueInfo: graph.valueInfo.map(shapeless), input: graph.input.map(shapeless), output: graph.output.map(shapeless) }) });
}

/** The graph with only the nodes and weights of `slice` and their value declarations; inputs and outputs stay the same. */
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

/** Removes entries of `valueInfo` for inputs and outputs, which have their own declarations. */
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
 * Renames node outputs that are now fed as inputs: the node remains because of another output, and a value may have only
 * one source.
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

/** Creates an unused name and marks it as used. */
function freshName(name: string, taken: Set<string>): string {
  let fresh = name;
  while (taken.has(fresh)) fresh += '_';
  taken.add(fresh);
  return fresh;
}
