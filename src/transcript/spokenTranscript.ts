import { type Caption, decimalSeconds, toMs, writeCsv, writeSrt, writeWebVtt } from '../formats/textExports';
import type { Turn } from '../timeline/turns';
import type { Transcript, TranscriptCue, TranscriptWord } from './transcript';

/** A word, and who said it. */
export interface SpokenWord extends TranscriptWord {
  /** As the turns call the speaker; null where nobody's turn is near. */
  readonly speaker: string | null;
}

/** A segment of text that one person says. */
export interface SpokenCue extends TranscriptCue {
  /** As the turns call the speaker; null where nobody's turn is near. */
  readonly speaker: string | null;
  readonly words: readonly SpokenWord[];
}

/** What was said, and who said it. */
export interface SpokenTranscript {
  /** Name of the file that the text came from. */
  readonly file: string;
  /** Sorted by start. */
  readonly cues: readonly SpokenCue[];
}

/** The transcript with other words for the speakers, such as their names in place of their ids; unknown ones stay. */
export function withNames(transcript: SpokenTranscript, names: ReadonlyMap<string, string>): SpokenTranscript {
  const named = (speaker: string | null) => (speaker === null ? null : (names.get(speaker) ?? speaker));
  return {
    ...transcript,
    cues: transcript.cues.map((cue) => ({
      ...cue,
      speaker: named(cue.speaker),
      words: cue.words.map((word) => ({ ...word, speaker: named(word.speaker) })),
    })),
  };
}

/** Finds turns by time: three hours have thousands of turns, and of words some ten times as many. */
export interface TurnIndex {
  /** The turns that share a moment with the segment, its ends included, by start and then end. */
  near(startSeconds: number, endSeconds: number): readonly Turn[];
}

/** @param turns in any order */
export function turnIndex(turns: readonly Turn[]): TurnIndex {
  const sorted = [...turns].sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
  /** The latest end of each turn and all before it: where it lies before a segment, none of them reaches into that. */
  const latestEnds: number[] = [];
  for (const { endSeconds } of sorted) latestEnds.push(Math.max(endSeconds, latestEnds.at(-1) ?? -Infinity));
  return {
    near(startSeconds, endSeconds) {
      const found: Turn[] = [];
      for (let i = countUntil(sorted, endSeconds) - 1; i >= 0 && latestEnds[i]! >= startSeconds; i--) {
        if (sorted[i]!.endSeconds >= startSeconds) found.push(sorted[i]!);
      }
      return found.reverse();
    },
  };
}

/** How many turns start at `seconds` or before. */
function countUntil(sorted: readonly Turn[], seconds: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.startSeconds <= seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Recognizers' times of words are some tenths of a second off; a turn that is farther away is of something else. */
const NEAREST_SECONDS = 0.5;

/**
 * Says who speaks each word and each cue.
 *
 * A word's speaker is the one whose turns share the most time with it; of equals, the one whose turn began first. Where
 * no turn shares time with it, it is the speaker of the nearest turn, if that is at most 0.5 s away, and else nobody.
 * A cue without words has its speaker by the same rule. A cue with words is split where the speaker changes; the parts
 * take their inner times from their words, and the last one ends with the cue, or with its words where these reach past
 * that. Words of nobody stay with the words before them. Where cues overlap, the parts of one can stand between those of
 * another.
 *
 * The rule for words is that of whisperX's `assign_word_speakers`, with these differences: that one takes the nearest
 * turn at any distance or not at all (`fill_nearest`), and never splits a segment, whose speaker it finds by the time of
 * the segment.
 *
 * @param turns in any order. Exclusive turns give each segment to one speaker; with overlapping ones the longer share decides
 */
export function assignSpeakers(transcript: Transcript, turns: readonly Turn[]): SpokenTranscript {
  const index = turnIndex(turns);
  const cues = transcript.cues.flatMap((cue) => spokenCues(cue, index));
  return { file: transcript.file, cues: cues.sort((a, b) => a.startSeconds - b.startSeconds) };
}

function spokenCues(cue: TranscriptCue, index: TurnIndex): SpokenCue[] {
  if (cue.words.length === 0) return [{ ...cue, words: [], speaker: speakerOf(cue, index) }];
  const parts = sameSpeaker(cue.words.map((word) => ({ ...word, speaker: speakerOf(word, index) })));
  return parts.map(({ speaker, words }, part) => {
    const isLast = part === parts.length - 1;
    const lastSeconds = words.at(-1)!.endSeconds;
    return {
      startSeconds: part === 0 ? cue.startSeconds : words[0]!.startSeconds,
      endSeconds: isLast ? Math.max(cue.endSeconds, lastSeconds) : lastSeconds,
      text: parts.length === 1 ? cue.text : joined(words),
      speaker,
      words,
    };
  });
}

/** Runs of words of one speaker. */
function sameSpeaker(words: readonly SpokenWord[]): { speaker: string | null; words: SpokenWord[] }[] {
  const parts: { speaker: string | null; words: SpokenWord[] }[] = [];
  for (const word of words) {
    const part = parts.at(-1);
    if (part && (word.speaker === null || part.speaker === null || word.speaker === part.speaker)) {
      part.words.push(word);
      part.speaker ??= word.speaker;
    } else {
      parts.push({ speaker: word.speaker, words: [word] });
    }
  }
  return parts;
}

function speakerOf(
  { startSeconds, endSeconds }: Pick<Turn, 'startSeconds' | 'endSeconds'>,
  index: TurnIndex,
): string | null {
  const shared = new Map<string, number>();
  let nearest: Turn | null = null;
  let distance = NEAREST_SECONDS;
  for (const turn of index.near(startSeconds - NEAREST_SECONDS, endSeconds + NEAREST_SECONDS)) {
    const overlap = Math.min(turn.endSeconds, endSeconds) - Math.max(turn.startSeconds, startSeconds);
    if (overlap > 0) shared.set(turn.speaker, (shared.get(turn.speaker) ?? 0) + overlap);
    // Below zero, the overlap is the gap between the two. A word without length shares no time with any turn.
    const gap = Math.max(0, -overlap);
    if (gap < distance || (gap === distance && nearest === null)) {
      nearest = turn;
      distance = gap;
    }
  }
  let speaker = nearest?.speaker ?? null;
  let most = 0;
  for (const [candidate, seconds] of shared) {
    if (seconds <= most) continue;
    speaker = candidate;
    most = seconds;
  }
  return speaker;
}

function joined(words: readonly SpokenWord[]): string {
  return words
    .map(({ text }) => text)
    .join('')
    .trim();
}

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
    // Recognizers give words without length; a caption that is never shown would lose them.
    return { startMs, endMs: Math.max(toMs(endSeconds), startMs + 1), speaker, text };
  });
}
