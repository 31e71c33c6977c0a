import { type Bounds, sliceOf } from '../../onnx/cut';
import { graphInfo, graphOf } from '../../onnx/model';
import { producersOf } from '../../onnx/nodes';
import type { ModelProto, NodeProto } from '../../onnx/onnx_pb';
import type { NodeChanges } from '../../onnx/replaceNodes';
import { listWeights, type LstmNode, type Weight } from '../../onnx/weights';
import type { FbankSpec } from '../../store/manifest';
import { VoxlaneError } from '../../util/errors';
import type { Tolerance } from '../compare';
import type { GraphRunner, GraphTensor } from '../graphRunner';
import type { Cause } from '../report';
import type { Tensor } from '../tensor';

/** A tensor of weights that a stage computes with. */
export interface LayerWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
  /** Names of the nodes that use it. */
  readonly nodes: readonly string[];
}

/** What lies between the stage before and this one. */
export interface Layer {
  readonly weights: readonly LayerWeight[];
  readonly lstms: readonly LstmNode[];
}

/** The nodes between the stages before and this one. */
export interface LayerGraph {
  /** Each after those whose values it reads. */
  readonly nodes: readonly NodeProto[];
  /** The value that the stage is. */
  readonly value: string;
  /** Version of the default operator domain. */
  readonly opset: number;
  /** Inputs of the whole graph. */
  readonly graphInputs: ReadonlySet<string>;
  /** The initializer or constant of this name; null for any other value. */
  readonly constant: (name: string) => Weight | null;
  /**
   * This stage on golden input with its own nodes, where repaired graphs run: on the plain backend, which may be right though
   * the compared one is wrong. Null if the backend refuses it.
   */
  readonly unchanged: () => Promise<Tensor | null>;
  /** This stage on golden input with other nodes; null if the backend refuses them, or after too many runs. */
  readonly run: (changes: NodeChanges) => Promise<Tensor | null>;
  /** Values inside the layer and those that it is computed from, on golden input; without those that cannot be had. */
  readonly values: (names: readonly string[]) => Promise<ReadonlyMap<string, Tensor>>;
}

/** A stage, and what may be asked to learn why it is wrong. Every run may cost as much as the model does. */
export interface CauseContext {
  readonly stage: string;
  /** Name of each axis of `actual`. */
  readonly axes: readonly string[];
  /** Ours, row-major, computed on golden input where that can be injected. */
  readonly actual: Tensor;
  /** Aligned to `axes` by the names of its own; the shape may still differ. */
  readonly golden: Tensor;
  readonly tolerance: Tolerance;
  /** Least spread of the golden values for `tolerance`, as a share of their root mean square; absent for float32. */
  readonly offsetShare?: number;
  /** The recording that the stage is the mel filterbank of, axes (sample), in [-1, 1]; null where it is no filterbank. */
  readonly fbank: { readonly samples: Float32Array; readonly facts: FbankSpec; readonly sampleRate: number } | null;
  /** Null where the stage is no part of a graph. */
  readonly layer: Layer | null;
  /** This stage on golden input with the weights of these names replaced, each by as many values; null where it cannot. */
  readonly rerun: ((changes: ReadonlyMap<string, Float32Array>) => Promise<Tensor>) | null;
  /** Null if the stage is not part of a graph, or if nothing may be run. */
  readonly graph: LayerGraph | null;
  /** Golden tensors of the other stages, by name. */
  readonly others: readonly { readonly name: string; readonly tensor: Tensor }[];
  /** The run that gave `actual` once more; null where it shall not be made. */
  readonly again: (() => Promise<Tensor>) | null;
  /**
   * The first item of the batch at another size of the batch, whose own batch axis is 1; gives null where the graph
   * takes no other. Null where it shall not be tried.
   */
  readonly otherBatch: (() => Promise<Tensor | null>) | null;
}

/**
 * Looks for one cause. Pure: it changes nothing of the context. What a run of the context throws (a lost GPU, a
 * cancelled call) goes through to the caller.
 *
 * @returns null where the values do not prove it
 */
export type Detector = (context: CauseContext) => Cause | null | Promise<Cause | null>;

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
