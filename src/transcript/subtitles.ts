import { linesOf, unreadable } from '../formats/lines';
import { ownValue } from '../util/values';
import type { TranscriptCue, TranscriptWord } from './transcript';

/** A time as text: seconds, with or without minutes and hours, and a point or a comma before the fraction. */
export const CLOCK = String.raw`(?:(?:\d+:)?\d{1,2}:)?\d+(?:[.,]\d+)?`;

/**
 * The seconds of a time as text, to the millisecond.
 *
 * @param time has the form of {@link CLOCK}
 */
export function secondsOfClock(time: string): number {
  const seconds = time.replace(',', '.').split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
  return Math.round(seconds * 1000) / 1000;
}

/** SubRip markup: the few HTML tags that players support, and screen positions such as `{\an8}`. */
const SRT_MARKS = /<\/?(?:b|i|u|s|c|v|font)(?:[.\s][^<>]*)?>|\{\\[^{}]*\}/gi;
/** Whisper's own writer does not escape `<` in text, so text that does not look like a tag is not a tag. */
const VTT_TAG = /(<\/?[a-z][^<>]*>|<\/?>|<[\d:.]+>)/i;
const VTT_TIME = /^<(?:(\d+):)?(\d\d):(\d\d\.\d{3})>$/;
const ENTITY = /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
  lrm: '\u200E',
  rlm: '\u200F',
};

/** The text of a SubRip cue without markup. A `<` that does not start a tag is kept, because it occurs in text. */
function plainText(written: string): string {
  return trimLines(written.replace(SRT_MARKS, ''));
}

/**
 * The text of a WebVTT cue without its tags, and its words if it contains timestamps: each word lasts from its timestamp to the
 * next one; text before the first timestamp starts with the cue.
 * Source: https://www.w3.org/TR/webvtt1/#cue-text-parsing-rules
 */
function timedText(
  written: string,
  startSeconds: number,
  endSeconds: number,
): { readonly text: string; readonly words: TranscriptWord[] } {
  const words: { startSeconds: number; endSeconds: number; text: string }[] = [];
  let word = { startSeconds, endSeconds, text: '' };
  let hasTimes = false;
  for (const [index, piece] of written.split(VTT_TAG).entries()) {
    const time = VTT_TIME.exec(piece);
    if (time) {
      const at = Number(time[1] ?? 0) * 3600 + Number(time[2]) * 60 + Number(time[3]);
      // According to the specification, timestamps that go backward or leave the cue are ignored.
      if (at < word.startSeconds || at > endSeconds) continue;
      hasTimes = true;
      word.endSeconds = at;
      words.push(word);
      word = { startSeconds: at, endSeconds, text: '' };
    } else if (index % 2 === 0) {
      word.text += withoutEntities(piece);
    }
  }
  words.push(word);
  const text = trimLines(words.map((part) => part.text).join(''));
  return { text, words: hasTimes ? withoutBlanks(words) : [] };
}

/** Attaches white space without text to the previous word. */
function withoutBlanks(words: readonly TranscriptWord[]): TranscriptWord[] {
  const kept: TranscriptWord[] = [];
  for (const word of words) {
    const last = kept.at(-1);
    if (word.text.trim() !== '') kept.push(word);
    else if (last) kept[kept.length - 1] = { ...last, text: last.text + word.text };
  }
  return kept;
}

