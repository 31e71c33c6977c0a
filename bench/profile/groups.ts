import { graphInfo, graphOf, type ModelProto } from '../../src/onnx/model';
import { nodeNames } from '../../src/onnx/nodes';
import { sliceOf } from '../../src/onnx/cut';
import { sumWork, type Work } from '../../src/onnx/work';
import type { ProfiledNode } from './events';

/** A group of profiled nodes. */
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

/** Sums nodes by key, ordered by first node. */
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

/** Time on the device that runs the kernels. */
export const timeOf = ({ cpuMs, gpuMs }: Pick<NodeGroup, 'cpuMs' | 'gpuMs'>, onGpu: boolean): number =>
  onGpu ? gpuMs : cpuMs;

/** Suffix that the runtime adds to nodes whose layout it changed. */
const RUNTIME_SUFFIX = /_token_\d+$/;

/**
 * The stage of each profiled node: the first stage whose value depends on the node. Nodes added by the runtime, such as
 * transpositions, have no name in the file and belong to the stage of the preceding node.
 *
 * @param stages in graph order
 * @returns one stage name per node; `?` before the first known node
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

/** Stages of a graph without manifest: its outputs. */
export const outputStages = (model: ModelProto): GraphStage[] =>
  graphInfo(model).outputs.map(({ name }) => ({ name, value: name }));
