/** A segment of time of a recording. */
export interface Segment {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
}
