import { graphInfo, graphOf, type ModelProto } from '../../src/onnx/model';
import { nodeNames } from '../../src/onnx/nodes';
import { sliceOf } from '../../src/onnx/cut';
import { sumWork, type Work } from '../../src/onnx/work';
import type { ProfiledNode } from './events';

/** Some nodes of a profile together. */
export interface NodeGroup extends Work {
  readonly name: string;
  readonly numNodes: number;
  readonly cpuMs: number;
  readonly gpuMs: number;
  readonly kernels: number;
}

/** A stage of a manifest that is a value of the graph. */
export interface GraphStage {
  readonly name: string;
  readonly value: string;
}

/** Sums by what `keyOf` gives, in the order of their first nodes. */
export function groupBy(nodes: readonly ProfiledNode[], keyOf: (node: ProfiledNode) => string): NodeGroup[] {
  const groups = new Map<string, ProfiledNode[]>();
  for (const node of nodes) {
    const group = groups.get(keyOf(node)) ?? [];
    groups.set(keyOf(node), group);
    group.push(node);
  }
  return Array.from(groups, ([name, members]) => {
    const sum = (valueOf: (node: ProfiledNode) => number) => members.reduce((total, node) => total + valueOf(node), 0);
    return {
      name,
      numNodes: members.length,
      cpuMs: sum(({ cpuMs }) => cpuMs),
      gpuMs: sum(({ gpuMs }) => gpuMs),
      kernels: sum(({ kernels }) => kernels),
      ...sumWork(members),
    };
  });
}

/** On the side where the kernels run. */
export const timeOf = ({ cpuMs, gpuMs }: Pick<NodeGroup, 'cpuMs' | 'gpuMs'>, onGpu: boolean): number =>
  onGpu ? gpuMs : cpuMs;

/** After this the runtime puts a number of its own, where it gives a node another layout. */
const RUNTIME_SUFFIX = /_token_\d+$/;

/**
 * The stage of each profiled node: the first whose value depends on it. Nodes that the runtime adds, such as
 * transpositions, have no name in the file and count for the stage of the node before.
 *
 * @param stages in the order of the graph
 * @returns names of stages, one for each node; `?` before the first that is known
 */
export function stagesOf(nodes: readonly ProfiledNode[], model: ModelProto, stages: readonly GraphStage[]): string[] {
  const names = nodeNames(graphOf(model).node);
  const stageOf = new Map<string, string>();
  for (const { name, value } of stages) {
    for (const index of sliceOf(model, { inputs: [], outputs: [value] }).nodes) {
      const node = names[index]!;
      if (!stageOf.has(node)) stageOf.set(node, name);
    }
  }
  let last = '?';
  return nodes.map(({ name }) => {
    last = stageOf.get(name) ?? stageOf.get(name.replace(RUNTIME_SUFFIX, '')) ?? last;
    return last;
  });
}

/** Stages of a graph that has no manifest: its outputs. */
export const outputStages = (model: ModelProto): GraphStage[] =>
  graphInfo(model).outputs.map(({ name }) => ({ name, value: name }));
