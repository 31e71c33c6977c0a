/**
 * Programs of the Whisper family write the same content as JSON in many forms. `formsOf` converts them to one form: `segments` and
 * `words`, or whisper.cpp's `transcription`. `readWhisperJson` validates that form and reads it.
 */
import * as v from 'valibot';
import { checkJson, hasKey, parseJson } from '../formats/checkedJson';
import { VoxlaneError } from '../util/errors';
import { CLOCK, secondsOfClock } from './subtitles';
import type { TranscriptCue } from './transcript';
import { cuesOfWords, fitWords, type LooseWord, shareOut, UNSPACED, withTimes } from './words';

/** Keys in which services wrap the recognizer's JSON. */
const WRAPPERS = ['result', 'output', 'transcript'] as const;
/** Keys of the recognizer's JSON. */
const OWN_KEYS = ['segments', 'word_segments', 'words', 'chunks', 'transcription'] as const;
/** Marks such as `<|en|>` and `<|0.00|>`, which WhisperKit leaves in the text. */
const MARKS = /<\|[^|<>]*\|>/g;
/** Maximum length of a chunk that counts as a word. Longer chunks without spaces are Chinese or Japanese sentences. */
const MAX_WORD_CHARACTERS = 30;
const MAX_UNSPACED_CHARACTERS = 6;

interface Form {
  readonly segments?: unknown;
  readonly words?: unknown;
  readonly word_segments?: unknown;
  readonly transcription?: unknown;
}

/** @returns the content in the form of openai-whisper or whisper.cpp, one entry per recording */
function formsOf(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) {
    // Pipelines write a list if they processed several recordings.
    if (content.length > 0 && content.every((one) => isTranscriptObject(one))) return content.flatMap((one) => formsOf(one));
    return [formOfList(content)];
  }
  if (typeof content !== 'object' || content === null || OWN_KEYS.some((key) => hasKey(content, key))) return [formOf(content)];
  const wrapper = WRAPPERS.find((key) => hasKey(content, key) && typeof (content as Form & Record<typeof key, unknown>)[key] === 'object');
  return wrapper === undefined ? [content] : formsOf((content as Record<typeof wrapper, unknown>)[wrapper]);
}

/** Segments also have `words`, so that key does not indicate a transcript. */
const isTranscriptObject = (one: unknown): boolean =>
  !Array.isArray(one) && OWN_KEYS.some((key) => key !== 'words' && hasKey(one, key));

function formOf(content: unknown): unknown {
  if (hasKey(content, 'transcription')) {
    const { transcription } = content as Form;
    // Some services write the plain text under this key, beside `segments`.
    if (Array.isArray(transcription)) return isRows(transcription) ? formOfList(transcription) : content;
  }
  if (hasKey(content, 'chunks')) return formOfChunks((content as { chunks: unknown }).chunks);
  const { segments } = content as Form;
  return Array.isArray(segments) ? { ...(content as Form), segments: segments.map(segmentOf) } : content;
}

/** Converts a list without an enclosing object: segments, rows or words. */
function formOfList(list: readonly unknown[]): Form {
  if (list.every((one) => hasKey(one, 'timestamp'))) return formOfChunks(list);
  const isWords = list.length > 0 && list.every((one) => hasKey(one, 'word') && !hasKey(one, 'text'));
  return isWords ? { words: list } : { segments: list.map(segmentOf) };
}

/**
 * Converts chunks of the transformers pipelines. `timestamp` is a pair whose end is null if the speech lasts until the end of the
 * recording. Chunks are words or segments; only their texts indicate which.
 */
function formOfChunks(chunks: unknown): Form {
  if (!Array.isArray(chunks)) return { segments: chunks };
  const segments = chunks.map(segmentOf);
  if (segments.length === 0 || !segments.every(isWord)) return { segments };
  return { words: (segments as { start: unknown; end: unknown; text: string }[]).map(({ start, end, text }) => ({ word: text, start, end })) };
}

function isWord(segment: unknown): boolean {
  const text = hasKey(segment, 'text') ? (segment as { text: unknown }).text : null;
  if (typeof text !== 'string') return false;
  const bare = text.trim();
  return !/\s/.test(bare) && bare.length <= (UNSPACED.test(bare) ? MAX_UNSPACED_CHARACTERS : MAX_WORD_CHARACTERS);
}

const isRows = (list: readonly unknown[]): list is readonly (readonly unknown[])[] => list.length > 0 && list.every((one) => Array.isArray(one));

/** Converts one segment to an object with `start`, `end`, `text` and `words`. */
function segmentOf(one: unknown): unknown {
  if (Array.isArray(one)) return segmentOfRow(one);
  if (typeof one !== 'object' || one === null) return one;
  const { timestamp, speech, text, words, ...others } = one as Record<'timestamp' | 'speech' | 'text' | 'words', unknown>;
  const times = Array.isArray(timestamp) ? { start: timestamp[0] as unknown, end: timestamp[1] as unknown } : {};
  // whisper-node writes `speech`.
  const said = text ?? speech;
  return { ...others, ...times, text: typeof said === 'string' ? withoutMarks(said) : said, words: wordsOf(words) };
}

/** The text without marks such as `<|en|>`. */
const withoutMarks = (text: string): string => text.replace(MARKS, '');

