/** Diarizes one file after the other: in Node, or in a headless browser. */
import { MENTIONED_SCORE } from '../src/engine/speakerCount';
import type { DiarizationResult } from '../src/index';
import type { ErrorParts } from '../src/util/errors';
import type { RunOptions } from './diarizeOptions';
import { documentsOf, type DocumentRequest, type Documents } from './resultDocuments';

/** What to compute for one file. Plain data, because the browser's page receives it from another process. */
export interface FileRequest extends DocumentRequest {
  readonly options: RunOptions;
}

/** Figures of a result for people and for JSON events. */
export interface ResultFigures {
  /** Length of the analyzed audio. */
  readonly audioSeconds: number;
  readonly numSpeakers: number;
  readonly numTurns: number;
  /** Where the models ran, with the reason, and the preset. */
  readonly engine: string;
  /** Notes about the number of speakers, and about repaired, skipped or omitted parts of the file. */
  readonly notes: readonly string[];
}

/** The requested documents, or an error. */
export type FileOutcome =
  | { readonly ok: true; readonly documents: Documents; readonly figures: ResultFigures }
  | { readonly ok: false; readonly error: ErrorParts };

export interface FileEngine {
  /** Starts the engine and loads the models. @throws Error with a one-line message */
  start(): Promise<void>;
  /**
   * Diarizes a file. A file that cannot be read is an outcome.
   *
   * @param onProgress called with the name of a stage and its progress from 0 to 1
   * @throws Error with a one-line message if the engine failed; the next call starts it again
   */
  diarize(path: string, request: FileRequest, onProgress: (stage: string, completed: number) => void): Promise<FileOutcome>;
  close(): Promise<void>;
}

/** The outcome of a run. */
export function outcomeOf(result: DiarizationResult, request: FileRequest): FileOutcome {
  return { ok: true, documents: documentsOf(result, request), figures: figuresOf(result) };
}

function figuresOf(result: DiarizationResult): ResultFigures {
  const { speakers, speakerCount, turns, durationSeconds, backend, preset, speed, streamingMode, modelNote, notes } = result;
  const place = backend.name === 'webgpu' ? `WebGPU on ${backend.adapter ?? 'no adapter'}` : `WASM, ${backend.threads} ${backend.threads === 1 ? 'thread' : 'threads'}`;
  const [next] = speakerCount.alternatives;
  return {
    audioSeconds: durationSeconds,
    numSpeakers: speakers.length,
    numTurns: turns.length,
    engine: [`${place} (${backend.reason})`, `preset ${preset}, ${streamingMode ?? speed}`, ...(modelNote === null ? [] : [modelNote])].join('; '),
    notes: [
      ...(next && next.score >= MENTIONED_SCORE ? [`possibly ${next.value} ${next.value === 1 ? 'speaker' : 'speakers'}`] : []),
      ...(speakerCount.unmet ? [unmetBounds(speakerCount)] : []),
      ...notes.map(({ text }) => text),
    ],
  };
}

function unmetBounds({ value, unmet }: DiarizationResult['speakerCount']): string {
  const { minSpeakers = null, maxSpeakers = null } = unmet ?? {};
  const asked = minSpeakers === maxSpeakers ? String(minSpeakers) : minSpeakers !== null ? `at least ${minSpeakers}` : `at most ${maxSpeakers}`;
  return `requested ${asked} speakers, found ${value}`;
}
