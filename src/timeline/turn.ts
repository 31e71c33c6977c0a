/** One uninterrupted stretch in which one speaker talks. Times are seconds from the start of the recording. */
export interface Turn {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; after `startSeconds`. */
  readonly endSeconds: number;
  /** Label of the speaker, such as `SPEAKER_00`. */
  readonly speaker: string;
  /**
   * How sure the speaker is, 0 to 1; null where no embedding tells. What it means depends on the preset; absent of turns
   * that were read from a file.
   */
  readonly confidence?: number | null;
}
