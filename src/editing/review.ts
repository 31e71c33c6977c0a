import type { LinkConstraints } from '../clustering/constraints';
import type { Annotation, AnnotationSpeaker, EditableTurn } from './annotation';
import { turnsBySpeaker } from './bySpeaker';
import { piecesOf } from './exclusive';
import { indicesOverlapping } from './overlapping';

/** A shorter turn can hardly be judged by ear, and little depends on it: it is reviewed after all others. */
export const SHORT_TURN_SECONDS = 0.5;

/** A speaker with less than this share of all speech, 0 to 1, and less than {@link BRIEF_SECONDS} of it, is brief. */
export const BRIEF_SHARE = 0.02;
export const BRIEF_SECONDS = 10;

/** More of one voice at a segment does not make it easier to know. */
const ENOUGH_SECONDS = 10;

/** What a turn whose confidence is not known counts as, where voices are chosen to hear: middling. */
const UNKNOWN_CONFIDENCE = 0.5;

/** A segment of one turn. */
export interface TurnSegment {
  readonly turn: EditableTurn;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** How much one speaker says. */
export interface SpeakerShare {
  readonly speaker: AnnotationSpeaker;
  /** Sum of the lengths of the speaker's turns. */
  readonly speechSeconds: number;
  /** Of the sum of all speakers, 0 to 1. */
  readonly share: number;
}

/**
 * The turns that nobody has corrected yet, the most doubtful first.
 *
 * Turns of half a second and more come before shorter ones. Within each, those of which nothing is known come first, as
 * no embedding vouches for them; then the least confidence; among equals the longest, which decide most, then in the
 * order of time.
 */
export function reviewOrder({ turns }: Annotation): EditableTurn[] {
  const open = turns.filter(({ isCorrected }) => !isCorrected);
  return open.sort(
    (a, b) =>
      Number(isShort(a)) - Number(isShort(b)) ||
      (a.confidence ?? -1) - (b.confidence ?? -1) ||
      lengthOf(b) - lengthOf(a) ||
      a.startSeconds - b.startSeconds ||
      a.id - b.id,
  );
}

const lengthOf = (segment: { readonly startSeconds: number; readonly endSeconds: number }): number =>
  segment.endSeconds - segment.startSeconds;

const isShort = (turn: EditableTurn): boolean => lengthOf(turn) < SHORT_TURN_SECONDS;

/** How much everybody says, in the order of the tracks. */
export function speakerShares({ speakers, turns }: Annotation): SpeakerShare[] {
  const bySpeaker = turnsBySpeaker(turns);
  const total = [...bySpeaker.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  return speakers.map((speaker) => {
    const speechSeconds = bySpeaker.get(speaker.id)?.seconds ?? 0;
    return { speaker, speechSeconds, share: total > 0 ? speechSeconds / total : 0 };
  });
}

/**
 * Speakers who say so little that they may be a mistake of the clustering (a cough, a jingle), or a person who only said
 * yes: to be shown to a person, never merged without one. Speakers without any turn are not among them.
 */
export function briefSpeakers(annotation: Annotation): AnnotationSpeaker[] {
  return speakerShares(annotation)
    .filter(({ speechSeconds, share }) => speechSeconds > 0 && speechSeconds < BRIEF_SECONDS && share < BRIEF_SHARE)
    .map(({ speaker }) => speaker);
}

/** Where one speaker talks alone, in the order of time. */
export function aloneSegments({ turns }: Annotation): TurnSegment[] {
  const alone: TurnSegment[] = [];
  for (const { startSeconds, endSeconds, talking } of piecesOf(turns)) {
    if (talking.length === 1) alone.push({ turn: talking[0]!, startSeconds, endSeconds });
  }
  return alone;
}

/**
 * The segments to hear a voice by, the best first: those where the speaker talks alone, by length times confidence.
 * Length counts up to 10 s. What a person has corrected counts as certain. Where the speaker is never alone, the turns
 * themselves, by the same order.
 *
 * @param count at most this many, no two of one turn
 */
export function representativeTurns(annotation: Annotation, speaker: string, count = 3): TurnSegment[] {
  const own = turnsBySpeaker(annotation.turns).get(speaker)?.turns ?? [];
  const alone = own.flatMap((turn) => aloneWithin(annotation.turns, turn));
  const candidates = alone.length > 0 ? alone : own.map((turn) => ({ ...timesOf(turn), turn }));
  const ranked = candidates.sort((a, b) => worthOf(b) - worthOf(a) || a.startSeconds - b.startSeconds);
  const chosen = new Map<EditableTurn, TurnSegment>();
  for (const segment of ranked) {
    if (chosen.size < count && !chosen.has(segment.turn)) chosen.set(segment.turn, segment);
  }
  return [...chosen.values()];
}

/** The parts of a turn without other speakers. */
function aloneWithin(turns: readonly EditableTurn[], turn: EditableTurn): TurnSegment[] {
  const alone: TurnSegment[] = [];
  let from = turn.startSeconds;
  for (const index of indicesOverlapping(turns, turn.startSeconds, turn.endSeconds)) {
    const other = turns[index]!;
    if (other === turn) continue;
    if (other.startSeconds > from) alone.push({ turn, startSeconds: from, endSeconds: other.startSeconds });
    from = Math.max(from, other.endSeconds);
  }
  if (from < turn.endSeconds) alone.push({ turn, startSeconds: from, endSeconds: turn.endSeconds });
  return alone;
}

function timesOf({ startSeconds, endSeconds }: EditableTurn): { startSeconds: number; endSeconds: number } {
  return { startSeconds, endSeconds };
}

function worthOf(segment: TurnSegment): number {
  const { confidence, isCorrected } = segment.turn;
  return Math.min(lengthOf(segment), ENOUGH_SECONDS) * (isCorrected ? 1 : (confidence ?? UNKNOWN_CONFIDENCE));
}

/**
 * What a person has settled, for a re-clustering: the corrected turns by speaker, where nobody else talks, because an
 * embedding of two voices at once would say nothing about either. Segments of one entry are one person's, those of two
 * entries are of two.
 *
 * @returns in the order of the tracks, without speakers who have no such segment; segments sorted by start
 */
export function linkConstraintsOf(annotation: Annotation): LinkConstraints {
  const settled = aloneSegments(annotation).filter(({ turn }) => turn.isCorrected);
  const constraints = annotation.speakers.map(({ id }) => ({
    speaker: id,
    segments: settled
      .filter(({ turn }) => turn.speaker === id)
      .map(({ startSeconds, endSeconds }) => ({ startSeconds, endSeconds })),
  }));
  return constraints.filter(({ segments }) => segments.length > 0);
}
