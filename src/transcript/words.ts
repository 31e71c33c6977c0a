import type { TranscriptCue, TranscriptWord } from './transcript';

/** A word as a recognizer's file has it. */
export interface LooseWord {
  readonly text: string;
  /** Null where the recognizer does not know. */
  readonly startSeconds: number | null;
  readonly endSeconds: number | null;
}

const WORD_CHARACTER = /[\p{L}\p{N}]/u;
/** A text that begins with a letter of a script without spaces between words. */
export const UNSPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** A pause that ends a cue where nothing in the file does. */
const PAUSE_SECONDS = 1;
const SENTENCE_END = /[.!?…。！？]["'”’»)]*\s*$/;
/** What ends a word: all up to a space, or up to a bracket or low quotation mark, which opens what follows. */
const CLOSING = /^[^\s\p{Ps}]*/u;
/** How far the times of words and of segments may disagree on where a segment starts. */
const SLACK_SECONDS = 0.5;

/**
 * The words with the white space and punctuation of the text that they make up: some recognizers give words bare. What
 * stands between two words belongs to the first up to a space, and from there to the second.
 *
 * @returns words whose texts, one after the other, are `text`; null where they do not make it up
 */
export function fitWords(text: string, words: readonly LooseWord[]): LooseWord[] | null {
  const fitted: LooseWord[] = [];
  let reached = 0;
  for (const word of words) {
    const bare = word.text.trim();
    if (bare === '') continue;
    const place = placeOfWord(text, bare, reached);
    if (place === null) return null;
    const before = fitted.pop();
    if (before) {
      const closing = CLOSING.exec(text.slice(reached, place.start))![0];
      fitted.push({ ...before, text: before.text + closing });
      reached += closing.length;
    }
    fitted.push({ ...word, text: text.slice(reached, place.end) });
    reached = place.end;
  }
  const rest = text.slice(reached);
  if (WORD_CHARACTER.test(rest)) return null;
  const last = fitted.pop();
  return last ? [...fitted, { ...last, text: last.text + rest }] : [];
}

/**
 * The words with times that run forward from the start of a segment. Words without share what lies between their
 * neighbors, or between these and the ends of the segment. A word that its own times put past the end stays there.
 */
export function withTimes(words: readonly LooseWord[], startSeconds: number, endSeconds: number): TranscriptWord[] {
  const timed: TranscriptWord[] = [];
  let reached = startSeconds;
  for (let i = 0; i < words.length;) {
    let next = i;
    while (next < words.length && words[next]!.startSeconds === null) next++;
    const until = Math.max(reached, words[next]?.startSeconds ?? endSeconds);
    const each = (until - reached) / (next - i);
    for (let k = i; k < next; k++) {
      const start = reached + (k - i) * each;
      timed.push({ text: words[k]!.text, startSeconds: start, endSeconds: start + each });
    }
    const known = words[next];
    if (known) {
      // Without an end, a word lasts until the next one that has a start.
      reached = Math.max(until, known.endSeconds ?? nextStart(words, next + 1) ?? endSeconds);
      timed.push({ text: known.text, startSeconds: until, endSeconds: reached });
    }
    i = next + 1;
  }
  return timed;
}

/** Words that come without segments as cues, which end with a sentence or at a pause of a second. */
export function cuesOfWords(words: readonly LooseWord[]): TranscriptCue[] {
  const starts = words.flatMap((word) => word.startSeconds ?? []);
  const ends = words.flatMap((word) => word.endSeconds ?? []);
  if (starts.length === 0) return [];
  const first = starts.reduce((a, b) => Math.min(a, b));
  const last = [...starts, ...ends].reduce((a, b) => Math.max(a, b));
  const areBare = words.every(({ text }) => text === text.trim());
  const cues: TranscriptWord[][] = [];
  for (const word of withTimes(words, first, last)) {
    const before = cues.at(-1)?.at(-1);
    const isNew = !before || SENTENCE_END.test(before.text) || word.startSeconds - before.endSeconds >= PAUSE_SECONDS;
    const spaced = areBare && !isNew && !UNSPACED.test(word.text) ? { ...word, text: ` ${word.text}` } : word;
    if (isNew) cues.push([spaced]);
    else cues.at(-1)!.push(spaced);
  }
  return cues.map((some) => ({
    startSeconds: some[0]!.startSeconds,
    endSeconds: some.at(-1)!.endSeconds,
    text: some
      .map(({ text }) => text)
      .join('')
      .trim(),
    words: some,
  }));
}

/** The first start that is known of the words from `index`; null where none is. */
function nextStart(words: readonly LooseWord[], index: number): number | null {
  for (let i = index; i < words.length; i++) {
    const { startSeconds } = words[i]!;
    if (startSeconds !== null) return startSeconds;
  }
  return null;
}

/**
 * Words that are listed apart: each segment takes, in order, those that make up its text. Words that begin more than
 * half a second before a segment are not of it; one that they do not make up takes none, and the next one looks on from
 * where its own time is.
 *
 * @param segments sorted by start
 * @returns the words of each segment
 */
export function shareOut(
  words: readonly LooseWord[],
  segments: readonly Pick<TranscriptCue, 'text' | 'startSeconds' | 'endSeconds'>[],
): LooseWord[][] {
  let next = 0;
  return segments.map(({ text, startSeconds, endSeconds }) => {
    next = firstSince(words, next, startSeconds - SLACK_SECONDS);
    // Around its start there may be the last words of a segment before it that took none.
    for (let from = next; from < words.length; from++) {
      const end = endOfShare(text, words, from);
      if (end !== null) {
        next = end;
        return words.slice(from, end);
      }
      if ((words[from]!.startSeconds ?? -Infinity) > startSeconds + SLACK_SECONDS) break;
    }
    next = firstSince(words, next, endSeconds - SLACK_SECONDS);
    return [];
  });
}

/** The first word from `index` on that does not begin before `seconds`, or those without times right before it. */
function firstSince(words: readonly LooseWord[], index: number, seconds: number): number {
  let first = index;
  for (let i = index; i < words.length; i++) {
    const { startSeconds } = words[i]!;
    if (startSeconds === null) continue;
    if (startSeconds >= seconds) break;
    first = i + 1;
  }
  return first;
}

/** Where the words from `from` on that make up a text end; null where they do not make it up. */
function endOfShare(text: string, words: readonly LooseWord[], from: number): number | null {
  let reached = 0;
  let index = from;
  for (; index < words.length; index++) {
    const place = placeOfWord(text, words[index]!.text.trim(), reached);
    if (place === null) break;
    reached = place.end;
  }
  return WORD_CHARACTER.test(text.slice(reached)) ? null : index;
}

/** Where a word is in a text that goes on with it from `reached`; null where another word comes first. */
function placeOfWord(text: string, bare: string, reached: number): { start: number; end: number } | null {
  const start = text.indexOf(bare, reached);
  // What is passed over may be punctuation, never a word.
  if (start < 0 || WORD_CHARACTER.test(text.slice(reached, start))) return null;
  return { start, end: start + bare.length };
}
