import { create } from '@bufbuild/protobuf';
import { copyWith } from './message';
import { graphOf, initializerNames } from './model';
import { NodeProtoSchema, type AttributeProto, type GraphProto, type ModelProto, type NodeProto, type TensorProto, type ValueInfoProto } from './onnx_pb';

export type Branch = 'then_branch' | 'else_branch';

/** New name of each value that is renamed. */
export type Renames = ReadonlyMap<string, string>;

/**
 * The model with one branch of an `If` in the place of that node, so that the values inside can be read. The values that the
 * node gave keep their names. A value of the branch gets another name only if the graph has one of that name already.
 *
 * @param index place of the `If` in the file, which is a node of the outermost graph
 */
export function inlineBranch(model: ModelProto, index: number, branch: Branch): ModelProto {
  const graph = graphOf(model);
  const node = graph.node[index]!;
  const inner = node.attribute.find(({ name }) => name === branch)?.g;
  if (!inner) return model;
  const renames = newNames(inner, namesOf(graph));
  // Exporters write the weights of a branch as constants. As initializers, they can be replaced when a cause is looked for.
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

/** The tensor of a `Constant`, by the name of its value; null for other nodes and for constants without a tensor. */
export function constantOf({ opType, attribute, output }: NodeProto): TensorProto | null {
  const tensor = opType === 'Constant' ? attribute.find(({ name }) => name === 'value')?.t : undefined;
  return tensor ? copyWith(tensor, { name: output[0] ?? '' }) : null;
}

const renamed =
  (renames: Renames) =>
  (name: string): string =>
    renames.get(name) ?? name;

const renamedInfo = (value: ValueInfoProto, renames: Renames): ValueInfoProto => copyWith(value, { name: renamed(renames)(value.name) });

/** Every name that a graph uses for a value of its own. */
export function namesOf(graph: GraphProto): Set<string> {
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

/** The node with other names for what it reads, as do the graphs inside of it. */
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
