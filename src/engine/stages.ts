/**
 * All stages, in the order of the data. Progress, timings and capture use these names.
 *
 * They follow pyannote.audio (`segmentation`, `speaker_counting`, `embeddings`, `discrete_diarization`), with the
 * spelling conventions of TypeScript. With `nemotron`, whose model does all stages, `segmentation` is the activity of the speakers
 * of the recording, and only `decode` comes before it.
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

/** Name of a stage in reports and timings. */
export type StageName = (typeof STAGES)[number];

/** A tensor with named axes, as passed to the hook. Row-major. */
export interface Artifact {
  /** Name of each axis, slowest first, such as `window`, `frame`, `speaker`. */
  readonly axes: readonly string[];
  /** Size of each axis, in the order of `axes`. */
  readonly shape: readonly number[];
  /** All values; the length is the product of `shape`. */
  readonly data: Float32Array | Uint8Array | Int32Array;
}

/**
 * One report of one stage. The artifact has exactly the values completed since the last report of the stage, in the
 * order of the recording. Concatenated along the first axis, the artifacts of a stage are its whole output.
 */
export interface StageEvent {
  /** The reporting stage. */
  readonly stage: StageName;
  /**
   * Output of the stage since its last report; null if there is none. `decode` and `fbank` have none: samples and
   * features stay in their workers. The receiver owns the values and may keep or change them.
   */
  readonly artifact: Artifact | null;
  /**
   * Completed units of the stage: seconds for `decode`, windows for the models (seconds for that of `nemotron`), otherwise 1
   * for the whole stage.
   */
  readonly completed: number;
  /** Total units of the stage; an estimate until decoding is complete. */
  readonly total: number;
  /** The source is a stream that has not ended: `total` covers only the part received so far. Absent otherwise. */
  readonly openEnded?: true;
}

/** Receives the reports of all stages, in order. */
export type StageHook = (event: StageEvent) => void;

/** Copies the values of an event: the run may still need the reported array. */
export function withOwnArtifact(event: StageEvent): StageEvent {
  const { artifact } = event;
  return artifact ? { ...event, artifact: { axes: [...artifact.axes], shape: [...artifact.shape], data: artifact.data.slice() } } : event;
}

