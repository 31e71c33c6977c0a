import type { LstmNode } from '../../onnx/weights';
import type { FbankFacts } from '../../store/manifest';
import type { Tolerance } from '../compare';
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
  /** The recording that the stage is the mel filterbank of, axes (sample), in [-1, 1]; null where it is no filterbank. */
  readonly fbank: { readonly samples: Float32Array; readonly facts: FbankFacts; readonly sampleRate: number } | null;
  /** Null where the stage is no part of a graph. */
  readonly layer: Layer | null;
  /** This stage on golden input with the weights of these names replaced, each by as many values; null where it cannot. */
  readonly rerun: ((changes: ReadonlyMap<string, Float32Array>) => Promise<Tensor>) | null;
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
