import type { Tolerance } from './compare';

/** Where ONNX Runtime computes a stage. */
export type RuntimeBackend = 'wasm' | 'webgpu';

/**
 * What computes a stage: ONNX Runtime on WASM (`wasm`), the kernels that a diarizer runs on WASM (`kernels`), or a GPU
 * (`webgpu`), with the kernels that a diarizer runs on it, and ONNX Runtime for all other values.
 */
export type BackendName = RuntimeBackend | 'kernels';

/**
 * Known causes of a wrong stage. Each has a detector that was tested with a planted fault.
 *
 * `accumulated` is not a fault of one stage: each stage is within tolerance on golden input, and no part of the graph
 * between injected golden values causes most of the error.
 */
export type CauseId =
  | 'permuted-axes'
  | 'scaled'
  | 'offset'
  | 'shifted-frames'
  | 'frame-count'
  | 'channel-order'
  | 'all-zeros'
  | 'zero-weights'
  | 'not-finite'
  | 'log-base'
  | 'missing-mean'
  | 'fbank-window'
  | 'sample-scale'
  | 'lstm-gates'
  | 'lstm-direction'
  | 'equals-stage'
  | 'missing-bias'
  | 'other-bias'
  | 'channel-scale'
  | 'float16-overflow'
  | 'weight-transposed'
  | 'epsilon'
  | 'norm-groups'
  | 'activation'
  | 'softmax-axis'
  | 'attention-scale'
  | 'causal-mask'
  | 'query-key-swapped'
  | 'interleaved-heads'
  | 'conv-kernel'
  | 'padding'
  | 'gru'
  | 'batch-norm-training'
  | 'resize-mode'
  | 'pooling'
  | 'double-preprocessing'
  | 'rounded-weights'
  | 'negated-weight'
  | 'zero-point'
  | 'batch-dependent'
  | 'run-to-run'
  | 'accumulated';

/** A likely cause and the measurements that support it. */
export interface Cause {
  /** The cause. */
  readonly id: CauseId;
  /** One sentence with the figures, for the user. */
  readonly evidence: string;
  /** The figures by name, for programs: `{ factor: 1.05 }`. */
  readonly values: Readonly<Record<string, number | string | readonly number[]>>;
}

/** One value of a tensor, with its position and its golden value. */
export interface WorstValue {
  /** Index along each axis of the stage. */
  readonly index: readonly number[];
  /** Our value. */
  readonly actual: number;
  /** The golden value. */
  readonly golden: number;
  /** Center of the frame in seconds from the start of the input; null for a stage without frames or with unknown rate. */
  readonly seconds: number | null;
}

/** Quantiles of the absolute errors; for a large tensor, those of evenly spaced values. */
export interface ErrorQuantiles {
  /** Half of the errors are at most this. */
  readonly median: number;
  /** 90 % of the errors are at most this. */
  readonly p90: number;
  /** 99 % of the errors are at most this. */
  readonly p99: number;
}

/**
 * How far a stage's values are from the golden ones. Numbers are null if the shapes do not match, or if they are not
 * finite.
 */
export interface Measures {
  /** Maximum absolute difference of two values. */
  readonly maxAbs: number | null;
  /**
   * Maximum difference of two values, relative to the spread of the golden values or to the distance from their mean,
   * whichever is greater.
   */
  readonly maxRelative: number | null;
  /** Root mean square of the finite golden values. */
  readonly goldenRms: number | null;
  /** Quantiles of the absolute differences. */
  readonly quantiles: ErrorQuantiles | null;
  /** Mean absolute difference. */
  readonly meanAbs: number | null;
  /** Root mean square of the difference divided by the spread of the golden tensor. Bounded by `rtol`. */
  readonly relative: number | null;
  /** Cosine similarity of the two tensors, each taken as one vector; -1 to 1. */
  readonly cosine: number | null;
  /** Power of the golden tensor divided by that of the difference, in decibels; also null if there is no difference. */
  readonly snrDb: number | null;
  /** Share of rows with the same greatest class; only for stages with a class axis. */
  readonly argmaxAgreement: number | null;
  /** Number of our values that are NaN. */
  readonly nanCount: number;
  /** Number of our values that are infinite. */
  readonly infCount: number;
  /** Number of our values that are zero. */
  readonly zeroCount: number;
  /** Position of the greatest, or the first non-finite, difference; null if nothing differs. */
  readonly worst: WorstValue | null;
}

