import type { TranscriptCue, TranscriptWord } from './transcript';

/** A word as a recogniser's file has it. */
export interface LooseWord {
  readonly text: string;
  /** Null where the recogniser does not know. */
  readonly startSeconds: number | null;
  readonly endSeconds: number | null;
}

const WORD_CHARACTER = /[\p{L}\p{N}]/u;
/** A pause that ends a cue where nothing in the file does. */
const PAUSE_SECONDS = 1;
const SENTENCE_END = /[.!?…。！？]["'”’»)]*\s*$/;

/**
 * The words with the white space and punctuation of the text that they make up: some recognisers give words bare.
 *
 * @returns words whose texts, one after the other, are `text`; null where they do not make it up
 */
export function fitWords(text: string, words: readonly LooseWord[]): LooseWord[] | null {
  const fitted: LooseWord[] = [];
  let reached = 0;
  for (const word of words) {
    const bare = word.text.trim();
    if (bare === '') continue;
    const end = endOfWord(text, bare, reached);
    if (end === null) return null;
    fitted.push({ ...word, text: text.slice(reached, end) });
    reached = end;
  }
  const rest = text.slice(reached);
  if (WORD_CHARACTER.test(rest)) return null;
  const last = fitted.pop();
  return last ? [...fitted, { ...last, text: last.text + rest }] : [];
}

/**
 * The words with times that run forward within a stretch. Words without share what lies between their neighbours, or
 * between these and the ends of the stretch.
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
      const following = words.slice(next + 1).find((word) => word.startSeconds !== null)?.startSeconds ?? endSeconds;
      reached = Math.max(until, known.endSeconds ?? following);
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
    const spaced = areBare && !isNew ? { ...word, text: ` ${word.text}` } : word;
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

/** Words that are listed apart: each segment takes, in order, those that its text goes on with. */
export function shareOut(words: readonly LooseWord[], texts: readonly string[]): LooseWord[][] {
  let next = 0;
  return texts.map((text) => {
    const share: LooseWord[] = [];
    let reached = 0;
    for (; next < words.length; next++) {
      const end = endOfWord(text, words[next]!.text.trim(), reached);
      if (end === null) break;
      share.push(words[next]!);
      reached = end;
    }
    return share;
  });
}

/** Where a word ends in a text that goes on with it from `reached`; null where another word comes first. */
function endOfWord(text: string, bare: string, reached: number): number | null {
  const at = text.indexOf(bare, reached);
  // What is passed over may be punctuation, never a word.
  return at < 0 || WORD_CHARACTER.test(text.slice(reached, at)) ? null : at + bare.length;
}
