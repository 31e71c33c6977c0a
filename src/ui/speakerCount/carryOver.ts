import { assignRows } from '../../clustering/assignment';
import type { Annotation, AnnotationSpeaker, EditableTurn } from '../../editing/annotation';
import { speakerLabel } from '../../timeline/turns';
import { sharedSeconds } from './overlap';

/** Of a corrected turn and of the turn found anew, so much must be common to both for the correction to hold for it. */
const SAME_TURN = 0.8;

/**
 * `after` with the ids, names and colours that its speakers had in `before`. A voice that is found anew is the one
 * with whom it shares the most speech, where the pairs are chosen so that all of them together share the most.
 * Speakers who were there before stay in their order; new ones come last, with ids and colours that nobody has.
 *
 * Turns get ids that `before` has never given. One that is, by four fifths of both, a turn that a person had corrected,
 * and whose speaker is the same, stays corrected.
 *
 * @param certain ids of `after` that mean the speaker of `before` with this id, as the anchors of a re-clustering do
 */
export function carryOver(before: Annotation, after: Annotation, certain: ReadonlySet<string> = new Set()): Annotation {
  const partners = partnersOf(before, after, certain);
  const kept = before.speakers.flatMap((speaker) => {
    const from = [...partners].find(([, id]) => id === speaker.id)?.[0];
    return from === undefined ? [] : [{ from, speaker }];
  });
  const added: { from: string; speaker: AnnotationSpeaker }[] = [];
  const ids = new Set(before.speakers.map(({ id }) => id));
  const colours = new Set(kept.map(({ speaker }) => speaker.colour));
  for (const { id: from, name } of after.speakers) {
    if (partners.has(from)) continue;
    const id = freeId(ids);
    const colour = firstFree((candidate) => colours.has(candidate));
    ids.add(id);
    colours.add(colour);
    added.push({ from, speaker: { id, name, colour } });
  }
  const idOf = new Map([...kept, ...added].map(({ from, speaker }) => [from, speaker.id]));
  const turns = after.turns.map((turn, index) => ({
    ...turn,
    id: before.nextId + index,
    speaker: idOf.get(turn.speaker) ?? turn.speaker,
  }));
  return {
    durationSeconds: before.durationSeconds,
    speakers: [...kept, ...added].map(({ speaker }) => speaker),
    turns: withCorrections(before, turns),
    exclusiveHints: after.exclusiveHints.map((turn) => ({ ...turn, speaker: idOf.get(turn.speaker) ?? turn.speaker })),
    nextId: before.nextId + turns.length,
  };
}

/** Who of `before` each speaker of `after` is; one who is nobody of them has no entry. */
function partnersOf(before: Annotation, after: Annotation, certain: ReadonlySet<string>): ReadonlyMap<string, string> {
  const isCertain = ({ id }: AnnotationSpeaker): boolean =>
    certain.has(id) && before.speakers.some((speaker) => speaker.id === id) && after.speakers.some((speaker) => speaker.id === id);
  const partners = new Map(after.speakers.filter(isCertain).map(({ id }) => [id, id]));
  const rows = after.speakers.filter((speaker) => !isCertain(speaker));
  const columns = before.speakers.filter((speaker) => !isCertain(speaker));
  if (rows.length === 0 || columns.length === 0) return partners;
  const shared = sharedSeconds(before.turns, after.turns);
  const scores = Float64Array.from(rows.flatMap(({ id }) => columns.map((old) => shared.get(old.id)?.get(id) ?? 0)));
  for (const [row, column] of assignRows(scores, rows.length, columns.length).entries()) {
    const speaker = rows[row];
    const partner = columns[column];
    if (speaker && partner && (scores[row * columns.length + column] ?? 0) > 0) partners.set(speaker.id, partner.id);
  }
  return partners;
}

function withCorrections(before: Annotation, turns: readonly EditableTurn[]): readonly EditableTurn[] {
  const corrected = before.turns.filter(({ isCorrected }) => isCorrected);
  if (corrected.length === 0) return turns;
  let next = 0;
  let open: EditableTurn[] = [];
  return turns.map((turn) => {
    open = open.filter(({ endSeconds }) => endSeconds > turn.startSeconds);
    for (let other = corrected[next]; other && other.startSeconds < turn.endSeconds; other = corrected[++next]) open.push(other);
    const isCorrected = turn.isCorrected || open.some((other) => other.speaker === turn.speaker && isSame(other, turn));
    return isCorrected === turn.isCorrected ? turn : { ...turn, isCorrected };
  });
}

function isSame(one: EditableTurn, other: EditableTurn): boolean {
  const both = Math.min(one.endSeconds, other.endSeconds) - Math.max(one.startSeconds, other.startSeconds);
  const longest = Math.max(one.endSeconds - one.startSeconds, other.endSeconds - other.startSeconds);
  return both >= SAME_TURN * longest;
}

function freeId(taken: ReadonlySet<string>): string {
  return speakerLabel(firstFree((index) => taken.has(speakerLabel(index))));
}

function firstFree(isTaken: (index: number) => boolean): number {
  let index = 0;
  while (isTaken(index)) index += 1;
  return index;
}
