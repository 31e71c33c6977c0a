import { basename } from 'node:path';
import { machine } from '../figures';
import type { ProfiledNode } from './events';
import { groupBy, timeOf, type NodeGroup } from './groups';
import type { StageDemand } from './work';

/** The profile of one model. */
export interface ModelProfile {
  readonly model: string;
  readonly place: string;
  /** Shape of the first input. */
  readonly shape: readonly number[];
  /** Whether {@link NodeGroup.gpuMs} was measured. */
  readonly onGpu: boolean;
  /** Time inside the runtime, minimum over the runs. */
  readonly runMs: number;
  readonly numRuns: number;
  readonly total: NodeGroup;
  readonly stages: readonly NodeGroup[];
  readonly operators: readonly NodeGroup[];
  readonly nodes: readonly (NodeGroup & Pick<ProfiledNode, 'op' | 'inputs' | 'outputs'> & { readonly stage: string })[];
}

type ProfileInfo = Pick<ModelProfile, 'model' | 'place' | 'shape' | 'onGpu' | 'runMs' | 'numRuns'>;

/**
 * @param stages stage of each node
 * @param order names of all stages in graph order
 */
export function profileOf(
  info: ProfileInfo,
  nodes: readonly ProfiledNode[],
  stages: readonly string[],
  order: readonly string[],
): ModelProfile {
  const stageOf = new Map(nodes.map((node, index) => [node, stages[index]!]));
  // The order of first nodes differs, because the runtime computes some nodes of late stages early.
  const inOrder = (a: NodeGroup, b: NodeGroup) => order.indexOf(a.name) - order.indexOf(b.name);
  const [total] = groupBy(nodes, () => 'all nodes') as [NodeGroup];
  return {
    ...info,
    total,
    stages: groupBy(nodes, (node) => stageOf.get(node)!).toSorted(inOrder),
    operators: slowestFirst(groupBy(nodes, ({ op }) => op), info.onGpu),
    nodes: slowestFirst(
      nodes.map((node) => {
        const { op, name, inputs, outputs } = node;
        return { ...groupBy([node], () => name)[0]!, op, inputs, outputs, stage: stageOf.get(node)! };
      }),
      info.onGpu,
    ),
  };
}

export function printProfile(profile: ModelProfile, numNodes: number): void {
  const { model, place, shape, onGpu, runMs, numRuns, total, stages, operators, nodes } = profile;
  console.log(`\n${basename(model)} (${shape.join(', ')}) on ${place}: ${runMs.toFixed(1)} ms, minimum of ${numRuns} runs`);
  const print = (title: string, groups: readonly NodeGroup[]) => {
    const heads = ['ms', 'share', 'nodes', ...(onGpu ? ['kernels'] : []), 'M mul-add', 'G mul-add/s', 'M other'];
    const rows = groups.map((group) => [group.name, ...cellsOf(group, total, onGpu)]);
    console.log(`\n${tableOf([[title, ...heads], ...rows])}`);
  };
  print('by stage', [...stages, total]);
  print('by operator', operators);
  print('by node', nodes.slice(0, numNodes).map((node) => ({ ...node, name: `${node.op} ${node.name}` })));
}

export function printDemands(file: string, place: string, durationSeconds: number, demands: readonly StageDemand[]): void {
  console.log(`${machine()}\n\n${basename(file)}: ${durationSeconds.toFixed(1)} s of audio on ${place}; per second of audio\n`);
  const count = (value: number | null) => (value === null ? '-' : value.toFixed(value < 10 ? 2 : 0));
  const rows = demands.map(({ stage, flops, rtf, dispatches, submits, bytesUp, bytesBack }) => [
    stage,
    (flops / 1e6).toFixed(1),
    rtf.toFixed(4),
    ...[dispatches, submits, bytesUp, bytesBack].map(count),
  ]);
  console.log(tableOf([['stage', 'MFLOP', 'RTF', 'dispatches', 'submits', 'bytes up', 'bytes back'], ...rows]));
}

function cellsOf(group: NodeGroup, total: NodeGroup, onGpu: boolean): string[] {
  const time = timeOf(group, onGpu);
  const { numNodes, kernels, multiplyAdds, elementwise } = group;
  return [
    time.toFixed(2),
    `${((100 * time) / timeOf(total, onGpu)).toFixed(1)} %`,
    String(numNodes),
    ...(onGpu ? [String(kernels)] : []),
    Number.isNaN(multiplyAdds) ? '?' : (multiplyAdds / 1e6).toFixed(1),
    // Millions per millisecond equal billions per second.
    multiplyAdds > 0 && time > 0 ? (multiplyAdds / 1e6 / time).toFixed(2) : '-',
    (elementwise / 1e6).toFixed(2),
  ];
}

const slowestFirst = <Group extends NodeGroup>(groups: readonly Group[], onGpu: boolean): Group[] =>
  groups.toSorted((a, b) => timeOf(b, onGpu) - timeOf(a, onGpu));

/** Aligns columns: the first one left, numbers right. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '))
    .join('\n');
}
