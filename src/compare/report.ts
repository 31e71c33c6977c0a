import type { Tolerance } from './compare';

/** Where ONNX Runtime computes a stage. */
export type RuntimeBackend = 'wasm' | 'webgpu';

/** What computes a stage: ONNX Runtime on WASM or WebGPU, or the kernels that a diarizer runs on WASM. */
export type BackendName = RuntimeBackend | 'kernels';

/**
 * What is known to make a stage wrong. Each has a detector that was tested against a planted fault.
 *
 * `accumulated` is not the fault of one stage: each is within tolerance on golden input, and no part of the graph between
 * injected golden values causes most of the error.
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

/** A likely cause and what was measured that says so. */
export interface Cause {
  /** What is likely. */
  readonly id: CauseId;
  /** One sentence with the figures, for people. */
  readonly evidence: string;
  /** The figures by name, for programs: `{ factor: 1.05 }`. */
  readonly values: Readonly<Record<string, number | string | readonly number[]>>;
}

/** One value of a tensor, where it is and what was expected there. */
export interface WorstValue {
  /** Along each axis of the stage. */
  readonly index: readonly number[];
  /** Ours. */
  readonly actual: number;
  /** The golden one. */
  readonly golden: number;
  /** Of the frame's center, from the start of the input; null for a stage without frames or of unknown rate. */
  readonly seconds: number | null;
}

/** Quantiles of the absolute errors; of a large tensor, those of evenly spaced values. */
export interface ErrorQuantiles {
  /** Half of the errors are at most this. */
  readonly median: number;
  /** 90 % of the errors are at most this. */
  readonly p90: number;
  /** 99 % of the errors are at most this. */
  readonly p99: number;
}

/** How far a stage's values are from the golden ones. Numbers are null where the shapes do not fit, or are not finite. */
export interface Measures {
  /** Greatest absolute difference of two values. */
  readonly maxAbs: number | null;
  /** Greatest difference of two values, relative to the spread of the golden values, or to the distance from their mean if that is greater. */
  readonly maxRelative: number | null;
  /** Root mean square of the finite golden values. */
  readonly goldenRms: number | null;
  /** Quantiles of the absolute differences. */
  readonly quantiles: ErrorQuantiles | null;
  /** Mean absolute difference. */
  readonly meanAbs: number | null;
  /** Root mean square of the difference over the spread of the golden tensor: what `rtol` bounds. */
  readonly relative: number | null;
  /** Cosine of the angle between the two, each taken as one vector; -1 to 1. */
  readonly cosine: number | null;
  /** Power of the golden tensor over that of the difference, in decibels; null also for no difference. */
  readonly snrDb: number | null;
  /** Share of rows with the same greatest class; only of stages with a class axis. */
  readonly argmaxAgreement: number | null;
  /** Values of ours that are NaN. */
  readonly nanCount: number;
  /** Values of ours that are infinite. */
  readonly infCount: number;
  /** Values of ours that are zero. */
  readonly zeroCount: number;
  /** Where the difference is greatest, or not finite; null where nothing differs. */
  readonly worst: WorstValue | null;
}

/** Whether every measure is within its tolerance. */
export type Verdict = 'pass' | 'fail';

/** Verdict on a comparison; `incomplete` if nothing fails, but too few stages were compared for a pass. */
export type Outcome = Verdict | 'incomplete';

/** A stage without a known value in the graph. */
export interface UncomparedStage {
  /** As the golden bundle calls the stage. */
  readonly name: string;
  /** The stage that the exporter merged it with, such as a convolution with its batch norm; null if none is known. */
  readonly mergedWith: string | null;
}

/** How much of the golden bundle was compared. */
export interface Coverage {
  /** Stages that were compared. */
  readonly compared: number;
  /** Stages of the bundle. */
  readonly total: number;
  /**
   * Whether an output of the graph was compared with golden values that are not all NaN or infinite. If all stages were
   * compared and none is an output, whether any stage was.
   */
  readonly isOutputCompared: boolean;
  /** Stages that were not compared, in the order of the bundle. */
  readonly uncompared: readonly UncomparedStage[];
}

