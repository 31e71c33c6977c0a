import * as v from 'valibot';
import { checkJson, hasKey, parseJson } from '../formats/checkedJson';
import type { TranscriptCue } from './transcript';
import { cuesOfWhisperCpp, whisperCppSchema } from './whisperCpp';
import { cuesOfWords, fitWords, shareOut, withTimes, type LooseWord } from './words';

const seconds = v.pipe(v.number(), v.finite());
/** whisperX leaves the times out of words that its alignment does not know, such as numbers. */
const times = { start: v.optional(v.nullable(seconds)), end: v.optional(v.nullable(seconds)) };
const wordsSchema = v.optional(v.nullable(v.array(v.object({ word: v.string(), ...times }))));
/**
 * whisper-timestamped has `text` for `word`. Only within segments: services that list words with `text` alone count
 * milliseconds.
 */
const ownWordsSchema = v.optional(
  v.nullable(
    v.array(
      v.pipe(
        v.object({ word: v.optional(v.string()), text: v.optional(v.string()), ...times }),
        v.check(({ word, text }) => (word ?? text) !== undefined, 'it has neither "word" nor "text"'),
        v.transform(({ word, text, ...others }) => ({ word: word ?? text!, ...others })),
      ),
    ),
  ),
);
const whisperSchema = v.object({
  segments: v.optional(
    v.array(v.object({ start: seconds, end: seconds, text: v.string(), words: ownWordsSchema })),
    [],
  ),
  /** whisperX: all words again. */
  word_segments: wordsSchema,
  /** OpenAI's service: the words, of which its segments have none. */
  words: wordsSchema,
});

const EXPECTED = '"segments" with start, end and text, "word_segments", or "transcription" of whisper.cpp';

/**
 * The cues of a recogniser's JSON, in its order:
 * openai-whisper, faster-whisper and whisper-timestamped (`segments[].words[]`), OpenAI's service (`segments[]`, `words[]`), whisperX
 * (`segments[].words[]`, or `word_segments[]` alone, which are cut at the ends of sentences and at pauses) and
 * whisper.cpp (`transcription[]` with `offsets`, and `tokens` where it was asked for them).
 *
 * Words without times share the gap between their neighbours. An end before its start, which recognisers give now and
 * then, counts as the start. Words that do not make up the text of their segment are left out, and the segment keeps
 * its text.
 *
 * @throws VoxlaneError `format`, with the path in the file of what is wrong
 */
export function readWhisperJson(fileName: string, text: string): TranscriptCue[] {
  const content = parseJson(fileName, text, EXPECTED);
  if (hasKey(content, 'transcription')) {
    return cuesOfWhisperCpp(checkJson(fileName, content, whisperCppSchema, EXPECTED));
  }
  const read = checkJson(fileName, content, whisperSchema, EXPECTED);
  const { segments } = read;
  const apart = (read.word_segments ?? read.words ?? []).map(loose);
  if (segments.length === 0) return cuesOfWords(apart);
  const own = segments.map(({ words }) => (words ?? []).map(loose));
  const shares = own.some((words) => words.length > 0)
    ? own
    : shareOut(
        apart,
        segments.map((segment) => ({ text: segment.text, startSeconds: segment.start, endSeconds: segment.end })),
      );
  return segments.map(({ start, end, text: said }, index) => {
    const endSeconds = Math.max(start, end);
    const words = fitWords(said, shares[index]!) ?? [];
    return { startSeconds: start, endSeconds, text: said.trim(), words: withTimes(words, start, endSeconds) };
  });
}

type Word = NonNullable<v.InferOutput<typeof wordsSchema>>[number];

function loose({ word, start, end }: Word): LooseWord {
  return { text: word, startSeconds: start ?? null, endSeconds: end ?? null };
}
