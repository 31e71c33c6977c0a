/** Runs the work of `compare`, `bisect` and `stage`: in Node, or in a headless browser. */
import type { PrecisionHead, PrecisionReport, PrecisionRow } from '../src/compare/precisionReport';
import type { Runs } from './compareReport';
import type { Answer } from './engine/answer';
import type { BisectAnswer, BisectRequest, CompareRequest, PrecisionRequest } from './engine/comparisons';
import type { StageAnswer, StageRequest } from './engine/stages';
import type { GraphList } from './listGraph';

/** What to work on. */
export interface Subject {
  /** ID of a bundled model, in place of files. */
  readonly shipped: string | null;
  /** Files, and folders with a bundle. External weight files of graphs are added. */
  readonly paths: readonly string[];
}

/** Receives the rows of {@link ComparisonEngine.roundFiles}. */
export interface RowKeeper {
  keep(row: PrecisionRow, head: PrecisionHead): void;
  /** The work starts again. */
  clear(): void;
}

/** All calls throw an Error with a one-line message if the engine failed. Errors of the input are answers. */
export interface ComparisonEngine {
  compareFiles(subject: Subject, request: CompareRequest): Promise<Answer<Runs>>;
  roundFiles(subject: Subject, request: PrecisionRequest, rows: RowKeeper): Promise<Answer<PrecisionReport>>;
  listFiles(subject: Subject): Promise<Answer<GraphList>>;
  bisectFiles(subject: Subject, request: BisectRequest): Promise<Answer<BisectAnswer>>;
  computeStage(path: string, request: StageRequest): Promise<Answer<StageAnswer>>;
  /** Replaces the worker, whose runtime may be broken after an unexpected error. */
  renew(): Promise<void>;
  close(): Promise<void>;
}
