/** Messages between `corpus run` and its worker processes, as plain data. */
import type { DiarizeOptions, DiarizerOptions } from '../../src/index';
import type { ErrorParts } from '../../src/util/errors';
import type { FileStamp } from './inputHash';

/** Options of the diarizer of a worker. */
export type WorkerSettings = Pick<
  DiarizerOptions,
  'preset' | 'speed' | 'clustering' | 'backend' | 'trustGpu' | 'trustUnknownModel' | 'batchWindows' | 'threads'
> & {
  readonly hub?: string;
  /** Path of the embedding model. */
  readonly modelPath?: string;
};

/** Options of one file. */
export type FileOptions = Pick<
  DiarizeOptions,
  'speakers' | 'minSpeakers' | 'maxSpeakers' | 'minDurationOn' | 'minDurationOff' | 'streamingMode' | 'startSeconds' | 'durationSeconds' | 'track'
>;

export interface Job {
  /** Absolute path of the recording. */
  readonly path: string;
  readonly options: FileOptions;
}

export type Request =
  | { readonly kind: 'open'; readonly settings: WorkerSettings }
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'close' };

/** What a worker reports when its engine is ready. */
export interface WorkerInfo {
  readonly backend: 'wasm' | 'webgpu';
  /** The selected preset. */
  readonly preset: string;
}

/** Result of one file. */
export interface FileResult {
  /** SHA-256 of the file's bytes. */
  readonly inputSha256: string;
  readonly stamp: FileStamp | null;
  /** The JSON document that `toJson` writes. */
  readonly document: string;
  /** See `exactTurns` of a stored result. */
  readonly exactTurns: readonly (readonly [startSeconds: number, endSeconds: number, speaker: string])[];
  readonly numTurns: number;
  readonly numSpeakers: number;
  /** Length of the analyzed audio. */
  readonly audioSeconds: number;
  readonly backend: string;
  /** Whether the audio is silent; null if there are turns, or if its level cannot be read. */
  readonly isSilent: boolean | null;
}

export type Reply =
  | { readonly kind: 'ready'; readonly info: WorkerInfo }
  | { readonly kind: 'not-ready'; readonly error: ErrorParts }
  | { readonly kind: 'done'; readonly result: FileResult; readonly seconds: number; readonly residentBytes: number }
  | { readonly kind: 'failed'; readonly error: ErrorParts; readonly seconds: number; readonly residentBytes: number };
