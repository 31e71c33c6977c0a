import type { TranscriptCue, TranscriptWord } from './transcript';

/** A word as in a recognizer's file. */
export interface LooseWord {
  readonly text: string;
  /** Null if unknown. */
  readonly startSeconds: number | null;
  readonly endSeconds: number | null;
}

const WORD_CHARACTER = /[\p{L}\p{N}]/u;
/** Matches text that starts with a letter of a script without spaces between words. */
export const UNSPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** A pause that ends a cue if the file contains no segments. */
const PAUSE_SECONDS = 1;
const SENTENCE_END = /[.!?…。！？]["'”’»)]*\s*$/;
/** Closing characters of a word: everything up to a space, or up to a bracket or low quotation mark, which opens the next word. */
const CLOSING = /^[^\s\p{Ps}]*/u;
/** Maximum difference between the times of words and segments at the start of a segment. */
const SLACK_SECONDS = 0.5;

/**
 * Adds white space and punctuation from `text` to words, because some recognizers write bare words. Characters
 * between two words belong to the first word up to a space, and to the second word after that.
 *
 * @returns words whose concatenated texts equal `text`; null if the words do not match it
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
 * Words with ascending times, starting at the start of a segment. Words without times share the gap between their
 * neighbors, or between these and the ends of the segment. A word whose own times are after the end keeps them.
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
      // Without an end, a word lasts until the next known start.
      reached = Math.max(until, known.endSeconds ?? nextStart(words, next + 1) ?? endSeconds);
      timed.push({ text: known.text, startSeconds: until, endSeconds: reached });
    }
    i = next + 1;
  }
  return timed;
}

/** Groups words without segments into cues, which end at sentence ends or at pauses of a second. */
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

/** The first known start, beginning with the word at `index`; null if there is none. */
function nextStart(words: readonly LooseWord[], index: number): number | null {
  for (let i = index; i < words.length; i++) {
    const { startSeconds } = words[i]!;
    if (startSeconds !== null) return startSeconds;
  }
  return null;
}

/**
 * Distributes separately listed words: each segment takes, in order, the words that match its text. Words that start more than
 * half a second before a segment do not belong to it. A segment that no words match takes none, and the search continues at
 * the time of the next segment.
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
    // Near the start, there may be the last words of an earlier segment that took none.
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

/** Index of the first word, starting at `index`, that starts at or after `seconds`, or of words without times just before it. */
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

/** The end of the words from index `from` that match a text; null if they do not match it. */
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

/** The position of a word in a text that continues at `reached`; null if another word comes first. */
function placeOfWord(text: string, bare: string, reached: number): { start: number; end: number } | null {
  const start = text.indexOf(bare, reached);
  // Punctuation may be skipped, but not words.
  if (start < 0 || WORD_CHARACTER.test(text.slice(reached, start))) return null;
  return { start, end: start + bare.length };
}
