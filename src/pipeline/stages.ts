/**
 * The one list of stages, in the order of the data. Progress, timing and capture all speak of these names.
 *
 * pyannote.audio's names where it has one (`segmentation`, `speaker_counting`, `embeddings`,
 * `discrete_diarization`), in this language's spelling.
 */
export const STAGES = [
  'decode',
  'segmentation',
  'fbank',
  'embedding',
  'counting',
  'clustering',
  'reconstruction',
] as const;

export type StageName = (typeof STAGES)[number];

/** A tensor with named axes, as a stage hands it to the hook. Row-major. */
export interface Artifact {
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
}

/** One report of one stage. `artifact` covers what was completed since the last report of that stage. */
export interface StageEvent {
  readonly stage: StageName;
  readonly artifact: Artifact | null;
  readonly completed: number;
  readonly total: number;
}

export type StageHook = (event: StageEvent) => void;
