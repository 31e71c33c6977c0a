import type { Turn } from '../timeline/turn';

/** What {@link toJson} writes down. The pipeline's `DiarizationResult` has this form. */
export interface JsonSource {
  readonly durationSeconds: number;
  readonly preset?: string;
  readonly speed?: string;
  /** SHA-256. */
  readonly embeddingModel?: string;
  readonly confidenceKind?: string;
  readonly backend: {
    readonly name: string;
    readonly adapter: string | null;
    readonly threads: number;
    readonly reason: string;
    readonly selfCheck?: readonly object[] | null;
  };
  /** What each stage asked of the GPU; null or absent on WASM. */
  readonly gpu?: Readonly<Record<string, object>> | null;
  readonly turns: readonly Turn[];
  readonly exclusiveTurns: readonly Turn[];
  readonly speakers: readonly {
    readonly label: string;
    readonly speechSeconds: number;
    readonly centroid: ArrayLike<number>;
  }[];
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
 */
export function toJson(file: string, result: JsonSource): string {
  const { backend } = result;
  const content = {
    file,
    durationSeconds: toMicroseconds(result.durationSeconds),
    backend: {
      name: backend.name,
      adapter: backend.adapter,
      threads: backend.threads,
      reason: backend.reason,
      selfCheck: backend.selfCheck ?? null,
    },
    preset: result.preset ?? null,
    speed: result.speed ?? null,
    embeddingModel: result.embeddingModel ?? null,
    confidenceKind: result.confidenceKind ?? null,
    gpu: result.gpu ?? null,
    turns: result.turns.map(plainTurn),
    exclusiveTurns: result.exclusiveTurns.map(plainTurn),
    speakers: result.speakers.map(({ label, speechSeconds, centroid }) => ({
      label,
      speechSeconds: toMicroseconds(speechSeconds),
      centroid: Array.from(centroid, (value) => Number(value.toPrecision(9))),
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

function plainTurn({ startSeconds, endSeconds, speaker, confidence }: Turn) {
  return {
    startSeconds: toMicroseconds(startSeconds),
    endSeconds: toMicroseconds(endSeconds),
    speaker,
    // Four digits are more than such a number means.
    ...(confidence !== undefined && { confidence: confidence === null ? null : Math.round(confidence * 1e4) / 1e4 }),
  };
}

function toMicroseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
