import { type DecodedText, decodeText } from '../util/decodeText';

/** One word with its time, as a recognizer gives it. */
export interface TranscriptWord {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
  /** With the white space and punctuation that belong to it, as the file had it. */
  readonly text: string;
}

/** A segment of text: one subtitle, or one segment of a recognizer. */
export interface TranscriptCue {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
  /** What is said, without marks of the file. */
  readonly text: string;
  /** Sorted by start; empty where the file has no times of words. Those of a recognizer can reach past the cue's end. */
  readonly words: readonly TranscriptWord[];
}

/** What was said, without who said it. */
export interface Transcript {
  /** Name of the file that it came from. */
  readonly file: string;
  /** Sorted by start. */
  readonly cues: readonly TranscriptCue[];
}

/**
 * Decodes the file of a transcript, like `decodeText`, and also the JSON of whisper.cpp if it is damaged only in tokens.
 *
 * With `-ojf`, whisper.cpp splits characters between tokens, above all those of Chinese and Japanese. The halves are not
 * UTF-8, and become U+FFFD. The texts of the segments have the whole characters.
 * Source: https://github.com/ggml-org/whisper.cpp/issues/1798
 *
 * @param fileName named in errors
 * @throws VoxlaneError `format`, as `decodeText`
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

/** Whether a text is the JSON of whisper.cpp, with segments that have no U+FFFD. */
function hasWholeSegments(text: string): boolean {
  try {
    const content = JSON.parse(text) as { readonly transcription: readonly { readonly text: string }[] };
    return content.transcription.every((segment) => !segment.text.includes('\uFFFD'));
  } catch {
    return false;
  }
}
