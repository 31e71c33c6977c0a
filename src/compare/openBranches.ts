import { inlineBranch } from '../onnx/inlineBranch';
import { encodeOnnx, graphInfo, graphOf, type NodeInfo } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { tensorBytes } from '../onnx/tensors';
import { bodyOf, unrollLoop, withIterations } from '../onnx/unrollLoop';
import { VoxlaneError } from '../util/errors';
import { GraphRunner, type GraphTensor, type RunnerOptions } from './graphRunner';

/** A graph whose branches were opened. */
export interface OpenedBranches {
  readonly model: ModelProto;
  /** What was opened, or why not; sentences without an end, for people. */
  readonly notes: readonly string[];
}

/** More than any network has; a graph that nests them deeper was made to use up time. */
const MAX_BRANCHES = 200;

/** Loops with more iterations stay closed: a recurrent network over a recording has thousands. */
const MAX_ITERATIONS = 64;
/** Greatest number of nodes that a loop may become. */
const MAX_UNROLLED_NODES = 5000;

/** Whether the outermost graph has an `If` or a `Loop`. */
export const hasBranches = (model: ModelProto): boolean => model.graph?.node.some(({ opType }) => opType === 'If' || opType === 'Loop') ?? false;

/**
 * Puts the branch that runs for the given inputs in the place of each `If`, and the iterations that run in the place of each `Loop`,
 * also of those inside of a branch or an iteration, so that the values inside can be compared. Conditions and numbers of iterations
 * are computed by running the part of the graph before them. If that fails, or the runtime refuses the changed graph, the node stays.
 *
 * @param feeds the graph's inputs
 * @param stages names of stages: a value of a loop's body with such a name is given with a first axis for the iterations
 */
export async function openBranches(
  model: ModelProto,
  feeds: ReadonlyMap<string, GraphTensor>,
  open: RunnerOptions['open'],
  stages: ReadonlySet<string> = new Set(),
): Promise<OpenedBranches> {
  const notes: string[] = [];
  const closed = new Set<string>();
  let current = model;
  for (let count = 0; count < MAX_BRANCHES; count++) {
    const next = graphInfo(current).nodes.find(({ op, name }) => (op === 'If' || op === 'Loop') && !closed.has(name));
    if (!next) break;
    try {
      const replaced = next.op === 'If' ? await withBranch(current, next, feeds, open) : await withIterationsOf(current, next, feeds, open, stages);
      // The runtime infers more shapes without the node, and may refuse one that it did not see before.
      await (await open(encodeOnnx(replaced.model))).release();
      current = replaced.model;
      notes.push(`For these inputs, ${next.name} (${next.op}) runs ${replaced.note} in its place`);
    } catch (error) {
      if (!(error instanceof VoxlaneError)) throw error;
      closed.add(next.name);
      notes.push(`${next.name} (${next.op}) stays closed: ${error.problem}`);
    }
  }
  return { model: current, notes };
}

/** The model without the node. */
interface Replaced {
  readonly model: ModelProto;
  /** What is in the place of the node; part of a sentence. */
  readonly note: string;
}

async function withBranch(model: ModelProto, { inputs, index }: NodeInfo, feeds: ReadonlyMap<string, GraphTensor>, open: RunnerOptions['open']): Promise<Replaced> {
  const branch = (await isTrue(model, inputs[0] ?? '', feeds, open)) ? 'then_branch' : 'else_branch';
  return { model: inlineBranch(model, index, branch), note: `its ${branch}: the graph is compared with that branch` };
}

async function withIterationsOf(
  model: ModelProto,
  { index }: NodeInfo,
  feeds: ReadonlyMap<string, GraphTensor>,
  open: RunnerOptions['open'],
  stages: ReadonlySet<string>,
): Promise<Replaced> {
  const body = bodyOf(graphOf(model).node[index]!);
  if (!body) throw refused('its body is not complete');
  const numIterations = await countIterations(withIterations(model, index), feeds, open);
  if (numIterations === 0) throw refused('it runs no iteration');
  if (numIterations > MAX_ITERATIONS) throw refused(`it runs ${numIterations} iterations, and ${MAX_ITERATIONS} at most are compared one by one`);
  const numNodes = numIterations * body.node.length;
  if (numNodes > MAX_UNROLLED_NODES) throw refused(`its ${numIterations} iterations have ${numNodes} nodes, and ${MAX_UNROLLED_NODES} at most are compared one by one`);
  const count = numIterations === 1 ? '1 iteration: the graph is compared with this one' : `${numIterations} iterations: the graph is compared with these`;
  return { model: unrollLoop(model, index, numIterations, stages), note: count };
}

async function countIterations(
  { model, value }: ReturnType<typeof withIterations>,
  feeds: ReadonlyMap<string, GraphTensor>,
  open: RunnerOptions['open'],
): Promise<number> {
  const runner = new GraphRunner(model, { open });
  try {
    return (await runner.values(feeds, [value])).get(value)!.data.length;
  } finally {
    await runner.release();
  }
}

const refused = (problem: string): VoxlaneError => new VoxlaneError({ code: 'options', problem });

async function isTrue(model: ModelProto, condition: string, feeds: ReadonlyMap<string, GraphTensor>, open: RunnerOptions['open']): Promise<boolean> {
  const given = feeds.get(condition);
  if (given) return given.data[0] !== 0;
  const constant = model.graph?.initializer.find(({ name }) => name === condition);
  if (constant) return tensorBytes(constant).some((byte) => byte !== 0);
  const runner = new GraphRunner(model, { open });
  try {
    return (await runner.values(feeds, [condition])).get(condition)!.data[0] !== 0;
  } finally {
    await runner.release();
  }
}
