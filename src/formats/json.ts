import type { Turn } from '../timeline/turns';

/** How a result was created, so that it can be evaluated and reproduced. Part of the JSON that the page exports. */
export interface RunManifest {
  /** The program that created the result. */
  readonly program: {
    /** Name of the program. */
    readonly name: string;
    /** Version of the program. */
    readonly version: string;
  };
  /** When the file was written, as ISO 8601. Set by the caller, so that equal results can have equal bytes. */
  readonly date: string;
  /** The recording. */
  readonly source: {
    /** File name of the recording. */
    readonly name: string;
    /** Size of the file; null if unknown. */
    readonly bytes: number | null;
  };
  /** The preset that was used. */
  readonly preset: string;
  /** `exact` or `fast`. */
  readonly speed: string;
  /** Settings chosen by the user, such as the number of speakers; null for automatic. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** All model files that were used, in processing order. */
  readonly models: readonly {
    /** The stage of the model, such as `segmentation`. */
    readonly stage: string;
    /** Id of the model in its manifest. */
    readonly id: string;
    /** SHA-256 of the file, 64 lower-case hex digits. */
    readonly sha256: string;
  }[];
  /** The backend on which the models ran. */
  readonly backend: {
    /** `wasm` or `webgpu`. */
    readonly name: string;
    /** Name of the GPU adapter, as reported by the browser; null on WASM. */
    readonly adapter: string | null;
    /** Number of processor cores assigned to WASM; 0 on WebGPU. */
    readonly threads: number;
    /** Why this backend was chosen. */
    readonly reason: string;
  };
  /** The user agent string of the browser. */
  readonly userAgent: string;
  /** Whether all tested backends reproduced the golden outputs. */
  readonly selfCheck: SelfCheckVerdict;
  /** Whether the user has changed the result. */
  readonly isCorrected: boolean;
}

/**
 * Whether all tested backends reproduced the golden outputs. Also `failed` if the backend that failed was not used, such as
 * a GPU: `backend` contains the one that was used, and the reason. `not-run` if none was tested.
 */
export type SelfCheckVerdict = 'passed' | 'failed' | 'not-run';

/** The input of {@link runManifest} from a result. The pipeline's `DiarizationResult` has this form. */
export interface RunResult {
  /** The preset that was used. */
  readonly preset: string;
  /** `exact` or `fast`. */
  readonly speed: string;
  /** The backend on which the models ran. */
  readonly backend: RunManifest['backend'] & {
    /** Results of the self-check of each backend, by model; null if none was tested. */
    readonly selfCheck:
      | readonly {
          /** Whether the model reproduced its golden outputs. */
          readonly passed: boolean;
        }[]
      | null;
  };
}

/** Properties of a run that a result does not contain. */
export type RunInfo = Pick<
  RunManifest,
  'program' | 'date' | 'source' | 'settings' | 'models' | 'userAgent' | 'isCorrected'
>;

