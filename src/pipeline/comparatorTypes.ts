import type { DecisionRule } from '../compare/decisions/rule';
import type { PrecisionHead, PrecisionRow } from '../compare/precision/report';
import type { ToleranceOverride } from '../compare/stageTolerance';

/** Where a comparator finds what it needs. The defaults are those of a `Diarizer`. */
export interface ComparatorOptions {
  /** Address under which `<model id>/manifest.json` is found. */
  readonly models?: string | URL;
  /** Address of the ONNX Runtime files. */
  readonly runtime?: string | URL;
  /** Address of the golden outputs, `<model id>.zip`. */
  readonly goldens?: string | URL;
  /** WASM threads; by default as many as the machine and the page's isolation allow. */
  readonly threads?: number;
}

/** A file by its name, or its path from the folder that it came with. */
export interface NamedBlob {
  /** Name, or path with slashes. */
  readonly name: string;
  /** The bytes. */
  readonly blob: Blob;
}

/** A step of the work under way. */
export interface ComparisonProgress {
  /** For people: `lstm, golden input injected`. */
  readonly step: string;
  /** Steps that are done. */
  readonly completed: number;
  /** Steps in all. */
  readonly total: number;
}

/** What can stop a call that asks for what is there already. */
export interface ReadOptions {
  /** Takes the call back: it rejects at once with `cancelled`, and with the signal's `reason` as `cause`. */
  readonly signal?: AbortSignal;
}

/** What can stop or follow a call. */
export interface CallOptions extends ReadOptions {
  /** Hears of each step; not called while the call waits for those before it. */
  readonly onProgress?: (progress: ComparisonProgress) => void;
}

/** What {@link Comparator.compare} is asked for. */
export interface CompareCallOptions extends CallOptions {
  /** Looks for differences between runs and batch sizes in stages that pass, too. Default false. */
  readonly thorough?: boolean;
  /** Judges every stage by these bounds in place of the bundle's. */
  readonly tolerance?: ToleranceOverride;
  /** What the outputs decide. By default this follows from the bundle, the last operator of the graph, or an axis `class`. */
  readonly decisions?: DecisionRule;
}

/** What {@link Comparator.precision} is asked for. */
export interface PrecisionCallOptions extends CallOptions {
  /** Most nodes that are tried one by one, those with the most bytes first. Default 50. */
  readonly limit?: number;
  /** What the outputs decide. By default this follows from the bundle, the last operator of the graph, or an axis `class`. */
  readonly decisions?: DecisionRule;
  /** Called for each node as soon as it was tried, so that a call that is cancelled has given something. */
  readonly onRow?: (row: PrecisionRow, head: PrecisionHead) => void;
}

/** What {@link Comparator.bisect} is asked for. */
export interface BisectCallOptions extends CallOptions {
  /** Greatest difference that counts as none, relative to a tensor's greatest value. Default 0.001. */
  readonly tolerance?: number;
}

export type { Opened, OpenedStage } from '../compare/describeOpened';
