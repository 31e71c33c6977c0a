import type { TranscriptCue, TranscriptWord } from './transcript';

/** A word, and who said it. */
export interface SpokenWord extends TranscriptWord {
  /** As the turns call the speaker; null where nobody's turn is near. */
  readonly speaker: string | null;
}

/** A stretch of text that one person says. */
export interface SpokenCue extends TranscriptCue {
  /** As the turns call the speaker; null where nobody's turn is near. */
  readonly speaker: string | null;
  readonly words: readonly SpokenWord[];
}

/** What was said, and who said it. */
export interface SpokenTranscript {
  /** Name of the file that the text came from. */
  readonly file: string;
  /** Sorted by start. */
  readonly cues: readonly SpokenCue[];
}

/** The transcript with other words for the speakers, such as their names in place of their ids; unknown ones stay. */
export function withNames(transcript: SpokenTranscript, names: ReadonlyMap<string, string>): SpokenTranscript {
  const named = (speaker: string | null) => (speaker === null ? null : (names.get(speaker) ?? speaker));
  return {
    ...transcript,
    cues: transcript.cues.map((cue) => ({
      ...cue,
      speaker: named(cue.speaker),
      words: cue.words.map((word) => ({ ...word, speaker: named(word.speaker) })),
    })),
  };
}
