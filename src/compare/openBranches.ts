import { inlineBranch } from '../onnx/inlineBranch';
import { encodeOnnx, graphInfo } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { tensorBytes } from '../onnx/tensors';
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

/** Whether the outermost graph has an `If`. */
export const hasBranches = (model: ModelProto): boolean => model.graph?.node.some(({ opType }) => opType === 'If') ?? false;

/**
 * Puts the branch that runs for the given inputs in the place of each `If`, also of those inside of a branch, so that the values
 * inside can be compared. A condition is computed by running the part of the graph before it. If that fails, or the runtime refuses the
 * graph with the branch in place, the node stays.
 *
 * @param feeds the graph's inputs
 */
export async function openBranches(model: ModelProto, feeds: ReadonlyMap<string, GraphTensor>, open: RunnerOptions['open']): Promise<OpenedBranches> {
  const notes: string[] = [];
  const closed = new Set<string>();
  let current = model;
  for (let count = 0; count < MAX_BRANCHES; count++) {
    const next = graphInfo(current).nodes.find(({ op, name }) => op === 'If' && !closed.has(name));
    if (!next) break;
    const condition = next.inputs[0] ?? '';
    try {
      const branch = (await isTrue(current, condition, feeds, open)) ? 'then_branch' : 'else_branch';
      const opened = inlineBranch(current, next.index, branch);
      // The runtime infers more shapes without the `If`, and may refuse one that it did not see before.
      await (await open(encodeOnnx(opened))).release();
      current = opened;
      notes.push(`For these inputs, ${next.name} (If) runs its ${branch}: the graph is compared with that branch in its place`);
    } catch (error) {
      if (!(error instanceof VoxlaneError)) throw error;
      closed.add(next.name);
      notes.push(`${next.name} (If) stays closed: ${error.problem}`);
    }
  }
  return { model: current, notes };
}

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
