import { ownValue } from '../util/ownValue';
import type { TranscriptWord } from './transcript';

/** Marks of SubRip: the few tags of HTML that players know, and places on the screen such as `{\an8}`. */
const SRT_MARKS = /<\/?(?:b|i|u|s|c|v|font)(?:[.\s][^<>]*)?>|\{\\[^{}]*\}/gi;
/** Whisper's own writer does not escape the `<` of its text: what begins like no tag is none. */
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

/** The text of a SubRip cue without its marks. A `<` that begins no tag stays: people write it. */
export function plainText(written: string): string {
  return trimLines(written.replace(SRT_MARKS, ''));
}

/**
 * The text of a WebVTT cue without its tags, and its words where times stand between them: each from its time to the
 * next, and what comes before the first from the start of the cue.
 * Source: https://www.w3.org/TR/webvtt1/#cue-text-parsing-rules
 */
export function timedText(
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
      // As the rules have it, times that go back or leave the cue do not count.
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

/** White space alone is no word: it goes to the one before. */
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
