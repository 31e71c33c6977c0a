import { unreadable } from '../formats/lines';
import { plainText, timedText } from './cueText';
import type { TranscriptCue } from './transcript';

const EXPECTED = '00:00:01.000 --> 00:00:02.500';
const TIME = String.raw`(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?`;
/** Hours may be missing. What follows the times is for the place on the screen. */
const TIMES = new RegExp(String.raw`^\s*${TIME}\s*-->\s*${TIME}(?:\s.*)?$`);
const ARROW = '-->';
/** Blocks of WebVTT that hold no cue. */
const NO_CUE = /^(?:NOTE|STYLE|REGION)(?:\s|$)/;

/** A line that is not blank, with its number for people. */
interface Line {
  readonly number: number;
  readonly text: string;
}

/** A cue as it is read: its times and the lines of its text, tags and all. */
interface RawCue {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly lines: string[];
}

/**
 * The cues of a SubRip or WebVTT file, in its order, as plain text. Where WebVTT has times inside of a cue, these make
 * its words.
 *
 * Taken as well, because files have it: cues that follow each other without a blank line, blank lines inside of the
 * text of SubRip, points in place of commas, hours left out, and cues without length, which recognisers write for
 * short words and which other readers drop.
 *
 * @throws VoxlaneError `format`, with the line's number, for times that cannot be read or that end before they start
 */
export function readSubtitles(fileName: string, text: string): TranscriptCue[] {
  const isVtt = /^WEBVTT(?:\s|$)/.test(text);
  const cues: RawCue[] = [];
  for (const block of blocksOf(text)) {
    if (isVtt && NO_CUE.test(block[0]!.text)) continue;
    const before = cues.length;
    for (const [index, line] of block.entries()) {
      if (TIMES.test(line.text)) {
        const cue = cues.at(-1);
        // The number of a cue that follows without a blank line was taken for text of the one before.
        if (cues.length > before && cue && /^\d+$/.test(cue.lines.at(-1) ?? '')) cue.lines.pop();
        cues.push(readTimes(line, fileName));
      } else if (cues.length === before && index < 2 && line.text.includes(ARROW)) {
        throw badTimes(line, `of "${fileName}" has times that cannot be read`);
      } else if (cues.length > before) {
        cues.at(-1)!.lines.push(line.text);
      }
    }
    // SubRip has no rule against blank lines in a text: a block without times goes on with the cue before.
    if (!isVtt && cues.length === before) cues.at(-1)?.lines.push(...block.map((line) => line.text));
  }
  return cues.map(({ startSeconds, endSeconds, lines }) => {
    const written = lines.join('\n');
    const content = isVtt ? timedText(written, startSeconds, endSeconds) : { text: plainText(written), words: [] };
    return { startSeconds, endSeconds, ...content };
  });
}

/** What stands between blank lines. */
function blocksOf(text: string): Line[][] {
  const blocks: Line[][] = [];
  let block: Line[] = [];
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (line.trim() !== '') {
      block.push({ number: index + 1, text: line });
    } else if (block.length > 0) {
      blocks.push(block);
      block = [];
    }
  }
  return block.length > 0 ? [...blocks, block] : blocks;
}

function readTimes(line: Line, fileName: string): RawCue {
  const parts = TIMES.exec(line.text)!;
  const startSeconds = secondsOf(parts.slice(1, 5));
  const endSeconds = secondsOf(parts.slice(5, 9));
  if (endSeconds < startSeconds) throw badTimes(line, `of "${fileName}" ends before it starts`);
  return { startSeconds, endSeconds, lines: [] };
}

/** @param parts hours, which may be missing, minutes, seconds, and digits after the point, which may be missing */
function secondsOf([hours = '0', minutes = '0', seconds = '0', fraction = '0']: readonly (
  string | undefined
)[]): number {
  const whole = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return (whole * 1000 + Number(fraction.padEnd(3, '0'))) / 1000;
}

function badTimes({ number, text }: Line, found: string): Error {
  return unreadable({ line: number, text, fields: [text] }, found, EXPECTED);
}