/** `pass` if every measure is within its tolerance. */
export type Verdict = 'pass' | 'fail';

/** Verdict on a comparison; `incomplete` if nothing fails, but too few stages were compared for a pass. */
export type Outcome = Verdict | 'incomplete';

/** A stage without a known graph value. */
export interface UncomparedStage {
  /** Name of the stage in the golden bundle. */
  readonly name: string;
  /** The stage that the exporter merged it with, such as a convolution with its batch norm; null if none is known. */
  readonly mergedWith: string | null;
}

/** How much of the golden bundle was compared. */
export interface Coverage {
  /** Number of stages that were compared. */
  readonly compared: number;
  /** Number of stages in the bundle. */
  readonly total: number;
  /**
   * True if an output of the graph was compared with golden values that are not all NaN or infinite. If all stages were
   * compared and none is an output, true if any stage was.
   */
  readonly isOutputCompared: boolean;
  /** Stages that were not compared, in bundle order. */
  readonly uncompared: readonly UncomparedStage[];
}

/** One stage on one backend. */
export interface StageReport extends Measures {
  /** Name of the stage in the golden bundle. */
  readonly name: string;
  /** The graph value that was tapped; null if our own code computes the stage, such as the filterbank. */
  readonly value: string | null;
  /** Our axes, to which the golden tensor was aligned. */
  readonly axes: readonly string[];
  /** Size of each of these axes. */
  readonly shape: readonly number[];
  /** Size of each axis of the golden tensor in the bundle. */
  readonly goldenShape: readonly number[];
  /** True if both have the same shape after their named axes are aligned; otherwise nothing is measured. */
  readonly shapesFit: boolean;
  /** Tolerance of the stage. */
  readonly tolerance: Tolerance;
  /** Verdict on the stage's own computed input. */
  readonly verdict: Verdict;
  /** The same stage with the golden outputs of the preceding stages injected; null if that is not possible. */
  readonly forced:
    | (Measures & {
        /** Verdict with the same tolerance. */
        readonly verdict: Verdict;
      })
    | null;
  /** True if it fails only because an upstream stage fails. */
  readonly inherited: boolean;
  /** Names of the compared stages that it is computed from, directly or indirectly; in graph order. */
  readonly upstream: readonly string[];
  /** Remarks that are not faults, such as a golden tensor with another stated layout, or one that cannot be injected. */
  readonly notes: readonly string[];
  /**
   * Stages of the bundle that were not compared and lie between this one and the golden values that it was computed from.
   * If this stage is wrong, one of them may be the first wrong one.
   */
  readonly uncomparedBefore: readonly string[];
  /** The most specific cause first; empty for a stage that passes or inherits its failure. */
  readonly causes: readonly Cause[];
}

/**
 * What an output decides.
 *
 * - `class`: the greatest value along a class axis, or an output of ArgMax.
 * - `threshold`: each value, which is above a threshold or not.
 * - `value`: each integer or boolean.
 * - `rank`: each of the first places of a ranking.
 */
export type DecisionKind = 'class' | 'threshold' | 'value' | 'rank';

/** One decision that differs from the golden one. */
export interface DifferingDecision {
  /** Index along each axis of the decisions. */
  readonly index: readonly number[];
  /** Ours: a class, a value, the index of an item, or 1 for above the threshold and 0 for not. */
  readonly actual: number;
  /** The golden decision. */
  readonly golden: number;
  /** Distance between the golden values of the two alternatives; null if there are no such values. */
  readonly margin: number | null;
  /** Center of the frame in seconds from the start of the input; null without frames or if their rate is unknown. */
  readonly seconds: number | null;
}

