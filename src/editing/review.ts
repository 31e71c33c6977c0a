import type { Anchors } from '../clustering/anchors';
import type { Annotation, AnnotationSpeaker, EditableTurn } from './annotation';
import { turnsBySpeaker } from './bySpeaker';
import { piecesOf } from './exclusive';
import { indicesOverlapping } from './turnLookup';

/** A shorter turn can hardly be judged by ear, and little depends on it: it is reviewed after all others. */
export const SHORT_TURN_SECONDS = 0.5;

/** A speaker with less than this share of all speech, 0 to 1, and less than {@link BRIEF_SECONDS} of it, is brief. */
export const BRIEF_SHARE = 0.02;
export const BRIEF_SECONDS = 10;

/** More of one voice at a stretch does not make it easier to know. */
const ENOUGH_SECONDS = 10;

/** What a turn whose confidence is not known counts as, where voices are chosen to hear: middling. */
const UNKNOWN_CONFIDENCE = 0.5;

/** A stretch of one turn. */
export interface TurnStretch {
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

const lengthOf = (stretch: { readonly startSeconds: number; readonly endSeconds: number }): number =>
  stretch.endSeconds - stretch.startSeconds;

const isShort = (turn: EditableTurn): boolean => lengthOf(turn) < SHORT_TURN_SECONDS;

/** How much everybody says, in the order of the lanes. */
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
export function aloneStretches({ turns }: Annotation): TurnStretch[] {
  const alone: TurnStretch[] = [];
  for (const { startSeconds, endSeconds, talking } of piecesOf(turns)) {
    if (talking.length === 1) alone.push({ turn: talking[0]!, startSeconds, endSeconds });
  }
  return alone;
}

/**
 * The stretches to hear a voice by, the best first: those where the speaker talks alone, by length times confidence.
 * Length counts up to 10 s. What a person has corrected counts as certain. Where the speaker is never alone, the turns
 * themselves, by the same order.
 *
 * @param count at most this many, no two of one turn
 */
export function representativeTurns(annotation: Annotation, speaker: string, count = 3): TurnStretch[] {
  const own = turnsBySpeaker(annotation.turns).get(speaker)?.turns ?? [];
  const alone = own.flatMap((turn) => aloneWithin(annotation.turns, turn));
  const candidates = alone.length > 0 ? alone : own.map((turn) => ({ ...timesOf(turn), turn }));
  const ranked = candidates.sort((a, b) => worthOf(b) - worthOf(a) || a.startSeconds - b.startSeconds);
  const chosen = new Map<EditableTurn, TurnStretch>();
  for (const stretch of ranked) {
    if (chosen.size < count && !chosen.has(stretch.turn)) chosen.set(stretch.turn, stretch);
  }
  return [...chosen.values()];
}

/** The parts of a turn without other speakers. */
function aloneWithin(turns: readonly EditableTurn[], turn: EditableTurn): TurnStretch[] {
  const alone: TurnStretch[] = [];
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

function worthOf(stretch: TurnStretch): number {
  const { confidence, isCorrected } = stretch.turn;
  return Math.min(lengthOf(stretch), ENOUGH_SECONDS) * (isCorrected ? 1 : (confidence ?? UNKNOWN_CONFIDENCE));
}

/**
 * What a person has settled, for a re-clustering: the corrected turns by speaker, where nobody else talks, because an
 * embedding of two voices at once would say nothing about either. Stretches of one entry are one person's, those of two
 * entries are of two.
 *
 * @returns in the order of the lanes, without speakers who have no such stretch; stretches sorted by start
 */
export function constraintsOf(annotation: Annotation): Anchors {
  const settled = aloneStretches(annotation).filter(({ turn }) => turn.isCorrected);
  const anchors = annotation.speakers.map(({ id }) => ({
    speaker: id,
    stretches: settled
      .filter(({ turn }) => turn.speaker === id)
      .map(({ startSeconds, endSeconds }) => ({ startSeconds, endSeconds })),
  }));
  return anchors.filter(({ stretches }) => stretches.length > 0);
}
