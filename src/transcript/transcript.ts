import { type DecodedText, decodeText } from '../util/decodeText';

/** A word with its times, from a recognizer. */
export interface TranscriptWord {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
  /** Includes adjacent white space and punctuation, as in the file. */
  readonly text: string;
}

/** A segment of text: one subtitle, or one segment of a recognizer. */
export interface TranscriptCue {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
  /** Text without markup. */
  readonly text: string;
  /** Sorted by start; empty if the file has no word times. Words of a recognizer can end after the cue. */
  readonly words: readonly TranscriptWord[];
}

/** A transcript without speakers. */
export interface Transcript {
  /** Name of the transcript file. */
  readonly file: string;
  /** Sorted by start. */
  readonly cues: readonly TranscriptCue[];
}

/**
 * Decodes a transcript file like `decodeText`, but also accepts JSON of whisper.cpp that is damaged only in tokens.
 *
 * With `-ojf`, whisper.cpp splits characters between tokens, mostly in Chinese and Japanese. The halves are not valid
 * UTF-8 and become U+FFFD. The texts of the segments contain the whole characters.
 * Source: https://github.com/ggml-org/whisper.cpp/issues/1798
 *
 * @param fileName used in errors
 * @throws VoxlaneError `format`, like `decodeText`
 */
export function decodeTranscript(bytes: Uint8Array, fileName: string): DecodedText {
  try {
    return decodeText(bytes, fileName);
  } catch (thrown) {
    const text = new TextDecoder().decode(bytes);
    if (hasWholeSegments(text)) return { text, encoding: 'utf-8' };
    throw thrown;
  }
}

/** Whether a text is JSON of whisper.cpp whose segments contain no U+FFFD. */
function hasWholeSegments(text: string): boolean {
  try {
    const content = JSON.parse(text) as { readonly transcription: readonly { readonly text: string }[] };
    return content.transcription.every((segment) => !segment.text.includes('\uFFFD'));
  } catch {
    return false;
  }
}
