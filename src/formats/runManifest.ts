/** How a result came about, so that it can be judged and made again. Part of the JSON that the page exports. */
export interface RunManifest {
  /** What made the result. */
  readonly program: {
    /** Of the program. */
    readonly name: string;
    /** Of the program. */
    readonly version: string;
  };
  /** When the file was written, as ISO 8601. Given by the caller, so that equal results can be written as equal bytes. */
  readonly date: string;
  /** The recording. */
  readonly source: {
    /** File name of the recording. */
    readonly name: string;
    /** Length of the file; null where it is not known. */
    readonly bytes: number | null;
  };
  /** The preset that was taken. */
  readonly preset: string;
  /** `exact` or `fast`. */
  readonly speed: string;
  /** What the person chose, such as the number of speakers; null is what was left to the program. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** Every model's file that took part, in the order of the work. */
  readonly models: readonly {
    /** The stage that it is the model of, such as `segmentation`. */
    readonly stage: string;
    /** As the manifest calls the model. */
    readonly id: string;
    /** Of the file, 64 lower-case hex digits. */
    readonly sha256: string;
  }[];
  /** Where the models ran. */
  readonly backend: {
    /** `wasm` or `webgpu`. */
    readonly name: string;
    /** Name of the GPU adapter, as the browser gives it; null on WASM. */
    readonly adapter: string | null;
    /** Processor cores that WASM was given; 0 on WebGPU. */
    readonly threads: number;
    /** Why this backend was taken. */
    readonly reason: string;
  };
  /** The browser, as it names itself. */
  readonly userAgent: string;
  /** Whether every backend that was tried reproduced the golden outputs. */
  readonly selfCheck: SelfCheckVerdict;
  /** Whether a person has changed anything of what the program found. */
  readonly isCorrected: boolean;
}

/**
 * Whether every backend that was tried reproduced the golden outputs. `failed` also if the one that failed was not used, such as
 * a GPU: `backend` has the one that was, and why. `not-run` if none was checked.
 */
export type SelfCheckVerdict = 'passed' | 'failed' | 'not-run';

/** What the manifest takes from a result. The pipeline's `DiarizationResult` has this form. */
export interface RunResult {
  /** The preset that was taken. */
  readonly preset: string;
  /** `exact` or `fast`. */
  readonly speed: string;
  /** Where the models ran. */
  readonly backend: RunManifest['backend'] & {
    /** How each backend reproduced the golden outputs, model by model; null if none was checked. */
    readonly selfCheck:
      | readonly {
          /** Whether the model is computed as its golden outputs say. */
          readonly passed: boolean;
        }[]
      | null;
  };
}

/** What a result cannot tell of its run. */
export type RunFacts = Pick<
  RunManifest,
  'program' | 'date' | 'source' | 'settings' | 'models' | 'userAgent' | 'isCorrected'
>;

/** The manifest of a run, its keys always in the same order. */
export function runManifest({ preset, speed, backend }: RunResult, facts: RunFacts): RunManifest {
  const { name, adapter, threads, reason } = backend;
  return {
    program: { name: facts.program.name, version: facts.program.version },
    date: facts.date,
    source: { name: facts.source.name, bytes: facts.source.bytes },
    preset,
    speed,
    settings: facts.settings,
    models: facts.models.map(({ stage, id, sha256 }) => ({ stage, id, sha256 })),
    backend: { name, adapter, threads, reason },
    userAgent: facts.userAgent,
    selfCheck: verdictOf(backend.selfCheck),
    isCorrected: facts.isCorrected,
  };
}

function verdictOf(proofs: readonly { readonly passed: boolean }[] | null): SelfCheckVerdict {
  if (!proofs || proofs.length === 0) return 'not-run';
  return proofs.every(({ passed }) => passed) ? 'passed' : 'failed';
}