/** Number of differing decisions that one part of the graph causes. */
export interface DecisionCause {
  /**
   * The first stage whose golden output, together with those of all preceding stages, corrects the decisions; the output
   * itself if none does. Stages within tolerance are tried only after the last stage that is wrong on its own.
   */
  readonly stage: string;
  /** The last stage that was tried and whose golden output leaves the decisions wrong; null if there is none. */
  readonly after: string | null;
  /** Number of decisions. */
  readonly count: number;
  /** Other stages between the two that may be the cause: they were not compared, not tried, or could not be injected. */
  readonly untried: readonly string[];
}

/** The decisions of one output of the graph. */
export interface DecisionReport {
  /** Name of the output in the golden bundle. */
  readonly stage: string;
  /** What is decided. */
  readonly kind: DecisionKind;
  /** Why {@link DecisionKind} and the axes were chosen, for the report. */
  readonly reason: string;
  /** Names of the axes of the decisions. */
  readonly axes: readonly string[];
  /** Number of decisions. */
  readonly total: number;
  /** Number of decisions that differ from the golden ones. */
  readonly differing: number;
  /** Number of differing decisions whose margin is smaller than the error that the tolerance of the stage allows. */
  readonly nearTies: number;
  /** For `threshold`: the threshold; else null. */
  readonly threshold: number | null;
  /** Meaning of each class, such as the speakers of a powerset; null if unknown. */
  readonly labels: readonly string[] | null;
  /** The first differing decisions, at most 5. */
  readonly examples: readonly DifferingDecision[];
  /** Sources of the differing decisions, in graph order; the counts add up to `differing`. */
  readonly causes: readonly DecisionCause[];
}

/** Comparison of a model on one backend with its golden bundle. */
export interface ComparisonReport {
  /**
   * Decisions of the outputs that decide something. A decision that differs within tolerance does not change the verdict.
   */
  readonly decisions: readonly DecisionReport[];
  /** ID of a bundled model, else the file name. */
  readonly model: string;
  /** Backend that computed it. */
  readonly backend: BackendName;
  /** GPU adapter; null on WASM. */
  readonly adapter: string | null;
  /** `fail` if a stage fails; `pass` if none does and enough was compared: half of the stages, and an output. */
  readonly verdict: Outcome;
  /** How much of the bundle was compared. */
  readonly coverage: Coverage;
  /**
   * The first stage, in graph order, that is wrong on its own. Its `uncomparedBefore` names the preceding stages that may
   * be wrong as well.
   */
  readonly firstDivergence: string | null;
  /** In graph order. */
  readonly stages: readonly StageReport[];
  /** Seconds of running and comparing, without loading. */
  readonly seconds: number;
}

/** How two backends differ on one stage, each on its own computed input. */
export interface BetweenReport extends Measures {
  /** Name of the stage in the golden bundle. */
  readonly name: string;
}

/** One node of a graph, for display. */
export interface NodeReport {
  /** Name of the node; empty if it has none. */
  readonly name: string;
  /** Operator, such as `Conv`. */
  readonly op: string;
  /** Attributes as text, by name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Inputs, in the order of the operator. */
  readonly inputs: readonly {
    /** Name of the graph value. */
    readonly name: string;
    /** Size of each axis. */
    readonly shape: readonly number[];
  }[];
  /** Outputs, in the order of the operator. */
  readonly outputs: readonly {
    /** Name of the graph value. */
    readonly name: string;
    /** Size of each axis. */
    readonly shape: readonly number[];
  }[];
}

