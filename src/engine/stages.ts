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

/** Name of a stage, as every report and every timing calls it. */
export type StageName = (typeof STAGES)[number];

/** A tensor with named axes, as a stage hands it to the hook. Row-major. */
export interface Artifact {
  /** Name of each axis, slowest first, such as `window`, `frame`, `speaker`. */
  readonly axes: readonly string[];
  /** Size of each axis, in the order of `axes`. */
  readonly shape: readonly number[];
  /** All values: as many as the sizes multiply to. */
  readonly data: Float32Array | Uint8Array | Int32Array;
}

/**
 * One report of one stage. The artifact covers exactly what was completed since the last report of that stage, in the order
 * of the recording, so that all artifacts of a stage, joined along their first axis, are its whole output.
 */
export interface StageEvent {
  /** The stage that reports. */
  readonly stage: StageName;
  /**
   * Output of the stage since its last report; null if there is none. `decode` and `fbank` have none: samples and features stay
   * in their workers. The receiver owns the values and may keep or change them.
   */
  readonly artifact: Artifact | null;
  /** Units of the stage that are done: seconds of `decode`, windows of the models, else 1 for the whole. */
  readonly completed: number;
  /** Units of the stage in all; an estimate until decoding has reached the end. */
  readonly total: number;
  /** The source is a stream that has not ended: `total` is what is known of it so far. Absent otherwise. */
  readonly openEnded?: true;
}

/** Receives every step of every stage, in the order of the work. */
export type StageHook = (event: StageEvent) => void;

/** Copies the values of an event, because the run may still need those that a stage reports. */
export function withOwnArtifact(event: StageEvent): StageEvent {
  const { artifact } = event;
  return artifact ? { ...event, artifact: { axes: [...artifact.axes], shape: [...artifact.shape], data: artifact.data.slice() } } : event;
}

