import { create } from '@bufbuild/protobuf';
import { graphOf, initializerNames, opsetOfGraph } from './model';
import { copyWith, readBy, subgraphsOf } from './nodes';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
} from './onnx_pb';
import { makeValueInfo } from './types';

type Branch = 'then_branch' | 'else_branch';

/** New name of each value that is renamed. */
type Renames = ReadonlyMap<string, string>;

/**
 * Replaces an `If` by one of its branches, so the values inside can be read. The outputs of the node keep their names. A
 * value of the branch is renamed only if the graph already has a value of that name.
 *
 * @param index position of the `If` in the file; it must be a node of the outermost graph
 */
export function inlineBranch(model: ModelProto, index: number, branch: Branch): ModelProto {
  const graph = graphOf(model);
  const node = graph.node[index]!;
  const inner = node.attribute.find(({ name }) => name === branch)?.g;
  if (!inner) return model;
  const renames = newNames(inner, namesOf(graph));
  // Exporters write the weights of a branch as constants. As initializers, they can be replaced in the search for a cause.
  const constants = inner.node.flatMap((innerNode) => constantOf(innerNode) ?? []);
  const nodes = inner.node.filter((innerNode) => !constantOf(innerNode)).map((innerNode) => {
    const { name, output } = innerNode;
    return copyWith(renamedReads(innerNode, renames), { output: output.map(renamed(renames)), name });
  });
  const results = inner.output.map(({ name }, place) =>
    create(NodeProtoSchema, { opType: 'Identity', name: `${node.name}_${branch}_${place}`, input: [renamed(renames)(name)], output: [node.output[place]!] }),
  );
  const given = results.filter(({ output: [name] }) => name !== '' && name !== undefined);
  return copyWith(model, {
    graph: copyWith(graph, {
      node: [...graph.node.slice(0, index), ...nodes, ...given, ...graph.node.slice(index + 1)],
      initializer: [...graph.initializer, ...[...inner.initializer, ...constants].map((tensor) => copyWith(tensor, { name: renamed(renames)(tensor.name) }))],
      sparseInitializer: [
        ...graph.sparseInitializer,
        ...inner.sparseInitializer.map((tensor) =>
          tensor.values ? copyWith(tensor, { values: copyWith(tensor.values, { name: renamed(renames)(tensor.values.name) }) }) : tensor,
        ),
      ],
      valueInfo: [...graph.valueInfo, ...[...inner.valueInfo, ...inner.output].map((value) => renamedInfo(value, renames))],
    }),
  });
}

/** The tensor of a `Constant`, named after its value; null for other nodes and for constants without a tensor. */
function constantOf({ opType, attribute, output }: NodeProto): TensorProto | null {
  const tensor = opType === 'Constant' ? attribute.find(({ name }) => name === 'value')?.t : undefined;
  return tensor ? copyWith(tensor, { name: output[0] ?? '' }) : null;
}

const renamed =
  (renames: Renames) =>
  (name: string): string =>
    renames.get(name) ?? name;

const renamedInfo = (value: ValueInfoProto, renames: Renames): ValueInfoProto => copyWith(value, { name: renamed(renames)(value.name) });

/** All names of values that a graph defines. */
function namesOf(graph: GraphProto): Set<string> {
  const names = [...graph.input.map(({ name }) => name), ...initializerNames(graph), ...graph.node.flatMap(({ output }) => output)];
  return new Set(names.filter((name) => name !== ''));
}

function newNames(inner: GraphProto, taken: Set<string>): Renames {
  const renames = new Map<string, string>();
  const own = namesOf(inner);
  for (const name of own) {
    if (!taken.has(name)) continue;
    let unique = `${name}_branch`;
    while (taken.has(unique) || own.has(unique)) unique += '_';
    renames.set(name, unique);
    taken.add(unique);
  }
  return renames;
}

/** Renames the values that a node and its subgraphs read. */
function renamedReads(node: NodeProto, renames: Renames): NodeProto {
  if (renames.size === 0) return node;
  return copyWith(node, { input: node.input.map(renamed(renames)), attribute: node.attribute.map((attribute) => renamedAttribute(attribute, renames)) });
}

function renamedAttribute(attribute: AttributeProto, renames: Renames): AttributeProto {
  const { g, graphs } = attribute;
  if (!g && graphs.length === 0) return attribute;
  return copyWith(attribute, { ...(g && { g: renamedInGraph(g, renames) }), graphs: graphs.map((graph) => renamedInGraph(graph, renames)) });
}

function renamedInGraph(graph: GraphProto, renames: Renames): GraphProto {
  const own = namesOf(graph);
  const outer = new Map([...renames].filter(([name]) => !own.has(name)));
  return copyWith(graph, {
    node: graph.node.map((node) => renamedReads(node, outer)),
    output: graph.output.map((value) => renamedInfo(value, outer)),
  });
}

/** Inputs of a body before the carried values: iteration number and condition. */
const NUM_BODY_INPUTS = 2;
/** First opset version in which `Unsqueeze` reads its axes from an input. */
const AXES_AS_INPUT = 13;

