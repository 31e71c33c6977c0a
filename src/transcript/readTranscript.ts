import { VoxlaneError } from '../util/errors';
import { readSubtitles } from './subtitles';
import type { Transcript } from './transcript';
import { readWhisperJson } from './whisperJson';

/**
 * Reads a transcript, told by its content: SubRip (`.srt`), WebVTT (`.vtt`) or the JSON of a recogniser of Whisper's
 * family: openai-whisper, faster-whisper, whisper-timestamped, whisperX, whisper.cpp and OpenAI's service.
 *
 * What a file says of voices is not read: who speaks is found by `assignSpeakers`. Cues without text are left out.
 *
 * @param fileName kept with the transcript, and named in errors
 * @throws VoxlaneError `format`, with the line or the path in the file, where it is none of these, cannot be read, or
 *   has no text
 */
export function readTranscript(fileName: string, text: string): Transcript {
  const content = text.replace(/^\uFEFF/, '');
  const isJson = /^\s*[[{]/.test(content);
  const cues = isJson ? readWhisperJson(fileName, content) : readSubtitles(fileName, content);
  const withText = cues.filter((cue) => cue.text !== '').sort((a, b) => a.startSeconds - b.startSeconds);
  if (withText.length === 0) {
    throw new VoxlaneError({
      code: 'format',
      problem: `"${fileName}" holds no text with times`,
      expected: 'SRT, WebVTT, or the JSON of Whisper, whisper.cpp, faster-whisper or whisperX',
      remedy: 'Choose another file, or export this one again',
    });
  }
  return { file: fileName, cues: withText };
}
