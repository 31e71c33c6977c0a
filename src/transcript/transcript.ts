/** One word with its time, as a recogniser gives it. */
export interface TranscriptWord {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** With the white space and punctuation that belong to it, as the file had it. */
  readonly text: string;
}

/** A stretch of text: one subtitle, or one segment of a recogniser. */
export interface TranscriptCue {
  readonly startSeconds: number;
  readonly endSeconds: number;
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