/** The manifest of a run, with keys in a fixed order. */
export function runManifest({ preset, speed, backend }: RunResult, facts: RunInfo): RunManifest {
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

function verdictOf(checks: readonly { readonly passed: boolean }[] | null): SelfCheckVerdict {
  if (!checks || checks.length === 0) return 'not-run';
  return checks.every(({ passed }) => passed) ? 'passed' : 'failed';
}

/** Input of {@link toJson}. The pipeline's `DiarizationResult` has this form. */
export interface JsonSource {
  /** Length of the analyzed audio. */
  readonly durationSeconds: number;
  /** The preset that was used. */
  readonly preset?: string;
  /** `exact` or `fast`. */
  readonly speed?: string;
  /** `preset`, or the name of the requested clustering settings. */
  readonly clustering?: string;
  /** Minimum duration of turns, in seconds; shorter turns were removed. */
  readonly minDurationOn?: number;
  /** Minimum duration of gaps within a speaker's turns, in seconds; shorter gaps were filled. */
  readonly minDurationOff?: number;
  /** SHA-256 of the embedding model's file; null if the preset has none. */
  readonly embeddingModel?: string | null;
  /** Kind of the turns' `confidence`: `posterior` or `margin`; null if they have none. */
  readonly confidenceKind?: string | null;
  /** The backend on which the models ran; null if the turns are not from a run. */
  readonly backend: {
    /** `wasm` or `webgpu`. */
    readonly name: string;
    /** Name of the GPU adapter; null on WASM. */
    readonly adapter: string | null;
    /** Number of processor cores assigned to WASM; 0 on WebGPU. */
    readonly threads: number;
    /** Why this backend was chosen. */
    readonly reason: string;
    /** Results of the self-check of each tested backend; null or absent if none was tested. */
    readonly selfCheck?: readonly object[] | null;
  } | null;
  /** Turns, in the order in which they are written. */
  readonly turns: readonly (Turn & {
    /** Whether the user created, moved, assigned or confirmed it. */
    readonly isCorrected?: boolean;
  })[];
  /** Turns with at most one speaker at a time. */
  readonly exclusiveTurns: readonly Turn[];
  /** The preferred speakers in overlapping speech, if corrections have made them differ from `exclusiveTurns`. */
  readonly exclusiveHints?: readonly Turn[];
  /** Speakers, in the order in which they are written. */
  readonly speakers: readonly {
    /** Label that the turns refer to. */
    readonly label: string;
    /** Name set by the user; null until then. */
    readonly name?: string | null;
    /** Index into the page's speaker colors. */
    readonly color?: number;
    /** Total length of the speaker's turns. */
    readonly speechSeconds: number;
    /** Mean embedding of the speaker's cluster, axes (dimension); null for a speaker added by the user, and without embeddings. */
    readonly centroid: ArrayLike<number> | null;
  }[];
  /** The number of speakers found, other likely numbers, and unmet bounds. */
  readonly speakerCount?: {
    /** Number of speakers in the result. */
    readonly value: number;
    /** Other likely numbers, the most likely first. */
    readonly alternatives: readonly {
      /** Number of speakers. */
      readonly value: number;
      /** Share of the total likelihood of all numbers, 0 to 1. */
      readonly score: number;
    }[];
    /** The requested bounds if they are not met; null otherwise. */
    readonly unmet: object | null;
  };
  /** The audio tracks of the file, including the one that was read. */
  readonly tracks?: readonly object[];
  /** Repaired, skipped or omitted parts of the recording. */
  readonly notes?: readonly object[];
  /** Processing time of each stage, in seconds. */
  readonly timings: Readonly<Record<string, number | undefined>>;
}

/**
 * The result of a diarization as JSON text, indented by two spaces, with a trailing line end.
 *
 * Times are in seconds, rounded to microseconds: finer digits are only arithmetic noise and would
 * make equal results look different. Values of a centroid have nine digits, which preserve the float32 value.
 * The order of the keys is fixed, so equal results have equal bytes (except `timings`).
 *
 * @param file name of the recording, for the reader
 * @param run how the result was created; omitted from the output if absent
 */
export function toJson(file: string, result: JsonSource, run?: RunManifest): string {
  const { backend } = result;
  const content = {
    file,
    durationSeconds: toMicroseconds(result.durationSeconds),
    ...(run && { run }),
    ...(result.tracks && { tracks: result.tracks }),
    ...(result.notes && { notes: result.notes.map(plainNote) }),
    backend: backend && {
      name: backend.name,
      adapter: backend.adapter,
      threads: backend.threads,
      reason: backend.reason,
      selfCheck: backend.selfCheck ?? null,
    },
    preset: result.preset ?? null,
    speed: result.speed ?? null,
    clustering: result.clustering ?? null,
    minDurationOn: result.minDurationOn ?? null,
    minDurationOff: result.minDurationOff ?? null,
    embeddingModel: result.embeddingModel ?? null,
    confidenceKind: result.confidenceKind ?? null,
    ...(result.speakerCount && { speakerCount: plainCount(result.speakerCount) }),
    turns: result.turns.map((turn) => ({
      ...plainTurn(turn),
      ...(turn.isCorrected === true && { isCorrected: true }),
    })),
    exclusiveTurns: result.exclusiveTurns.map(plainTurn),
    ...(result.exclusiveHints && { exclusiveHints: result.exclusiveHints.map(plainTurn) }),
    speakers: result.speakers.map(({ label, name, color, speechSeconds, centroid }) => ({
      label,
      ...(name !== undefined && { name }),
      ...(color !== undefined && { color }),
      speechSeconds: toMicroseconds(speechSeconds),
      centroid: centroid && Array.from(centroid, (value) => Number(value.toPrecision(9))),
    })),
    timings: Object.fromEntries(
      Object.entries(result.timings).map(([stage, seconds]) => [
        stage,
        seconds === undefined ? undefined : toMicroseconds(seconds),
      ]),
    ),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const plainCount = ({ value, alternatives, unmet }: NonNullable<JsonSource['speakerCount']>) => {
  // A score is not accurate to more than four digits.
  return { value, alternatives: alternatives.map((one) => ({ value: one.value, score: toFourDigits(one.score) })), unmet };
};

function plainTurn({ startSeconds, endSeconds, speaker, confidence }: Turn) {
  return {
    startSeconds: toMicroseconds(startSeconds),
    endSeconds: toMicroseconds(endSeconds),
    speaker,
    ...(confidence !== undefined && { confidence: confidence === null ? null : toFourDigits(confidence) }),
  };
}

const plainNote = (note: object): object =>
  Object.fromEntries(Object.entries(note).map(([key, value]: [string, unknown]) => [key, typeof value === 'number' ? toMicroseconds(value) : value]));

const toFourDigits = (value: number): number => Math.round(value * 1e4) / 1e4;

function toMicroseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
