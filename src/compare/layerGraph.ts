import { graphInfo, graphOf } from '../onnx/model';
import { producersOf } from '../onnx/nodes';
import type { ModelProto } from '../onnx/onnx_pb';
import { sliceOf, type Bounds } from '../onnx/slice';
import type { NodeChanges } from '../onnx/replaceNodes';
import { listWeights } from '../onnx/weights';
import { VoxlaneError } from '../util/errors';
import type { LayerGraph } from './causes/context';
import type { GraphRunner, GraphTensor } from './graphRunner';
import type { Tensor } from './tensor';

/** Runs of a layer with other nodes, over all detectors: the most for few nodes, the least for many. */
const MAX_RUNS = 160;
const MIN_RUNS = 24;
/** Nodes in all of these runs together. */
const MAX_NODES_RUN = 20_000;

/**
 * What detectors may ask of the nodes of one stage.
 *
 * @param part the values that the stage is computed from, and as only output the stage's own
 * @param feeds golden values, by name
 * @param onRun called before each run
 */
export function layerGraph(
  model: ModelProto,
  part: Bounds,
  feeds: ReadonlyMap<string, GraphTensor>,
  runner: GraphRunner,
  onRun: () => Promise<void> | void,
): LayerGraph {
  const { node } = graphOf(model);
  const { opset, inputs } = graphInfo(model);
  const given = new Set(part.inputs);
  const constants = new Map(listWeights(model).map((weight) => [weight.name, weight]));
  const value = part.outputs[0]!;
  const producers = producersOf(node);
  const nodes = sliceOf(model, part).nodes.map((index) => node[index]!);
  const maxRuns = Math.max(MIN_RUNS, Math.min(MAX_RUNS, Math.floor(MAX_NODES_RUN / Math.max(1, nodes.length))));
  let numRuns = 0;
  let unchanged: Promise<Tensor | null> | null = null;
  const run = async (changes: NodeChanges): Promise<Tensor | null> => {
    await onRun();
    try {
      return (await runner.values(feeds, [value], undefined, changes)).get(value) ?? null;
    } catch (error) {
      // Nodes that do not fit, such as an axis that a tensor does not have.
      if (isRefusal(error)) return null;
      throw error;
    }
  };
  return {
    nodes,
    value,
    opset,
    graphInputs: new Set(inputs.map(({ name }) => name)),
    constant: (name) => (given.has(name) ? null : (constants.get(name) ?? null)),
    unchanged: () => (unchanged ??= run(new Map())),
    run: (changes) => (numRuns++ >= maxRuns ? Promise.resolve(null) : run(changes)),
    values: async (names) => {
      const found = new Map<string, Tensor>(names.flatMap((name) => (given.has(name) ? [[name, feeds.get(name)!]] : [])));
      const computed = [...new Set(names)].filter((name) => producers.has(name) && !given.has(name) && !constants.has(name));
      if (computed.length === 0) return found;
      try {
        return new Map<string, Tensor>([...found, ...(await runner.values(feeds, computed))]);
      } catch (error) {
        if (isRefusal(error)) return found;
        throw error;
      }
    },
  };
}

/** Whether the backend did not take a graph, as opposed to a device that was lost or a call that was cancelled. */
const isRefusal = (error: unknown): boolean => error instanceof VoxlaneError && error.code === 'backend-failed';
