import * as v from 'valibot';
import type { TranscriptCue } from './transcript';
import { fitWords, UNSPACED, withTimes, type LooseWord } from './words';

const ms = v.pipe(v.number(), v.finite());
const offsets = v.object({ from: ms, to: ms });

/** What `whisper-cli -oj` writes; with `-ojf` its segments have tokens. */
export const whisperCppSchema = v.object({
  transcription: v.array(
    v.object({
      offsets,
      text: v.string(),
      tokens: v.optional(v.array(v.object({ text: v.string(), offsets: v.optional(offsets) })), []),
    }),
  ),
});

/** Marks such as `[_BEG_]`, `[_TT_550]` and `<|en|>`, which are no text. */
const MARK = /^(?:\[_.*\]|<\|.*\|>)$/;

/** The cues of a file of whisper.cpp, whose times are milliseconds, in its order. */
export function cuesOfWhisperCpp({ transcription }: v.InferOutput<typeof whisperCppSchema>): TranscriptCue[] {
  const hasSpaces = transcription.some(({ tokens }) => tokens.some((token) => isText(token) && startsWithSpace(token)));
  return transcription.map(({ offsets: { from, to }, text, tokens }) => {
    const startSeconds = from / 1000;
    const endSeconds = Math.max(from, to) / 1000;
    const words = fitWords(text, wordsOfTokens(tokens.filter(isText), hasSpaces)) ?? [];
    return { startSeconds, endSeconds, text: text.trim(), words: withTimes(words, startSeconds, endSeconds) };
  });
}

type Token = v.InferOutput<typeof whisperCppSchema>['transcription'][number]['tokens'][number];

function isText({ text }: Token): boolean {
  return !MARK.test(text.trim());
}

function startsWithSpace({ text }: Token): boolean {
  return text.startsWith(' ');
}

/**
 * Tokens are parts of words: one that begins with a space begins a word. Without spaces, as in Chinese, each token
 * stands for itself.
 *
 * @param hasSpaces whether any token of the file begins with one: a segment of a single word cannot tell
 */
function wordsOfTokens(tokens: readonly Token[], hasSpaces: boolean): LooseWord[] {
  const words: LooseWord[] = [];
  for (const token of tokens) {
    const { text, offsets: times } = token;
    const word = words.at(-1);
    // A foreign word in a Chinese file brings a space, which says nothing of the rest.
    if (word && hasSpaces && !startsWithSpace(token) && !UNSPACED.test(text)) {
      const endSeconds = times ? times.to / 1000 : word.endSeconds;
      words[words.length - 1] = { ...word, text: word.text + text, endSeconds };
    } else {
      words.push({ text, startSeconds: times ? times.from / 1000 : null, endSeconds: times ? times.to / 1000 : null });
    }
  }
  return words;
}
