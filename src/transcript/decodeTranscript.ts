import { decodeText, type DecodedText } from '../util/decodeText';

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
