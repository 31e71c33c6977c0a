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
  /** For tests: multiplies what the node of this name gives, on WebGPU only. */
  readonly simulateFault?: { readonly node: string; readonly factor: number };
}

/** A file by its name, or its path from the folder that it came with. */
export interface NamedBlob {
  readonly name: string;
  readonly blob: Blob;
}

/** A step of the work under way. */
export interface ComparisonProgress {
  /** For people: `lstm, golden input injected`. */
  readonly step: string;
  readonly completed: number;
  readonly total: number;
}

/** What can stop or follow a call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ComparisonProgress) => void;
}

export type { Opened, OpenedStage } from '../compare/describeOpened';