/** The graph of one iteration; null if the node is not a `Loop` with a complete body. */
export function bodyOf({ opType, attribute, input }: NodeProto): GraphProto | null {
  const body = opType === 'Loop' ? attribute.find(({ name }) => name === 'body')?.g : undefined;
  return body && body.input.length >= NUM_BODY_INPUTS && body.output.length >= body.input.length - 1 && input.length >= body.input.length ? body : null;
}

/**
 * Adds an output to a `Loop`: the number of each iteration, axes (iteration). Its length is the number of iterations that
 * run.
 *
 * @param index position of the `Loop` in the file; it must be a node of the outermost graph
 * @returns the model, and the name of that output
 */
export function withIterations(model: ModelProto, index: number): { readonly model: ModelProto; readonly value: string } {
  const graph = graphOf(model);
  const node = graph.node[index]!;
  const body = bodyOf(node)!;
  const taken = new Set([...namesOf(graph), ...namesOf(body)]);
  const [inside, value] = [fresh('iteration', taken), fresh('iterations', taken)];
  const counted = copyWith(body, {
    node: [...body.node, create(NodeProtoSchema, { opType: 'Identity', name: inside, input: [body.input[0]!.name], output: [inside] })],
    output: [...body.output, makeValueInfo(inside, { dtype: 'int64', shape: [] })],
  });
  // Omitted optional outputs get names, which keeps the position of the new output.
  const outputs = Array.from({ length: body.output.length - 1 }, (_, place) => {
    const name = node.output[place] ?? '';
    return name === '' ? fresh('unused', taken) : name;
  });
  const loop = copyWith(node, {
    output: [...outputs, value],
    attribute: node.attribute.map((attribute) => (attribute.name === 'body' ? copyWith(attribute, { g: counted }) : attribute)),
  });
  return { model: withNodes(model, graph, index, [loop], []), value };
}

/**
 * Replaces a `Loop` by its iterations, so the values inside can be read: `x` of the body becomes `x[0]`, `x[1]` … The
 * outputs of the node keep their names.
 *
 * @param index position of the `Loop` in the file; it must be a node of the outermost graph
 * @param numIterations number of iterations that run; at least 1 if the body has scan outputs
 * @param stacked values of the body that are also output as one tensor, axes (iteration, …), under their own name
 */
export function unrollLoop(model: ModelProto, index: number, numIterations: number, stacked: ReadonlySet<string> = new Set()): ModelProto {
  const graph = graphOf(model);
  const node = graph.node[index]!;
  const body = bodyOf(node)!;
  const taken = namesOf(graph);
  const constants = body.node.flatMap((inner) => constantOf(inner) ?? []);
  const inner = body.node.filter((one) => !constantOf(one));
  // The weights of the body are the same in each iteration.
  const shared = new Map([...body.initializer, ...constants].map(({ name }) => [name, fresh(name, taken)]));
  const sparse = body.sparseInitializer.flatMap((tensor) => {
    if (!tensor.values) return [];
    const name = fresh(tensor.values.name, taken);
    shared.set(tensor.values.name, name);
    return [copyWith(tensor, { values: copyWith(tensor.values, { name }) })];
  });
  const weights = [...body.initializer, ...constants].map((tensor) => copyWith(tensor, { name: shared.get(tensor.name)! }));
  const nodes: NodeProto[] = [];
  const made: TensorProto[] = [];
  const numCarried = body.input.length - NUM_BODY_INPUTS;
  let carried = node.input.slice(NUM_BODY_INPUTS, NUM_BODY_INPUTS + numCarried);
  let condition = node.input[1] ?? '';
  const read = new Set([...inner.flatMap(readBy), ...body.output.map(({ name }) => name)]);
  if (condition === '' && read.has(body.input[1]!.name)) {
    condition = fresh(`${node.name}_condition`, taken);
    made.push(create(TensorProtoSchema, { name: condition, dataType: TensorProto_DataType.BOOL, dims: [], rawData: Uint8Array.of(1) }));
  }
  const iterations: Renames[] = [];
  for (let iteration = 0; iteration < numIterations; iteration++) {
    const number = fresh(`${body.input[0]!.name}[${iteration}]`, taken);
    if (read.has(body.input[0]!.name)) made.push(int64(number, [], iteration));
    // Also names inside branches: those of the next iteration would shadow those of an inlined branch.
    const own = [...new Set(inner.flatMap((one) => [...one.output, ...namesInside(one)]))].filter((name) => name !== '');
    const renames = new Map([
      ...shared,
      ...own.map((name) => [name, fresh(`${name}[${iteration}]`, taken)] as const),
      [body.input[0]!.name, number] as const,
      [body.input[1]!.name, condition] as const,
      ...carried.map((name, place) => [body.input[NUM_BODY_INPUTS + place]!.name, name] as const),
    ]);
    const renamed = (name: string): string => renames.get(name) ?? name;
    for (const one of inner) {
      nodes.push(copyWith(renamedNode(one, renamed), { name: one.name === '' ? '' : `${one.name}[${iteration}]` }));
    }
    condition = renamed(body.output[0]!.name);
    carried = body.output.slice(1, 1 + numCarried).map(({ name }) => renamed(name));
    iterations.push(renames);
  }
  const stack = stacker(model, node, taken);
  const results = node.output.flatMap((output, place): NodeProto[] => {
    if (output === '') return [];
    if (place < numCarried) return [create(NodeProtoSchema, { opType: 'Identity', name: `${node.name}_${place}`, input: [carried[place]!], output: [output] })];
    const { name } = body.output[1 + place]!;
    return stack.nodes(iterations.map((renames) => renames.get(name) ?? name), output);
  });
  const wanted = [...new Set(inner.flatMap(({ output }) => output))].filter((name) => stacked.has(name) && !taken.has(name));
  const stacks = wanted.flatMap((name) => stack.nodes(iterations.map((renames) => renames.get(name)!), name));
  return withNodes(model, graph, index, [...nodes, ...results, ...stacks], [...weights, ...made, ...stack.weights], sparse);
}

