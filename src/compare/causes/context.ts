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

/** A weight tensor that a stage uses. */
export interface LayerWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
  /** Names of the nodes that use it. */
  readonly nodes: readonly string[];
}

/** The layer between the previous stage and this one. */
interface Layer {
  readonly weights: readonly LayerWeight[];
  readonly lstms: readonly LstmNode[];
}

/** The nodes between the preceding stages and this one. */
export interface LayerGraph {
  /** In topological order. */
  readonly nodes: readonly NodeProto[];
  /** The name of the stage's value. */
  readonly value: string;
  /** Version of the default operator domain. */
  readonly opset: number;
  /** Inputs of the whole graph. */
  readonly graphInputs: ReadonlySet<string>;
  /** The initializer or constant of this name; null for other values. */
  readonly constant: (name: string) => Weight | null;
  /**
   * Runs this stage on golden input with its own nodes. Uses the plain backend, like repaired graphs: it may be correct
   * even if the compared backend is wrong. Null if the backend rejects the graph.
   */
  readonly unchanged: () => Promise<Tensor | null>;
  /** Runs this stage on golden input with other nodes; null if the backend rejects them, or after too many runs. */
  readonly run: (changes: NodeChanges) => Promise<Tensor | null>;
  /** Values inside the layer and its inputs, on golden input. Unavailable values are left out. */
  readonly values: (names: readonly string[]) => Promise<ReadonlyMap<string, Tensor>>;
}

/** A stage and the runs that help to find out why it is wrong. Every run may cost as much as the model. */
export interface CauseContext {
  readonly stage: string;
  /** Name of each axis of `actual`. */
  readonly axes: readonly string[];
  /** Our output, row-major, computed on golden input if it can be injected. */
  readonly actual: Tensor;
  /** Aligned to `axes` by axis names; the shape may still differ. */
  readonly golden: Tensor;
  readonly tolerance: Tolerance;
  /** Minimum spread of the golden values for `tolerance`, as a share of their root mean square; absent for float32. */
  readonly offsetShare?: number;
  /** For a mel filterbank stage, its recording, axes (sample), in [-1, 1]; null for other stages. */
  readonly fbank: { readonly samples: Float32Array; readonly facts: FbankSpec; readonly sampleRate: number } | null;
  /** Null if the stage is not part of a graph. */
  readonly layer: Layer | null;
  /** Runs this stage on golden input with the named weights replaced by arrays of the same length; null if not possible. */
  readonly rerun: ((changes: ReadonlyMap<string, Float32Array>) => Promise<Tensor>) | null;
  /** Null if the stage is not part of a graph, or if nothing may be run. */
  readonly graph: LayerGraph | null;
  /** Golden tensors of the other stages, by name. */
  readonly others: readonly { readonly name: string; readonly tensor: Tensor }[];
  /** Repeats the run that computed `actual`; null if it must not be repeated. */
  readonly again: (() => Promise<Tensor>) | null;
  /**
   * Computes the first item of the batch at another batch size; the batch axis of the result is 1. Resolves to null if the
   * graph accepts no other size. Null if this must not be tried.
   */
  readonly otherBatch: (() => Promise<Tensor | null>) | null;
}

/**
 * Looks for one cause. Does not change the context. Errors of a run (a lost GPU, a canceled call) propagate to the caller.
 *
 * @returns null if the values do not prove the cause
 */
export type Detector = (context: CauseContext) => Cause | null | Promise<Cause | null>;

/**
 * Limits for the runs of a layer with other nodes, over all detectors: the maximum applies to few nodes, the minimum to
 * many.
 */
const MAX_RUNS = 160;
const MIN_RUNS = 24;
/** Maximum number of nodes in all of these runs together. */
const MAX_NODES_RUN = 20_000;

/**
 * Creates the graph that detectors use to run the nodes of one stage.
 *
 * @param part the graph of the stage: its inputs are the stage's input values, its only output the stage's value
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
      // The nodes do not fit, for example because of an axis that a tensor does not have.
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

/** True if the backend rejected a graph. A lost device or a canceled call is a different error. */
const isRefusal = (error: unknown): boolean => error instanceof VoxlaneError && error.code === 'backend-failed';
