import * as v from 'valibot';
import { checkJson, hasKey, parseJson } from '../formats/checkedJson';
import { VoxlaneError } from '../util/errors';
import type { TranscriptCue } from './transcript';
import { CLOCK, secondsOfClock } from './clock';
import { formsOf, withoutMarks } from './whisperForms';
import { cuesOfWhisperCpp, whisperCppSchema } from './whisperCpp';
import { cuesOfWords, fitWords, shareOut, withTimes, type LooseWord } from './words';

/** Some programs write times as text: `2.500`, `00:00:02.500`. */
const seconds = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(new RegExp(`^${CLOCK}$`)), v.transform(secondsOfClock))], 'expected a time, such as 2.5 or "00:00:02.500"'),
  v.finite(),
);
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
  /** Null in OpenAI's service if only words were asked for. */
  segments: v.nullish(
    // A missing time is null: the last end of transformers, Python's NaN.
    v.array(v.object({ start: v.nullable(seconds), end: v.nullable(seconds), text: v.string(), words: ownWordsSchema })),
  ),
  /** whisperX: all words again. */
  word_segments: wordsSchema,
  /** OpenAI's service: the words, of which its segments have none. */
  words: wordsSchema,
});

const EXPECTED = '"segments" with start, end and text, "chunks" with timestamps, "word_segments", or "transcription" of whisper.cpp';

/**
 * The cues of a recognizer's JSON, in its order:
 * openai-whisper, faster-whisper, stable-ts and whisper-timestamped (`segments[].words[]`), OpenAI's service (`segments[]`, `words[]`),
 * whisperX (`segments[].words[]`, or `word_segments[]` alone, which are cut at the ends of sentences and at pauses),
 * the pipelines of transformers (`chunks[]`) and whisper.cpp (`transcription[]` with `offsets`, and `tokens` with `-ojf`).
 * `formsOf` converts the other forms.
 *
 * Words without times share the gap between their neighbors. An end before its start, which recognizers sometimes write,
 * counts as the start. A segment without an end lasts until the next one; without a next one, it has no length. Words that
 * do not make up the text of their segment are left out, and the segment keeps its text.
 *
 * @throws VoxlaneError `format`, with the path in the file of what is wrong, or if it holds several transcripts
 */
export function readWhisperJson(fileName: string, text: string): TranscriptCue[] {
  const [content, ...others] = formsOf(parseJson(fileName, text, EXPECTED));
  if (others.length > 0) {
    throw new VoxlaneError({
      code: 'format',
      problem: `"${fileName}" holds the transcripts of ${others.length + 1} recordings`,
      expected: 'one',
      remedy: 'Save the transcript of each recording in its own file',
    });
  }
  if (hasKey(content, 'transcription') && Array.isArray((content as { transcription: unknown }).transcription)) {
    return cuesOfWhisperCpp(checkJson(fileName, content, whisperCppSchema, EXPECTED));
  }
  const read = checkJson(fileName, content, whisperSchema, EXPECTED);
  const segments = withEnds(read.segments ?? []);
  const apart = (read.word_segments ?? read.words ?? []).map(loose);
  if (segments.length === 0) return cuesOfWords(apart);
  const own = segments.map(({ words }) => (words ?? []).map(loose));
  const shares = own.some((words) => words.length > 0) ? own : shareOut(apart, segments);
  return segments.map(({ startSeconds, endSeconds, text: said }, index) => {
    const words = fitWords(said, shares[index]!) ?? [];
    return { startSeconds, endSeconds, text: said.trim(), words: withTimes(words, startSeconds, endSeconds) };
  });
}

type Segment = NonNullable<v.InferOutput<typeof whisperSchema>['segments']>[number];

/** A segment without a start begins where the one before it ends. */
function withEnds(segments: readonly Segment[]): { startSeconds: number; endSeconds: number; text: string; words: Segment['words'] }[] {
  let reached = 0;
  return segments.map(({ start, end, text, words }, index) => {
    const startSeconds = start ?? reached;
    reached = Math.max(startSeconds, end ?? segments[index + 1]?.start ?? startSeconds);
    return { startSeconds, endSeconds: reached, text, words };
  });
}

type Word = NonNullable<v.InferOutput<typeof wordsSchema>>[number];

function loose({ word, start, end }: Word): LooseWord {
  return { text: withoutMarks(word), startSeconds: start ?? null, endSeconds: end ?? null };
}
