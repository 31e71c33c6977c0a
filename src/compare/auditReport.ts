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
