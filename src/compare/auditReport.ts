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
  readonly name: string;
  /** As the file calls it: `float32`, `F16`, `int64`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of the values as they lie in the file, row-major and little-endian; lower-case hex. */
  readonly sha256: string;
  /** Over the finite values; null where there are none. */
  readonly mean: number | null;
  readonly standardDeviation: number | null;
  readonly zeroCount: number;
  readonly nonFiniteCount: number;
  /** The tensor of the other file that is the same weight, and how that was found: `name`, `bytes`, `permuted` … */
  readonly match: { readonly name: string; readonly how: 'name' | 'bytes' | 'permuted' | 'reordered' } | null;
  readonly flags: readonly AuditFlag[];
  /** A sentence for every flag, with its figures. */
  readonly remarks: readonly string[];
}

/** Every tensor of a graph, and of the checkpoint that it should hold, side by side. */
export interface AuditReport {
  readonly model: string;
  readonly weights: readonly AuditEntry[];
  /** Null where no checkpoint was given. */
  readonly checkpoint: { readonly file: string; readonly weights: readonly AuditEntry[] } | null;
  /** Entries with a flag, on both sides. */
  readonly numFlagged: number;
}