/** Where WebGPU begins to differ from WASM. */
export interface BisectReport {
  /** ID of a bundled model, else the file name. */
  readonly model: string;
  /** Name of the GPU adapter; null if there is none. */
  readonly adapter: string | null;
  /** `pass`: no value differs by more than the tolerance. */
  readonly verdict: Verdict;
  /** Maximum tolerated difference, relative to the greatest absolute value of the tensor. */
  readonly tolerance: number;
  /** Number of nodes in the graph. */
  readonly numNodes: number;
  /** Number of sessions that were created. */
  readonly numProbes: number;
  /** The first node that differs, even on its own; null if there is none. */
  readonly node: NodeReport | null;
  /**
   * The nodes over which a difference accumulates although each is correct on its own: accumulated rounding, or a fused
   * kernel. Null if a node is wrong on its own, or if nothing differs.
   */
  readonly range: {
    /** Name of the first node of the shortest range that was found, in graph order. */
    readonly first: string;
    /** Name of the last node, whose output differs. */
    readonly last: string;
    /** Number of nodes from the first to the last, inclusive. */
    readonly numNodes: number;
  } | null;
  /**
   * Difference of the node's output in the whole graph, or of the range's last output with WASM's values before its first
   * node.
   */
  readonly difference: Measures | null;
  /** Difference of that node alone, on WASM's inputs. Null if there is no node. */
  readonly alone:
    | (Measures & {
        /** Verdict with the same tolerance. */
        readonly verdict: Verdict;
      })
    | null;
}

/** Irregularity of a weight tensor. */
export type AuditFlag =
  | 'all-zero'
  /** Holds only initial values (all ones, or all the same value): never trained, or never loaded. */
  | 'initial'
  | 'not-finite'
  /** Has no counterpart on the other side. */
  | 'unmatched'
  /** The counterpart has the same values with permuted axes. */
  | 'permuted'
  /** The counterpart has the same rows in another order, like LSTM gates in PyTorch and ONNX. */
  | 'reordered'
  /** The counterpart with the same name has other values. */
  | 'values-differ'
  | 'shape-differs'
  /** The file's bytes for this tensor overlap another tensor, leave a gap, or do not match its shape and type. */
  | 'misaligned';

/** One weight tensor. */
export interface AuditEntry {
  /** Name in the file. */
  readonly name: string;
  /** Type name in the file: `float32`, `F16`, `int64`. */
  readonly dtype: string;
  /** Size of each axis. */
  readonly shape: readonly number[];
  /** SHA-256 of the values, row-major and little-endian; lower-case hex. */
  readonly sha256: string;
  /** Mean of the finite values; null if there are none. */
  readonly mean: number | null;
  /** Standard deviation of the finite values; null if there are none. */
  readonly standardDeviation: number | null;
  /** Number of zeros. */
  readonly zeroCount: number;
  /** Number of NaN or infinite values. */
  readonly nonFiniteCount: number;
  /** The tensor of the other file that holds the same weight. */
  readonly match: {
    /** Name in the other file. */
    readonly name: string;
    /** How it was found: by its name, its bytes, its values along permuted axes, or its rows in another order. */
    readonly how: 'name' | 'bytes' | 'permuted' | 'reordered';
  } | null;
  /** Irregularities; empty if there are none. */
  readonly flags: readonly AuditFlag[];
  /** A sentence for every flag, with its figures. */
  readonly remarks: readonly string[];
}

/** All weights of a graph next to those of its checkpoint. */
export interface AuditReport {
  /** ID of a bundled model, else the file name. */
  readonly model: string;
  /** Weights of the graph, in file order. */
  readonly weights: readonly AuditEntry[];
  /** Null if no checkpoint was opened. */
  readonly checkpoint: {
    /** File name of the checkpoint. */
    readonly file: string;
    /** Weights of the checkpoint, in file order. */
    readonly weights: readonly AuditEntry[];
  } | null;
  /** Number of entries with a flag, on both sides. */
  readonly numFlagged: number;
}
