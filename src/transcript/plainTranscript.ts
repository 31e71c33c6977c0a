import { linesOf } from '../formats/lines';
import type { TranscriptCue } from './transcript';

const TIME = String.raw`(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:[.,]\d+)?)s?`;
/**
 * What recognisers print: `[00:00.000 --> 00:02.000] text` of Whisper and whisper.cpp, `[0.00s -> 2.00s] text` as
 * faster-whisper's users have it, `Transcript: [0.5 --> 2.1] text` of whisperX.
 */
const PRINTED = new RegExp(String.raw`^\s*(?:Transcript:\s*)?\[\s*${TIME}\s*--?>\s*${TIME}\s*\](.*)$`);
/** Other lines that they print in between: progress and warnings. */
const LOG = /^\s*\d+%\||^\w+: |warn/i;
/** The colors of a terminal. */
// eslint-disable-next-line no-control-regex
const COLORS = /\x1b\[[\d;]*m/g;
/** The first line of Whisper's `.tsv` files, whose times are milliseconds. */
const TSV_HEADER = /^start\tend\ttext\s*$/;
const TSV_ROW = /^(\d+)\t(\d+)\t(.*)$/;

/**
 * The cues of what a recogniser printed on a console. Lines before the first cue and after the last one, and progress, are
 * not text; any other line continues the cue before.
 *
 * @returns null if the first times are not in brackets
 */
export function readPrinted(text: string): TranscriptCue[] | null {
  const lines = linesOf(text.replace(COLORS, ''));
  // In subtitles, the times stand alone. What their text has in brackets counts for nothing.
  if (!PRINTED.test(lines.find((line) => line.includes('->')) ?? '')) return null;
  const last = lines.findLastIndex((line) => PRINTED.test(line));
  const cues: { startSeconds: number; endSeconds: number; text: string; words: [] }[] = [];
  for (const line of lines.slice(0, last + 1)) {
    const parts = PRINTED.exec(line);
    const cue = cues.at(-1);
    if (parts) {
      const startSeconds = secondsOf(parts.slice(1, 4));
      cues.push({ startSeconds, endSeconds: Math.max(startSeconds, secondsOf(parts.slice(4, 7))), text: parts[7]!.trim(), words: [] });
    } else if (cue && line.trim() !== '' && !LOG.test(line)) {
      cue.text = `${cue.text}\n${line.trim()}`;
    }
  }
  return cues;
}

/** The cues of a `.tsv` file of Whisper; null if it is none. Rows that are none are left out. */
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

/** @param parts hours and minutes, which may be missing, and seconds */
function secondsOf([hours = '0', minutes = '0', seconds = '0']: readonly (string | undefined)[]): number {
  const ms = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds.replace(',', '.')) * 1000;
  return Math.round(ms) / 1000;
}
