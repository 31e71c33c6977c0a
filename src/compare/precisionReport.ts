import type { BackendName, DecisionKind } from './report';

/** Types that weights can be rounded to. */
export type RoundedType = 'float16' | 'int8';

/** What rounding does to the outputs. */
export interface RoundingEffect {
  /** Decisions that differ from those of the unrounded graph; null if no output decides anything. */
  readonly lost: number | null;
  /** Greatest relative error of an output (root mean squares); null if it is not finite. */
  readonly relative: number | null;
  /** Megabytes (10⁶ bytes) that the weights need less. */
  readonly savedMegabytes: number;
}

/** One node with weights, or several that share weights. */
export interface PrecisionRow {
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  /** Operators of the nodes. */
  readonly ops: readonly string[];
  /** Module of the original network; null if it is not known. */
  readonly module: string | null;
  /** Names of the weights. */
  readonly weights: readonly string[];
  /** Megabytes of the weights in float32. */
  readonly megabytes: number;
  /** All weights in float16. */
  readonly float16: RoundingEffect;
  /** Matrices and kernels in int8, a scale per output channel; null if there are none. */
  readonly int8: RoundingEffect | null;
}

/** An output that decides something. */
export interface DecidingOutput {
  /** Of the graph's value. */
  readonly name: string;
  /** What is decided. */
  readonly kind: DecisionKind;
  /** What this follows from, for people. */
  readonly reason: string;
  /** Number of decisions. */
  readonly decisions: number;
}

/** All weights rounded together. */
export interface PrecisionTotal {
  /** Megabytes of all float32 weights. */
  readonly megabytes: number;
  /** All of them in float16. */
  readonly float16: RoundingEffect;
  /** All matrices and kernels in int8. */
  readonly int8: RoundingEffect;
}

/** Nodes that were not tried one by one. */
export interface RowsLeft {
  /** Number of rows that there would be of them. */
  readonly numRows: number;
  /** Megabytes of their weights in float32. */
  readonly megabytes: number;
}

/** What is known before the first row. */
export interface PrecisionHead {
  /** Id of a shipped model, else the name of the file. */
  readonly model: string;
  /** Where it is computed. */
  readonly backend: BackendName;
  /** GPU adapter; null on WASM. */
  readonly adapter: string | null;
  /** Outputs that decide something; if there are none, the relative error is ranked. */
  readonly outputs: readonly DecidingOutput[];
  /** All weights rounded together. */
  readonly total: PrecisionTotal;
  /** Nodes that are tried one by one, those with the most bytes first. */
  readonly numRows: number;
  /** The smaller nodes that are only part of the total. */
  readonly left: RowsLeft;
}

/** Decisions lost by rounding the weights of each node. */
export interface PrecisionReport extends PrecisionHead {
  /** In the order in which they were tried: by size. See {@link rankRows}. */
  readonly rows: readonly PrecisionRow[];
}

/**
 * The rows that a type can be used for, the best to round first: fewest decisions lost per megabyte saved, then the smallest relative
 * error per megabyte saved.
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
