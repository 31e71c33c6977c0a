/**
 * Programs of Whisper's family write the same content as JSON of many forms. This file converts them to one: `segments` and
 * `words`, or whisper.cpp's `transcription`. The reader checks their types afterwards.
 */
import { hasKey } from '../formats/checkedJson';
import { UNSPACED } from './words';

/** Keys under which services put the recognizer's own JSON. */
const WRAPPERS = ['result', 'output', 'transcript'] as const;
/** Keys of the recognizer's own JSON. */
const OWN_KEYS = ['segments', 'word_segments', 'words', 'chunks', 'transcription'] as const;
/** Marks such as `<|en|>` and `<|0.00|>`, which WhisperKit leaves in the text. */
const MARKS = /<\|[^|<>]*\|>/g;
/** Most characters of a chunk that counts as a word. Longer ones without a space are sentences of Chinese or Japanese. */
const MAX_WORD_CHARACTERS = 30;
const MAX_UNSPACED_CHARACTERS = 6;

interface Form {
  readonly segments?: unknown;
  readonly words?: unknown;
  readonly word_segments?: unknown;
  readonly transcription?: unknown;
}

/** @returns the content in the form of openai-whisper or whisper.cpp, once for each recording */
export function formsOf(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) {
    // Pipelines write a list if they had several recordings.
    if (content.length > 0 && content.every((one) => isTranscriptObject(one))) return content.flatMap((one) => formsOf(one));
    return [formOfList(content)];
  }
  if (typeof content !== 'object' || content === null || OWN_KEYS.some((key) => hasKey(content, key))) return [formOf(content)];
  const wrapper = WRAPPERS.find((key) => hasKey(content, key) && typeof (content as Form & Record<typeof key, unknown>)[key] === 'object');
  return wrapper === undefined ? [content] : formsOf((content as Record<typeof wrapper, unknown>)[wrapper]);
}

/** A segment has `words` too, so that key does not count. */
const isTranscriptObject = (one: unknown): boolean =>
  !Array.isArray(one) && OWN_KEYS.some((key) => key !== 'words' && hasKey(one, key));

function formOf(content: unknown): unknown {
  if (hasKey(content, 'transcription')) {
    const { transcription } = content as Form;
    // Some services write the plain text under this key, beside segments.
    if (Array.isArray(transcription)) return isRows(transcription) ? formOfList(transcription) : content;
  }
  if (hasKey(content, 'chunks')) return formOfChunks((content as { chunks: unknown }).chunks);
  const { segments } = content as Form;
  return Array.isArray(segments) ? { ...(content as Form), segments: segments.map(segmentOf) } : content;
}

/** A list without an object around it: segments, rows or words. */
function formOfList(list: readonly unknown[]): Form {
  if (list.every((one) => hasKey(one, 'timestamp'))) return formOfChunks(list);
  const isWords = list.length > 0 && list.every((one) => hasKey(one, 'word') && !hasKey(one, 'text'));
  return isWords ? { words: list } : { segments: list.map(segmentOf) };
}

/**
 * Chunks of the pipelines of transformers. `timestamp` is a pair; its end is null if the speech lasts until the end of the
 * recording. Chunks are words or segments; only their texts show which.
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
export const withoutMarks = (text: string): string => text.replace(MARKS, '');

/** Older versions of faster-whisper have words that are named tuples, which become rows: start, end, text, probability. */
const wordsOf = (words: unknown): unknown =>
  Array.isArray(words) && isRows(words) ? words.map(([start, end, word]: readonly unknown[]) => ({ start, end, word })) : words;

/**
 * Older versions of faster-whisper have segments that are named tuples too: id, seek, start, end, text, tokens, three to
 * five numbers, words. The Node add-on of whisper.cpp has rows of start, end and text.
 */
function segmentOfRow(row: readonly unknown[]): unknown {
  if (typeof row[4] !== 'string') return { start: row[0], end: row[1], text: row[2] };
  const words = row.slice(5).findLast((part) => Array.isArray(part) && isRows(part));
  return { start: row[2], end: row[3], text: row[4], words: wordsOf(words) };
}
