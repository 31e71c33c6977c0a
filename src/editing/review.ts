import type { LinkConstraints } from '../clustering/constraints';
import type { Annotation, AnnotationSpeaker, EditableTurn } from './annotation';
import { turnsBySpeaker } from './bySpeaker';
import { piecesOf } from './exclusive';
import { indicesOverlapping } from './overlapping';

/** Shorter turns are hard to judge by ear and matter little: they are reviewed last. */
const SHORT_TURN_SECONDS = 0.5;

/** A speaker is brief with less than this share of all speech, 0 to 1, and less than {@link BRIEF_SECONDS} of speech. */
const BRIEF_SHARE = 0.02;
const BRIEF_SECONDS = 10;

/** Longer segments do not make a speaker easier to recognize. */
const ENOUGH_SECONDS = 10;

/** Assumed value of an unknown confidence when segments are ranked. */
const UNKNOWN_CONFIDENCE = 0.5;

/** A segment of one turn. */
interface TurnSegment {
  readonly turn: EditableTurn;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** Amount of speech of one speaker. */
export interface SpeakerShare {
  readonly speaker: AnnotationSpeaker;
  /** Total length of the speaker's turns. */
  readonly speechSeconds: number;
  /** Share of the speech of all speakers, 0 to 1. */
  readonly share: number;
}

/**
 * The turns that have not been corrected yet, the least certain first.
 *
 * Turns of at least half a second come before shorter ones. Within each group, turns without a confidence come first, because
 * no embedding supports them, then turns with ascending confidence. Among equals, the longest come first, because they matter
 * most, then in the order of time.
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

/** Amount of speech of each speaker, in track order. */
export function speakerShares({ speakers, turns }: Annotation): SpeakerShare[] {
  const bySpeaker = turnsBySpeaker(turns);
  const total = [...bySpeaker.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  return speakers.map((speaker) => {
    const speechSeconds = bySpeaker.get(speaker.id)?.seconds ?? 0;
    return { speaker, speechSeconds, share: total > 0 ? speechSeconds / total : 0 };
  });
}

/**
 * Speakers with so little speech that they may be clustering errors (a cough, a jingle) or a person who said only one
 * word. Show them to the user; never merge them automatically. Speakers without turns are not included.
 */
export function briefSpeakers(annotation: Annotation): AnnotationSpeaker[] {
  return speakerShares(annotation)
    .filter(({ speechSeconds, share }) => speechSeconds > 0 && speechSeconds < BRIEF_SECONDS && share < BRIEF_SHARE)
    .map(({ speaker }) => speaker);
}

/** Segments in which one speaker talks alone, in the order of time. */
function aloneSegments({ turns }: Annotation): TurnSegment[] {
  const alone: TurnSegment[] = [];
  for (const { startSeconds, endSeconds, talking } of piecesOf(turns)) {
    if (talking.length === 1) alone.push({ turn: talking[0]!, startSeconds, endSeconds });
  }
  return alone;
}

/**
 * The segments that represent a speaker best: segments in which the speaker talks alone, ranked by length times confidence.
 * Length counts up to 10 s. Corrected turns count as certain. If the speaker never talks alone, the turns themselves are
 * ranked in the same way.
 *
 * @param count maximum number of segments; at most one per turn
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
 * Constraints for a re-clustering: the corrected turns by speaker, limited to segments in which no other speaker talks, because an
 * embedding of overlapping speech represents neither speaker. Segments of one entry belong to one speaker (must-link), those
 * of two entries to different speakers (cannot-link).
 *
 * @returns in track order, without speakers that have no such segment; segments sorted by start
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