function withoutEntities(text: string): string {
  return text.replace(ENTITY, (entity, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name !== undefined) return ownValue(ENTITIES, name) ?? entity;
    const code = decimal === undefined ? parseInt(hexadecimal!, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}

const EXPECTED = '00:00:01.000 --> 00:00:02.500';
const TIME = String.raw`((?:\d+:)?\d{1,2}:\d{1,2}(?:[.,]\d{1,3})?)`;
/** Hours are optional. Cue settings may follow the times. */
const TIMES = new RegExp(String.raw`^\s*${TIME}\s*-->\s*${TIME}(?:\s.*)?$`);
const ARROW = '-->';
/** WebVTT blocks that contain no cue. */
const NO_CUE = /^(?:NOTE|STYLE|REGION)(?:\s|$)/;

/** A timestamp inside the text of a WebVTT cue. */
const INNER_TIME = /<(?:\d+:)?\d\d:\d\d\.\d{3}>/;
/** Rolling captions have two or three lines. Comparing all lines of a long text would take too long. */
const MAX_REPEATED_LINES = 4;
/** Cues that are farther apart do not continue each other. */
const MAX_PAUSE_SECONDS = 0.05;

/** A line that is not blank, with its 1-based number. */
interface Line {
  readonly number: number;
  readonly text: string;
}

/** A cue before its text is parsed: its times and its lines of text, including tags. */
interface RawCue {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly lines: string[];
}

/**
 * The cues of a SubRip or WebVTT file as plain text, in file order. Timestamps inside a WebVTT cue
 * define its words.
 *
 * Also accepts irregularities that occur in files: cues without a blank line between them, blank lines in SubRip
 * text, points instead of commas, missing hours, and cues without length, which recognizers write for
 * short words and which other readers drop.
 *
 * @throws VoxlaneError `format`, with the line number, for unreadable times or an end before the start
 */
export function readSubtitles(fileName: string, text: string): TranscriptCue[] {
  const isVtt = /^WEBVTT(?:\s|$)/.test(text);
  const cues: RawCue[] = [];
  for (const block of blocksOf(text, isVtt)) {
    if (isVtt && NO_CUE.test(block[0]!.text)) continue;
    const before = cues.length;
    for (const [index, line] of block.entries()) {
      if (TIMES.test(line.text)) {
        const cue = cues.at(-1);
        const last = cue?.lines.at(-1)?.trim() ?? '';
        // The number of this cue was read as text of the previous cue: a blank line is missing, or there is one too many.
        const isNumber = cues.length > before ? /^\d+$/.test(last) : !isVtt && index === 0 && last === String(cues.length + 1);
        if (isNumber) cue?.lines.pop();
        cues.push(readTimes(line, fileName));
      } else if (cues.length === before && index < 2 && line.text.includes(ARROW)) {
        throw badTimes(line, `of "${fileName}" has times that cannot be read`);
      } else if (cues.length > before) {
        cues.at(-1)!.lines.push(line.text);
      }
    }
    // SubRip allows blank lines in text: a block without times continues the previous cue.
    if (!isVtt && cues.length === before) for (const line of block) cues.at(-1)?.lines.push(line.text);
  }
  const shown = isVtt && INNER_TIME.test(text) ? withoutRepeats(cues) : cues;
  return shown.map(({ startSeconds, endSeconds, lines }) => {
    const written = lines.join('\n');
    const content = isVtt ? timedText(written, startSeconds, endSeconds) : { text: plainText(written), words: [] };
    return { startSeconds, endSeconds, ...content };
  });
}

/**
 * YouTube's automatic captions have two lines: the previous one, repeated, and the current one, with word timestamps.
 * Cues of 10 ms between them contain nothing new. Removes lines that repeat the previous cue.
 */
function withoutRepeats(cues: readonly RawCue[]): RawCue[] {
  let before: { readonly endSeconds: number; readonly lines: readonly string[] } = { endSeconds: -Infinity, lines: [] };
  const kept: RawCue[] = [];
  for (const cue of cues) {
    const lines = cue.lines.filter((line) => line.trim() !== '');
    const plain = lines.map((line) => timedText(line, 0, 0).text);
    let repeated = cue.startSeconds <= before.endSeconds + MAX_PAUSE_SECONDS ? Math.min(lines.length, before.lines.length, MAX_REPEATED_LINES) : 0;
    while (repeated > 0 && !isRepeat(lines.slice(0, repeated), plain, before.lines.slice(-repeated))) repeated--;
    if (repeated === 0 || repeated < lines.length) kept.push({ ...cue, lines: lines.slice(repeated) });
    before = { endSeconds: cue.endSeconds, lines: plain };
  }
  return kept;
}

const isRepeat = (lines: readonly string[], plain: readonly string[], before: readonly string[]): boolean =>
  lines.every((line, index) => plain[index] === before[index] && !INNER_TIME.test(line));

/** Splits a text into blocks separated by blank lines. In a WebVTT cue, a line of white space does not count as blank. */
function blocksOf(text: string, isVtt: boolean): Line[][] {
  const blocks: Line[][] = [];
  let block: Line[] = [];
  const lines = linesOf(text);
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== '') {
      block.push({ number: index + 1, text: line });
    } else if (isVtt && line !== '' && !lines.slice(index + 1, index + 3).some(startsBlock)) {
      continue;
    } else if (block.length > 0) {
      blocks.push(block);
      block = [];
    }
  }
  return block.length > 0 ? [...blocks, block] : blocks;
}

/** Some programs separate cues with lines of spaces. */
const startsBlock = (line: string): boolean => TIMES.test(line) || NO_CUE.test(line);

function readTimes(line: Line, fileName: string): RawCue {
  const [, start = '', end = ''] = TIMES.exec(line.text)!;
  const startSeconds = secondsOfClock(start);
  const endSeconds = secondsOfClock(end);
  if (endSeconds < startSeconds) throw badTimes(line, `of "${fileName}" ends before it starts`);
  return { startSeconds, endSeconds, lines: [] };
}

function badTimes({ number, text }: Line, found: string): Error {
  return unreadable({ line: number, text, fields: [text] }, found, EXPECTED);
}
