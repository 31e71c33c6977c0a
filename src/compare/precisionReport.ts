import type { BackendName, DecisionKind } from './report';

/** Types that weights can be rounded to. */
export type RoundedType = 'float16' | 'int8';

/** Effect of rounding on the outputs. */
export interface RoundingEffect {
  /** Decisions that differ from those of the unrounded graph; null if no output decides anything. */
  readonly lost: number | null;
  /** Maximum relative error of an output (root mean squares); null if it is not finite. */
  readonly relative: number | null;
  /** Megabytes (10⁶ bytes) saved in the weights. */
  readonly savedMegabytes: number;
}

/** One node with weights, or several that share weights. */
export interface PrecisionRow {
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  /** Operators of the nodes. */
  readonly ops: readonly string[];
  /** Module of the original network; null if unknown. */
  readonly module: string | null;
  /** Names of the weights. */
  readonly weights: readonly string[];
  /** Megabytes of the weights in float32. */
  readonly megabytes: number;
  /** All weights in float16. */
  readonly float16: RoundingEffect;
  /** Matrices and kernels in int8, with one scale per output channel; null if there are none. */
  readonly int8: RoundingEffect | null;
}

/** An output that decides something. */
export interface DecidingOutput {
  /** Name of the graph value. */
  readonly name: string;
  /** What is decided. */
  readonly kind: DecisionKind;
  /** Why it counts as this kind, for the report. */
  readonly reason: string;
  /** Number of decisions. */
  readonly decisions: number;
}

/** All weights rounded together. */
export interface PrecisionTotal {
  /** Megabytes of all float32 weights. */
  readonly megabytes: number;
  /** All weights in float16. */
  readonly float16: RoundingEffect;
  /** All matrices and kernels in int8. */
  readonly int8: RoundingEffect;
}

/** Nodes that were not tried one by one. */
export interface RowsLeft {
  /** Number of rows that they would need. */
  readonly numRows: number;
  /** Megabytes of their weights in float32. */
  readonly megabytes: number;
}

/** The report without its rows, available before the first row. */
export interface PrecisionHead {
  /** ID of a bundled model, else the file name. */
  readonly model: string;
  /** Backend that computes the graph. */
  readonly backend: BackendName;
  /** GPU adapter; null on WASM. */
  readonly adapter: string | null;
  /** Outputs that decide something; if there are none, rows are ranked by the relative error. */
  readonly outputs: readonly DecidingOutput[];
  /** All weights rounded together. */
  readonly total: PrecisionTotal;
  /** Number of rows that are tried one by one, those with the most bytes first. */
  readonly numRows: number;
  /** The smaller nodes, which are only part of the total. */
  readonly left: RowsLeft;
}

/** Decisions lost by rounding the weights of each node. */
export interface PrecisionReport extends PrecisionHead {
  /** In the order of the trials: by size. See {@link rankRows}. */
  readonly rows: readonly PrecisionRow[];
}

/**
 * Ranks the rows that a type applies to, the best candidates for rounding first: the fewest lost decisions per megabyte
 * saved, then the smallest relative error per megabyte saved.
 */
export function rankRows(rows: readonly PrecisionRow[], type: RoundedType): PrecisionRow[] {
  const scoreOf = (row: PrecisionRow, key: 'lost' | 'relative'): number => {
    const effect = row[type];
    return effect ? (effect[key] ?? (key === 'lost' ? 0 : Infinity)) / effect.savedMegabytes : Infinity;
  };
  const difference = (a: number, b: number): number => (a === b ? 0 : a - b);
  return rows
    .filter((row) => (row[type]?.savedMegabytes ?? 0) > 0)
    .toSorted((a, b) => difference(scoreOf(a, 'lost'), scoreOf(b, 'lost')) || difference(scoreOf(a, 'relative'), scoreOf(b, 'relative')));
}
