import type { Caption } from '../formats/captions';
import { writeCsv } from '../formats/csv';
import { decimalSeconds, toMs } from '../formats/milliseconds';
import { writeSrt } from '../formats/srt';
import { writeWebVtt } from '../formats/webVtt';
import type { SpokenTranscript } from './spoken';

/** As SubRip subtitles (`.srt`), each text after its speaker's name and a colon. */
export function toTranscriptSrt(transcript: SpokenTranscript): string {
  return writeSrt(captionsOf(transcript));
}

/** As WebVTT (`.vtt`), each cue in the voice of its speaker (`<v Name>`). */
export function toTranscriptVtt(transcript: SpokenTranscript): string {
  return writeWebVtt(captionsOf(transcript));
}

/** As a table (`.csv`, RFC 4180): start and end in seconds, speaker, which is empty where nobody is known, and text. */
export function toTranscriptCsv(transcript: SpokenTranscript): string {
  const rows = captionsOf(transcript).map(({ startMs, endMs, speaker, text }) => [
    decimalSeconds(startMs),
    decimalSeconds(endMs),
    speaker ?? '',
    text,
  ]);
  return writeCsv([['start', 'end', 'speaker', 'text'], ...rows]);
}

/**
 * As JSON in the layout of whisperX: `segments` with `start`, `end` (seconds, to the millisecond), `text`, `speaker` and
 * `words`, which have the same with `word` in place of `text`. `speaker` is absent where nobody is known.
 */
export function toTranscriptJson({ file, cues }: SpokenTranscript): string {
  const segments = cues.map(({ startSeconds, endSeconds, text, speaker, words }) => ({
    start: toMs(startSeconds) / 1000,
    end: toMs(endSeconds) / 1000,
    text,
    ...(speaker !== null && { speaker }),
    words: words.map((word) => ({
      word: word.text,
      start: toMs(word.startSeconds) / 1000,
      end: toMs(word.endSeconds) / 1000,
      ...(word.speaker !== null && { speaker: word.speaker }),
    })),
  }));
  return `${JSON.stringify({ file, segments }, null, 2)}\n`;
}

function captionsOf({ cues }: SpokenTranscript): Caption[] {
  return cues.map(({ startSeconds, endSeconds, speaker, text }) => {
    const startMs = toMs(startSeconds);
    // Recognisers give words without length; a caption that is never shown would lose them.
    return { startMs, endMs: Math.max(toMs(endSeconds), startMs + 1), speaker, text };
  });
}
