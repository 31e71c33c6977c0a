import { type Caption, decimalSeconds, toMs, writeCsv, writeSrt, writeWebVtt } from '../formats/textExports';
import type { Turn } from '../timeline/turns';
import type { Transcript, TranscriptCue, TranscriptWord } from './transcript';

/** A word and its speaker. */
export interface SpokenWord extends TranscriptWord {
  /** Speaker as in the turns; null if no turn is near. */
  readonly speaker: string | null;
}

/** A segment of text spoken by one speaker. */
export interface SpokenCue extends TranscriptCue {
  /** Speaker as in the turns; null if no turn is near. */
  readonly speaker: string | null;
  readonly words: readonly SpokenWord[];
}

/** A transcript with speakers. */
export interface SpokenTranscript {
  /** Name of the transcript file. */
  readonly file: string;
  /** Sorted by start. */
  readonly cues: readonly SpokenCue[];
}

/** The transcript with the speakers replaced, for instance ids by names. Unknown speakers are kept. */
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

/** Finds turns by time: a recording of three hours has thousands of turns and about ten times as many words. */
interface TurnIndex {
  /** The turns that overlap or touch the segment, sorted by start, then end. */
  near(startSeconds: number, endSeconds: number): readonly Turn[];
}

/** @param turns in any order */
function turnIndex(turns: readonly Turn[]): TurnIndex {
  const sorted = [...turns].sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
  /** The latest end of each turn and all before it: if it is before a segment, none of these turns overlaps the segment. */
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

/** Number of turns that start at or before `seconds`. */
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

/** Word times of recognizers are off by some tenths of a second; a turn that is farther away is unrelated. */
const NEAREST_SECONDS = 0.5;

/**
 * Assigns speakers to words and cues.
 *
 * A word's speaker is the one whose turns share the most time with it; in a tie, the one whose turn started first. If
 * no turn shares time with the word, its speaker is that of the nearest turn, if the turn is at most 0.5 s away; otherwise null.
 * The same rule applies to a cue without words. A cue with words is split when the speaker changes. The parts
 * take their inner times from their words; the last part ends with the cue, or with its words if they end
 * later. Words without a speaker stay with the words before them. If cues overlap, their parts can be
 * interleaved.
 *
 * The rule for words is that of whisperX's `assign_word_speakers`, with two differences: whisperX takes the nearest
 * turn at any distance or not at all (`fill_nearest`), and it never splits a segment, whose speaker it determines from the
 * times of the segment.
 *
 * @param turns in any order. Exclusive turns assign each moment to one speaker; with overlapping turns, the longer share decides
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

/** Joins consecutive words of one speaker. */
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
    // A negative overlap is the gap between the two. A word without length shares no time with any turn.
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

/** The transcript as SubRip subtitles (`.srt`), each text after its speaker's name and a colon. */
export function toTranscriptSrt(transcript: SpokenTranscript): string {
  return writeSrt(captionsOf(transcript));
}

/** The transcript as WebVTT (`.vtt`), each cue in a voice span of its speaker (`<v Name>`). */
export function toTranscriptVtt(transcript: SpokenTranscript): string {
  return writeWebVtt(captionsOf(transcript));
}

/** The transcript as a table (`.csv`, RFC 4180): start and end in seconds, speaker (empty if unknown), and text. */
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
 * The transcript as JSON in the layout of whisperX: `segments` with `start`, `end` (seconds, to the millisecond), `text`, `speaker`
 * and `words`; words have the same keys, with `word` instead of `text`. `speaker` is absent if unknown.
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
    // Recognizers write words without length; a caption of zero length would never be shown.
    return { startMs, endMs: Math.max(toMs(endSeconds), startMs + 1), speaker, text };
  });
}
