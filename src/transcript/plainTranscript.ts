import { linesOf } from '../formats/lines';
import { CLOCK, secondsOfClock } from './clock';
import type { TranscriptCue } from './transcript';

/**
 * What recognizers print: `[00:00.000 --> 00:02.000] text` (Whisper, whisper.cpp), `[0.00s -> 2.00s] text` (the example
 * code of faster-whisper), `Transcript: [0.5 --> 2.1] text` (whisperX).
 */
const PRINTED = new RegExp(String.raw`^\s*(?:Transcript:\s*)?\[\s*(${CLOCK})s?\s*--?>\s*(${CLOCK})s?\s*\](.*)$`);
/** An arrow between times. ffmpeg, which recognizers call, prints arrows between other things. */
const TIMES = /\ds?\s*--?>\s*\d/;
/** Progress and warnings, which they print between cues. */
const LOG = /^\s*\d+%\||^\w+: |warn/i;
/** The colors of a terminal. */
// eslint-disable-next-line no-control-regex
const COLORS = /\x1b\[[\d;]*m/g;
/** The first line of Whisper's `.tsv` files. Their times are milliseconds. */
const TSV_HEADER = /^start\tend\ttext\s*$/;
const TSV_ROW = /^(\d+)\t(\d+)\t(.*)$/;

/**
 * Reads the cues that a recognizer printed on a console. Lines before the first cue, lines after the last one, progress and
 * warnings are skipped. Any other line continues the cue before it.
 *
 * @returns null if the first times are not in brackets
 */
export function readPrinted(text: string): TranscriptCue[] | null {
  const lines = linesOf(text.replace(COLORS, ''));
  // The first times of subtitles are alone on their line, but a later text may have times in brackets.
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

/** The cues of a `.tsv` file of Whisper; null if the text has another form. Rows of another form are skipped. */
export function readTsv(text: string): TranscriptCue[] | null {
  const [header = '', ...rows] = linesOf(text);
  if (!TSV_HEADER.test(header)) return null;
  return rows.flatMap((row): TranscriptCue[] => {
    const [, start, end, said] = TSV_ROW.exec(row) ?? [];
    if (start === undefined || end === undefined || said === undefined) return [];
    const startSeconds = Number(start) / 1000;
    return [{ startSeconds, endSeconds: Math.max(startSeconds, Number(end) / 1000), text: said.trim(), words: [] }];
  });
}
