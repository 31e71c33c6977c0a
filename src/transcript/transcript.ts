/** One word with its time, as a recogniser gives it. */
export interface TranscriptWord {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
  /** With the white space and punctuation that belong to it, as the file had it. */
  readonly text: string;
}

/** A stretch of text: one subtitle, or one segment of a recogniser. */
export interface TranscriptCue {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
  /** What is said, without marks of the file. */
  readonly text: string;
  /** Sorted by start; empty where the file has no times of words. Those of a recogniser can reach past the cue's end. */
  readonly words: readonly TranscriptWord[];
}

/** What was said, without who said it. */
export interface Transcript {
  /** Name of the file that it came from. */
  readonly file: string;
  /** Sorted by start. */
  readonly cues: readonly TranscriptCue[];
}