/** In older versions of faster-whisper, words are named tuples, which become rows: start, end, text, probability. */
const wordsOf = (words: unknown): unknown =>
  Array.isArray(words) && isRows(words) ? words.map(([start, end, word]: readonly unknown[]) => ({ start, end, word })) : words;

/**
 * In older versions of faster-whisper, segments are named tuples too: id, seek, start, end, text, tokens, three to
 * five numbers, words. The Node add-on of whisper.cpp writes rows of start, end and text.
 */
function segmentOfRow(row: readonly unknown[]): unknown {
  if (typeof row[4] !== 'string') return { start: row[0], end: row[1], text: row[2] };
  const words = row.slice(5).findLast((part) => Array.isArray(part) && isRows(part));
  return { start: row[2], end: row[3], text: row[4], words: wordsOf(words) };
}

const ms = v.pipe(v.number(), v.finite());
const offsets = v.object({ from: ms, to: ms });

/** Output of `whisper-cli -oj`; with `-ojf`, segments have tokens. */
const whisperCppSchema = v.object({
  transcription: v.array(
    v.object({
      offsets,
      text: v.string(),
      tokens: v.optional(v.array(v.object({ text: v.string(), offsets: v.optional(offsets) })), []),
    }),
  ),
});

/** Marks such as `[_BEG_]`, `[_TT_550]` and `<|en|>`, which are not text. */
const MARK = /^(?:\[_.*\]|<\|.*\|>)$/;

/** The cues of a whisper.cpp file, whose times are in milliseconds, in file order. */
function cuesOfWhisperCpp({ transcription }: v.InferOutput<typeof whisperCppSchema>): TranscriptCue[] {
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
 * Joins tokens into words: a token that starts with a space starts a word. Without spaces, as in Chinese, each token
 * is a word.
 *
 * @param hasSpaces whether any token of the file starts with a space; one word is not enough to decide
 */
function wordsOfTokens(tokens: readonly Token[], hasSpaces: boolean): LooseWord[] {
  const words: LooseWord[] = [];
  for (const token of tokens) {
    const { text, offsets: times } = token;
    const word = words.at(-1);
    // A foreign word in a Chinese file starts with a space, which says nothing about the other tokens.
    if (word && hasSpaces && !startsWithSpace(token) && !UNSPACED.test(text)) {
      const endSeconds = times ? times.to / 1000 : word.endSeconds;
      words[words.length - 1] = { ...word, text: word.text + text, endSeconds };
    } else {
      words.push({ text, startSeconds: times ? times.from / 1000 : null, endSeconds: times ? times.to / 1000 : null });
    }
  }
  return words;
}

/** Some programs write times as strings: `2.500`, `00:00:02.500`. */
const seconds = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(new RegExp(`^${CLOCK}$`)), v.transform(secondsOfClock))], 'expected a time, such as 2.5 or "00:00:02.500"'),
  v.finite(),
);
/** whisperX omits the times of words that its alignment does not support, such as numbers. */
const times = { start: v.optional(v.nullable(seconds)), end: v.optional(v.nullable(seconds)) };
const wordsSchema = v.optional(v.nullable(v.array(v.object({ word: v.string(), ...times }))));
/**
 * whisper-timestamped uses `text` instead of `word`. Accepted only inside segments: services that list words with `text` at the
 * top level use milliseconds.
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
  /** Null in OpenAI's service if only words were requested. */
  segments: v.nullish(
    // A missing time is null: the last end of transformers, Python's NaN.
    v.array(v.object({ start: v.nullable(seconds), end: v.nullable(seconds), text: v.string(), words: ownWordsSchema })),
  ),
  /** whisperX: all words, repeated. */
  word_segments: wordsSchema,
  /** OpenAI's service: all words; its segments contain none. */
  words: wordsSchema,
});

const EXPECTED = '"segments" with start, end and text, "chunks" with timestamps, "word_segments", or "transcription" of whisper.cpp';

/**
 * The cues of a recognizer's JSON, in file order:
 * openai-whisper, faster-whisper, stable-ts and whisper-timestamped (`segments[].words[]`), OpenAI's service (`segments[]`, `words[]`),
 * whisperX (`segments[].words[]`, or only `word_segments[]`, which is split at sentence ends and pauses),
 * the transformers pipelines (`chunks[]`), and whisper.cpp (`transcription[]` with `offsets`, and `tokens` with `-ojf`).
 * `formsOf` converts the other forms.
 *
 * Words without times share the gap between their neighbors. If an end is before its start, as some recognizers write,
 * the start is used. A segment without an end lasts until the next one; without a next one, it has no length. Words that
 * do not match the text of their segment are omitted, and the segment keeps its text.
 *
 * @throws VoxlaneError `format`, with the path of the invalid value in the file, or if it contains several transcripts
 */
export function readWhisperJson(fileName: string, text: string): TranscriptCue[] {
  const [content, ...others] = formsOf(parseJson(fileName, text, EXPECTED));
  if (others.length > 0) {
    throw new VoxlaneError({
      code: 'format',
      problem: `"${fileName}" contains the transcripts of ${others.length + 1} recordings`,
      expected: 'a single transcript',
      remedy: 'Save the transcript of each recording in a separate file',
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

/** Fills in missing times. A segment without a start starts at the end of the previous one. */
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