/** One stage on one backend. */
export interface StageReport extends Measures {
  /** As the golden bundle calls the stage. */
  readonly name: string;
  /** The graph's value that was tapped; null where the stage is ours, such as the filterbank. */
  readonly value: string | null;
  /** Of ours, which the golden tensor was aligned to. */
  readonly axes: readonly string[];
  /** Size of each of these axes. */
  readonly shape: readonly number[];
  /** Size of each axis of the golden tensor, as the bundle has it. */
  readonly goldenShape: readonly number[];
  /** Whether the two have one shape, once axes given by name are in one order; nothing is measured where they have not. */
  readonly shapesFit: boolean;
  /** What the stage is judged by. */
  readonly tolerance: Tolerance;
  /** On the stage's own computed input. */
  readonly verdict: Verdict;
  /** The same stage with the golden output of the stages before injected; null where that cannot be done. */
  readonly forced:
    | (Measures & {
        /** By the same tolerance: always `fail`. */
        readonly verdict: Verdict;
      })
    | null;
  /** Fails only because a stage upstream of it fails. */
  readonly inherited: boolean;
  /** Names of the compared stages that it is computed from, directly or through others; in the order of the graph. */
  readonly upstream: readonly string[];
  /** What is worth knowing and no fault: a layout that differs and says so, a golden tensor that cannot be injected. */
  readonly notes: readonly string[];
  /**
   * Stages of the bundle that were not compared and lie between this one and the golden values that it was computed from.
   * If this stage is wrong, one of them may be the first that is.
   */
  readonly uncomparedBefore: readonly string[];
  /** Most telling first; empty for a stage that passes or inherits. */
  readonly causes: readonly Cause[];
}

/**
 * What an output decides.
 *
 * - `class`: the greatest value along an axis of classes, or an output of ArgMax.
 * - `threshold`: each value, which is above a threshold or not.
 * - `value`: each whole number or truth value.
 * - `rank`: each of the first places of a ranking.
 */
export type DecisionKind = 'class' | 'threshold' | 'value' | 'rank';

/** One decision that differs from the golden one. */
export interface DifferingDecision {
  /** Along each axis of the decisions. */
  readonly index: readonly number[];
  /** Ours: a class, a value, the index of an item, or 1 for above the threshold and 0 for not. */
  readonly actual: number;
  /** The golden one. */
  readonly golden: number;
  /** How far apart the golden values of the two alternatives are; null if there are no such values. */
  readonly margin: number | null;
  /** Of the frame's center, from the start of the input; null without frames or if their rate is not known. */
  readonly seconds: number | null;
}

/** How many differing decisions one part of the graph causes. */
export interface DecisionCause {
  /**
   * The first stage whose golden output makes the decisions right again, with those of all stages before it; the output
   * itself if none does. Stages within tolerance are tried only after the last stage that is wrong by itself.
   */
  readonly stage: string;
  /** The last stage that was tried and whose golden output leaves the decisions wrong; null if there is none. */
  readonly after: string | null;
  /** Number of decisions. */
  readonly count: number;
  /** Stages between the two that may cause them as well: they were not compared, not tried, or could not be injected. */
  readonly untried: readonly string[];
}

/** The decisions of one output of the graph. */
export interface DecisionReport {
  /** As the golden bundle calls the output. */
  readonly stage: string;
  /** What is decided. */
  readonly kind: DecisionKind;
  /** What {@link DecisionKind} and the axes follow from, for people. */
  readonly reason: string;
  /** Names of the axes of the decisions. */
  readonly axes: readonly string[];
  /** Number of decisions. */
  readonly total: number;
  /** Number of decisions that differ from the golden ones. */
  readonly differing: number;
  /** Those of them whose margin is smaller than the error that the tolerance of the stage allows. */
  readonly nearTies: number;
  /** Of `threshold`: what the values are compared with; else null. */
  readonly threshold: number | null;
  /** What each class stands for, such as the speakers of a powerset; null if the model does not say. */
  readonly labels: readonly string[] | null;
  /** The first differing decisions, 5 at most. */
  readonly examples: readonly DifferingDecision[];
  /** Where the differing decisions come from, in the order of the graph; the counts add up to `differing`. */
  readonly causes: readonly DecisionCause[];
}

/** A model on one backend against its golden bundle. */
export interface ComparisonReport {
  /** Decisions of the outputs that decide something. A decision that differs within tolerance does not change the verdict. */
  readonly decisions: readonly DecisionReport[];
  /** Id of a shipped model, else the name of the file. */
  readonly model: string;
  /** Where it was computed. */
  readonly backend: BackendName;
  /** GPU adapter; null on WASM. */
  readonly adapter: string | null;
  /** `fail` if a stage fails; `pass` if none does and enough was compared: half of the stages, and an output. */
  readonly verdict: Outcome;
  /** How much of the bundle was compared. */
  readonly coverage: Coverage;
  /**
   * The first stage, in the order of the graph, that is wrong by itself. Its `uncomparedBefore` names the stages before
   * it that may be wrong as well.
   */
  readonly firstDivergence: string | null;
  /** In the order of the graph. */
  readonly stages: readonly StageReport[];
  /** Seconds of running and comparing, without loading. */
  readonly seconds: number;
}

/** How two backends differ on one stage, each on its own computed input. */
export interface BetweenReport extends Measures {
  /** As the golden bundle calls the stage. */
  readonly name: string;
}

