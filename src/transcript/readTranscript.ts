import { looksLikeJson } from '../formats/checkedJson';
import { VoxlaneError } from '../util/errors';
import { readPrinted, readTsv } from './plainTranscript';
import { readSubtitles } from './subtitles';
import type { Transcript, TranscriptCue } from './transcript';
import { readWhisperJson } from './whisperJson';

/**
 * Reads a transcript and detects its form: SubRip (`.srt`), WebVTT (`.vtt`), or the output of a recognizer of Whisper's
 * family. That is its JSON (openai-whisper, faster-whisper, whisper-timestamped, stable-ts, whisperX, whisper.cpp,
 * WhisperKit, the pipelines of transformers and transformers.js, insanely-fast-whisper, OpenAI's service), its `.tsv` file,
 * or its console output.
 *
 * Speakers in the file are ignored: `assignSpeakers` assigns them. Cues without text are left out.
 *
 * @param fileName kept with the transcript, and named in errors
 * @throws VoxlaneError `format`, with the line or the path in the file, if it is none of these, cannot be read, or has no
 *   text
 */
export function readTranscript(fileName: string, text: string): Transcript {
  const content = text.replace(/^\uFEFF/, '');
  const cues = looksLikeJson(content) ? readWhisperJson(fileName, content) : readText(fileName, content);
  const withText = cues.filter((cue) => cue.text !== '').sort((a, b) => a.startSeconds - b.startSeconds);
  if (withText.length === 0) {
    throw new VoxlaneError({
      code: 'format',
      problem: `"${fileName}" holds no text with times`,
      expected: 'SRT, WebVTT, or the JSON or the console output of Whisper, whisper.cpp, faster-whisper or whisperX',
      remedy: 'Choose another file, or export this one again',
    });
  }
  return { file: fileName, cues: withText };
}

function readText(fileName: string, text: string): TranscriptCue[] {
  return readTsv(text) ?? readPrinted(text) ?? readSubtitles(fileName, text);
}
