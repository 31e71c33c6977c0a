/** One uninterrupted stretch in which one speaker talks. Times are seconds from the start of the recording. */
export interface Turn {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Label of the speaker, such as `SPEAKER_00`. */
  readonly speaker: string;
}
