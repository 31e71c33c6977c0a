import type { Turn } from '../timeline/turn';
import type { SpokenCue, SpokenTranscript, SpokenWord } from './spoken';
import type { Transcript, TranscriptCue } from './transcript';
import { turnIndex, type TurnIndex } from './turnIndex';

/** Recognisers' times of words are some tenths of a second off; a turn that is farther away is of something else. */
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
 * @param turns in any order. Exclusive turns give each stretch to one speaker; with overlapping ones the longer share decides
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