/** Names of values that the subgraphs of a node define. */
const namesInside = (node: NodeProto): string[] => subgraphsOf(node).flatMap((graph) => [...namesOf(graph), ...graph.node.flatMap(namesInside)]);

/** Renames the values of a node and its subgraphs. */
function renamedNode(node: NodeProto, renamed: (name: string) => string): NodeProto {
  const { input, output, attribute } = node;
  return copyWith(node, {
    input: input.map(renamed),
    output: output.map(renamed),
    attribute: attribute.map((one) => {
      const { g, graphs } = one;
      if (!g && graphs.length === 0) return one;
      return copyWith(one, { ...(g && { g: renamedGraph(g, renamed) }), graphs: graphs.map((graph) => renamedGraph(graph, renamed)) });
    }),
  });
}

function renamedGraph(graph: GraphProto, renamed: (name: string) => string): GraphProto {
  const info = (value: ValueInfoProto): ValueInfoProto => copyWith(value, { name: renamed(value.name) });
  const weight = (tensor: TensorProto): TensorProto => copyWith(tensor, { name: renamed(tensor.name) });
  return copyWith(graph, {
    node: graph.node.map((node) => renamedNode(node, renamed)),
    input: graph.input.map(info),
    output: graph.output.map(info),
    valueInfo: graph.valueInfo.map(info),
    initializer: graph.initializer.map(weight),
    sparseInitializer: graph.sparseInitializer.map((tensor) => (tensor.values ? copyWith(tensor, { values: weight(tensor.values) }) : tensor)),
  });
}

/** Stacks values of the same shape along a new first axis. */
function stacker(model: ModelProto, { name }: NodeProto, taken: Set<string>): { nodes: (values: readonly string[], output: string) => NodeProto[]; weights: readonly TensorProto[] } {
  const axes = fresh(`${name}_axes`, taken);
  const asInput = opsetOfGraph(model) >= AXES_AS_INPUT;
  const axis = (of: string, value: number): AttributeProto =>
    create(AttributeProtoSchema, of === 'axes' ? { name: of, type: AttributeProto_AttributeType.INTS, ints: [BigInt(value)] } : { name: of, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
  return {
    weights: asInput ? [int64(axes, [1], 0)] : [],
    nodes: (values, output) => {
      const parts = values.map((value) => [value, fresh(`${value}/stacked`, taken)] as const);
      return [
        ...parts.map(([value, part]) =>
          create(NodeProtoSchema, { opType: 'Unsqueeze', name: part, input: asInput ? [value, axes] : [value], output: [part], attribute: asInput ? [] : [axis('axes', 0)] }),
        ),
        create(NodeProtoSchema, { opType: 'Concat', name: fresh(`${output}/concat`, taken), input: parts.map(([, part]) => part), output: [output], attribute: [axis('axis', 0)] }),
      ];
    },
  };
}

function withNodes(
  model: ModelProto,
  graph: GraphProto,
  index: number,
  nodes: readonly NodeProto[],
  weights: readonly TensorProto[],
  sparse: GraphProto['sparseInitializer'] = [],
): ModelProto {
  return copyWith(model, {
    graph: copyWith(graph, {
      node: [...graph.node.slice(0, index), ...nodes, ...graph.node.slice(index + 1)],
      initializer: [...graph.initializer, ...weights],
      sparseInitializer: [...graph.sparseInitializer, ...sparse],
    }),
  });
}

const int64 = (name: string, dims: readonly number[], value: number): TensorProto =>
  create(TensorProtoSchema, { name, dataType: TensorProto_DataType.INT64, dims: dims.map(BigInt), rawData: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer) });

/** Creates an unused name, if possible the given one, and marks it as used. */
function fresh(name: string, taken: Set<string>): string {
  let unique = name;
  while (unique === '' || taken.has(unique)) unique += '_';
  taken.add(unique);
  return unique;
}
