import type { Turn } from '../timeline/turns';

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
export type RunInfo = Pick<
  RunManifest,
  'program' | 'date' | 'source' | 'settings' | 'models' | 'userAgent' | 'isCorrected'
>;

/** The manifest of a run, its keys always in the same order. */
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

/** What {@link toJson} writes down. The pipeline's `DiarizationResult` has this form. */
export interface JsonSource {
  /** Length of the audio that was analyzed. */
  readonly durationSeconds: number;
  /** The preset that was taken. */
  readonly preset?: string;
  /** `exact` or `fast`. */
  readonly speed?: string;
  /** `preset`, or the clustering settings that were asked for by name. */
  readonly clustering?: string;
  /** Shortest turn that was kept, in seconds. */
  readonly minDurationOn?: number;
  /** Shortest gap within a speaker's turns that was not filled, in seconds. */
  readonly minDurationOff?: number;
  /** SHA-256 of the embedding model's file. */
  readonly embeddingModel?: string;
  /** What the turns' `confidence` is: `posterior` or `margin`. */
  readonly confidenceKind?: string;
  /** Where the models ran. */
  readonly backend: {
    /** `wasm` or `webgpu`. */
    readonly name: string;
    /** Name of the GPU adapter; null on WASM. */
    readonly adapter: string | null;
    /** Processor cores that WASM was given; 0 on WebGPU. */
    readonly threads: number;
    /** Why this backend was taken. */
    readonly reason: string;
    /** How each backend that was tried reproduced the golden outputs; null or absent if none was checked. */
    readonly selfCheck?: readonly object[] | null;
  };
  /** What each stage asked of the GPU; null or absent on WASM. */
  readonly gpu?: Readonly<Record<string, object>> | null;
  /** Who spoke when, in the order in which it is to be written. */
  readonly turns: readonly (Turn & {
    /** Whether a person has made, moved, assigned or confirmed it. */
    readonly isCorrected?: boolean;
  })[];
  /** The same with one speaker at a time at most. */
  readonly exclusiveTurns: readonly Turn[];
  /** Who is heard where several speak, where corrections have made that differ from `exclusiveTurns`. */
  readonly exclusiveHints?: readonly Turn[];
  /** In the order in which they are to be written. */
  readonly speakers: readonly {
    /** As the turns call the speaker. */
    readonly label: string;
    /** What a person called the speaker; null until then. */
    readonly name?: string | null;
    /** Index into the page's speaker colors. */
    readonly color?: number;
    /** Sum of the lengths of the speaker's turns. */
    readonly speechSeconds: number;
    /** Mean embedding of the speaker's cluster, axes (dimension); null of a speaker whom a person has added. */
    readonly centroid: ArrayLike<number> | null;
  }[];
  /** How many speakers were found, with other likely numbers, and bounds that were not met. */
  readonly speakerCount?: {
    /** Speakers of the result. */
    readonly value: number;
    /** Other likely numbers, the most likely first. */
    readonly alternatives: readonly {
      /** Number of speakers. */
      readonly value: number;
      /** Share of the likelihood of all numbers, 0 to 1. */
      readonly score: number;
    }[];
    /** The bounds that were asked for, if they are not met; null otherwise. */
    readonly unmet: object | null;
  };
  /** The file's audio tracks, with the one that was read. */
  readonly tracks?: readonly object[];
  /** What was repaired, skipped or left out while the recording was read. */
  readonly notes?: readonly object[];
  /** Seconds of work by stage. */
  readonly timings: Readonly<Record<string, number | undefined>>;
}

/**
 * The result of a diarization as JSON text, indented by two spaces, with a line end at the end.
 *
 * Every time is in seconds, rounded to microseconds: finer digits are only noise of the arithmetic, and would
 * make two equal results look unlike. A centroid's values have the nine digits that give the same float32 back.
 * The order of the keys is fixed, so equal results give equal bytes (apart from `timings`).
 *
 * @param file name of the recording, for the reader
 * @param run how the result came about; nothing is written of it where it is not given
 */
export function toJson(file: string, result: JsonSource, run?: RunManifest): string {
  const { backend } = result;
  const content = {
    file,
    durationSeconds: toMicroseconds(result.durationSeconds),
    ...(run && { run }),
    ...(result.tracks && { tracks: result.tracks }),
    ...(result.notes && { notes: result.notes.map(plainNote) }),
    backend: {
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
    gpu: result.gpu ?? null,
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
  // Four digits are more than such a number means.
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