/** One node of a graph, for people. */
export interface NodeReport {
  /** Of the node; empty where the graph gives none. */
  readonly name: string;
  /** Operator, such as `Conv`. */
  readonly op: string;
  /** Attributes as text, by name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** What goes in, in the order of the operator. */
  readonly inputs: readonly {
    /** Of the graph's value. */
    readonly name: string;
    /** Size of each axis. */
    readonly shape: readonly number[];
  }[];
  /** What comes out, in the order of the operator. */
  readonly outputs: readonly {
    /** Of the graph's value. */
    readonly name: string;
    /** Size of each axis. */
    readonly shape: readonly number[];
  }[];
}

/** Where WebGPU begins to differ from WASM. */
export interface BisectReport {
  /** Id of a shipped model, else the name of the file. */
  readonly model: string;
  /** Name of the GPU adapter; null where there is none. */
  readonly adapter: string | null;
  /** `pass`: no value differs by more than the tolerance. */
  readonly verdict: Verdict;
  /** Greatest difference that counts as none, relative to the greatest absolute value of the tensor. */
  readonly tolerance: number;
  /** Nodes of the graph. */
  readonly numNodes: number;
  /** Sessions that were made on the way. */
  readonly numProbes: number;
  /** The first node that differs, also by itself; null if there is none. */
  readonly node: NodeReport | null;
  /**
   * The nodes over which a difference adds up although each is right by itself: rounding that accumulates, or a fused kernel. Null
   * if a node is wrong by itself, or nothing differs.
   */
  readonly range: {
    /** Name of the first node of the shortest range that was found, in the order of the graph. */
    readonly first: string;
    /** Name of the last node, whose output differs. */
    readonly last: string;
    /** Nodes from the first to the last, with both. */
    readonly numNodes: number;
  } | null;
  /** Of the node's output in the whole graph, or of the range's last output with golden values before its first node. */
  readonly difference: Measures | null;
  /** Of that node alone, on WASM's inputs. Null if there is no node. */
  readonly alone:
    | (Measures & {
        /** By the same tolerance. */
        readonly verdict: Verdict;
      })
    | null;
}

/** What is odd about a tensor of weights. */
export type AuditFlag =
  | 'all-zero'
  /** Holds what a layer starts with (all ones, or all one value): never trained, or never loaded. */
  | 'initial'
  | 'not-finite'
  /** Has no counterpart on the other side. */
  | 'unmatched'
  /** The counterpart has the same values along other axes. */
  | 'permuted'
  /** The counterpart has the same rows in another order, as LSTM gates have between PyTorch and ONNX. */
  | 'reordered'
  /** The counterpart of that name has other values. */
  | 'values-differ'
  | 'shape-differs'
  /** The file's bytes for this tensor overlap another's, leave a gap, or do not fit its shape and type. */
  | 'misaligned';

/** One tensor of weights. */
export interface AuditEntry {
  /** As the file calls it. */
  readonly name: string;
  /** As the file calls it: `float32`, `F16`, `int64`. */
  readonly dtype: string;
  /** Size of each axis. */
  readonly shape: readonly number[];
  /** Of the values as they lie in the file, row-major and little-endian; lower-case hex. */
  readonly sha256: string;
  /** Over the finite values; null where there are none. */
  readonly mean: number | null;
  /** Over the finite values; null where there are none. */
  readonly standardDeviation: number | null;
  /** Values that are zero. */
  readonly zeroCount: number;
  /** Values that are NaN or infinite. */
  readonly nonFiniteCount: number;
  /** The tensor of the other file that is the same weight, and how that was found: `name`, `bytes`, `permuted` … */
  readonly match: {
    /** As the other file calls it. */
    readonly name: string;
    /** By its name, its bytes, its values along other axes, or its rows in another order. */
    readonly how: 'name' | 'bytes' | 'permuted' | 'reordered';
  } | null;
  /** What is odd about it; empty where nothing is. */
  readonly flags: readonly AuditFlag[];
  /** A sentence for every flag, with its figures. */
  readonly remarks: readonly string[];
}

/** Every tensor of a graph, and of the checkpoint that it should hold, side by side. */
export interface AuditReport {
  /** Id of a shipped model, else the name of the file. */
  readonly model: string;
  /** Those of the graph, in its order. */
  readonly weights: readonly AuditEntry[];
  /** Null where no checkpoint was given. */
  readonly checkpoint: {
    /** Name of the checkpoint's file. */
    readonly file: string;
    /** Those of the checkpoint, in its order. */
    readonly weights: readonly AuditEntry[];
  } | null;
  /** Entries with a flag, on both sides. */
  readonly numFlagged: number;
}
