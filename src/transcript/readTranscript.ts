import { looksLikeJson } from '../formats/checkedJson';
import { linesOf } from '../formats/lines';
import { VoxlaneError } from '../util/errors';
import { CLOCK, readSubtitles, secondsOfClock } from './subtitles';
import type { Transcript, TranscriptCue } from './transcript';
import { readWhisperJson } from './whisperJson';

/**
 * Console output of recognizers: `[00:00.000 --> 00:02.000] text` (Whisper, whisper.cpp), `[0.00s -> 2.00s] text` (the example
 * code of faster-whisper), `Transcript: [0.5 --> 2.1] text` (whisperX).
 */
const PRINTED = new RegExp(String.raw`^\s*(?:Transcript:\s*)?\[\s*(${CLOCK})s?\s*--?>\s*(${CLOCK})s?\s*\](.*)$`);
/** An arrow between times. ffmpeg, which recognizers call, prints other arrows. */
const TIMES = /\ds?\s*--?>\s*\d/;
/** Progress and warnings, which recognizers print between cues. */
const LOG = /^\s*\d+%\||^\w+: |warn/i;
/** Terminal color codes. */
// eslint-disable-next-line no-control-regex
const COLORS = /\x1b\[[\d;]*m/g;
/** The first line of Whisper's `.tsv` files. Their times are milliseconds. */
const TSV_HEADER = /^start\tend\ttext\s*$/;
const TSV_ROW = /^(\d+)\t(\d+)\t(.*)$/;

/**
 * Reads cues from the console output of a recognizer. Skips lines before the first cue and after the last one, progress, and
 * warnings. Any other line continues the previous cue.
 *
 * @returns null if the first times are not in brackets
 */
function readPrinted(text: string): TranscriptCue[] | null {
  const lines = linesOf(text.replace(COLORS, ''));
  // In subtitles, the first times are alone on their line, but later text may contain times in brackets.
  if (!PRINTED.test(lines.find((line) => TIMES.test(line)) ?? '')) return null;
  const last = lines.findLastIndex((line) => PRINTED.test(line));
  const cues: { startSeconds: number; endSeconds: number; text: string; words: [] }[] = [];
  for (const line of lines.slice(0, last + 1)) {
    const [, start, end, said] = PRINTED.exec(line) ?? [];
    const cue = cues.at(-1);
    if (start !== undefined && end !== undefined && said !== undefined) {
      const startSeconds = secondsOfClock(start);
      cues.push({ startSeconds, endSeconds: Math.max(startSeconds, secondsOfClock(end)), text: said.trim(), words: [] });
    } else if (cue && line.trim() !== '' && !LOG.test(line)) {
      cue.text = `${cue.text}\n${line.trim()}`;
    }
  }
  return cues;
}

/** The cues of a `.tsv` file of Whisper; null if the text has another format. Malformed rows are skipped. */
function readTsv(text: string): TranscriptCue[] | null {
  const [header = '', ...rows] = linesOf(text);
  if (!TSV_HEADER.test(header)) return null;
  return rows.flatMap((row): TranscriptCue[] => {
    const [, start, end, said] = TSV_ROW.exec(row) ?? [];
    if (start === undefined || end === undefined || said === undefined) return [];
    const startSeconds = Number(start) / 1000;
    return [{ startSeconds, endSeconds: Math.max(startSeconds, Number(end) / 1000), text: said.trim(), words: [] }];
  });
}

/**
 * Reads a transcript and detects its format: SubRip (`.srt`), WebVTT (`.vtt`), or the output of a recognizer of the Whisper
 * family: its JSON (openai-whisper, faster-whisper, whisper-timestamped, stable-ts, whisperX, whisper.cpp,
 * WhisperKit, the pipelines of transformers and transformers.js, insanely-fast-whisper, OpenAI's service), its `.tsv` file,
 * or its console output.
 *
 * Ignores speakers in the file: `assignSpeakers` assigns them. Omits cues without text.
 *
 * @param fileName stored with the transcript and used in errors
 * @throws VoxlaneError `format`, with the line or the path in the file, if the file has another format, cannot be read, or has no
 *   text
 */
export function readTranscript(fileName: string, text: string): Transcript {
  const content = text.replace(/^\uFEFF/, '');
  const cues = looksLikeJson(content) ? readWhisperJson(fileName, content) : readText(fileName, content);
  const withText = cues.filter((cue) => cue.text !== '').sort((a, b) => a.startSeconds - b.startSeconds);
  if (withText.length === 0) {
    throw new VoxlaneError({
      code: 'format',
      problem: `"${fileName}" contains no text with times`,
      expected: 'SRT, WebVTT, or the JSON or the console output of Whisper, whisper.cpp, faster-whisper or whisperX',
      remedy: 'Choose another file, or export this one again',
    });
  }
  return { file: fileName, cues: withText };
}

function readText(fileName: string, text: string): TranscriptCue[] {
  return readTsv(text) ?? readPrinted(text) ?? readSubtitles(fileName, text);
}
