import type { Annotation, AnnotationSpeaker, EditableTurn } from '../../editing/annotation';
import { subtract, support } from '../../score/segments';
import type { Segment } from '../../util/segment';
import { speakerLabel, type Turn } from '../../timeline/turns';
import { assignRows } from '../../util/assignment';

/**
 * Seconds of overlap between the speakers of two sets of turns: by speaker of `before`, then of `after`. Pairs without
 * overlap are left out.
 */
type SharedSeconds = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Computes the overlap between the speakers of two sets of turns. Both must be sorted by start, as in an annotation. */
export function sharedSeconds(before: readonly Turn[], after: readonly Turn[]): SharedSeconds {
  const shared = new Map<string, Map<string, number>>();
  let next = 0;
  let open: Turn[] = [];
  for (const turn of before) {
    open = open.filter(({ endSeconds }) => endSeconds > turn.startSeconds);
    for (let other = after[next]; other && other.startSeconds < turn.endSeconds; other = after[++next]) open.push(other);
    for (const other of open) {
      const seconds = Math.min(turn.endSeconds, other.endSeconds) - Math.max(turn.startSeconds, other.startSeconds);
      if (seconds <= 0) continue;
      const row = shared.get(turn.speaker) ?? new Map<string, number>();
      shared.set(turn.speaker, row);
      row.set(other.speaker, (row.get(other.speaker) ?? 0) + seconds);
    }
  }
  return shared;
}

/** The speaker of `after` with the largest overlap for each speaker of `before`; on ties, the first one. */
export function greatest(shared: SharedSeconds): ReadonlyMap<string, string> {
  return new Map(
    [...shared].flatMap(([speaker, row]) => {
      const best = [...row].reduce<readonly [string, number] | null>((most, entry) => (most && most[1] >= entry[1] ? most : entry), null);
      return best ? [[speaker, best[0]] as const] : [];
    }),
  );
}

/** The same map with the roles of `before` and `after` swapped. */
export function transposed(shared: SharedSeconds): SharedSeconds {
  const turned = new Map<string, Map<string, number>>();
  for (const [before, row] of shared) {
    for (const [after, seconds] of row) {
      const other = turned.get(after) ?? new Map<string, number>();
      turned.set(after, other);
      other.set(before, seconds);
    }
  }
  return turned;
}

/** Speech that changes from one speaker to another. */
interface Move {
  readonly from: string;
  readonly into: string;
  readonly seconds: number;
}

/** Shorter moves are caused by turn boundaries that shift by a few frames. */
const SHORTEST_MOVE_SECONDS = 0.5;

/**
 * The speech that moves between each pair of speakers, longest first. Speech that both have before, or both after, does not
 * count as moved.
 *
 * @param before sorted by start, like `after`; speakers have the same id in both
 */
function movesBetween(before: readonly Turn[], after: readonly Turn[]): Move[] {
  const had = segmentsBySpeaker(before);
  const has = segmentsBySpeaker(after);
  const shared = sharedSeconds(without(had, has), without(has, had));
  return [...shared]
    .flatMap(([from, row]) => [...row].map(([into, seconds]) => ({ from, into, seconds })))
    .filter(({ seconds }) => seconds >= SHORTEST_MOVE_SECONDS)
    .sort((a, b) => b.seconds - a.seconds);
}

function segmentsBySpeaker(turns: readonly Turn[]): Map<string, Segment[]> {
  const segments = new Map<string, Segment[]>();
  for (const turn of turns) {
    const own = segments.get(turn.speaker) ?? [];
    segments.set(turn.speaker, own);
    own.push(turn);
  }
  for (const [speaker, own] of segments) segments.set(speaker, support(own));
  return segments;
}

/** The segments of each speaker in `from` that are not in `removed`, sorted by start. */
function without(from: ReadonlyMap<string, Segment[]>, removed: ReadonlyMap<string, Segment[]>): Turn[] {
  return [...from]
    .flatMap(([speaker, segments]) => subtract(segments, removed.get(speaker) ?? []).map((segment) => ({ ...segment, speaker })))
    .sort((a, b) => a.startSeconds - b.startSeconds);
}

/** How speakers change when a recording is re-clustered. Ids before are of the old annotation, ids after of the new one. */
type SpeakerChange =
  /** Most of the speech of each of `from` now belongs to `into`. */
  | { readonly kind: 'merged'; readonly from: readonly string[]; readonly into: string }
  /** Each of `into` has more speech from `from` than from any other speaker. The seconds are the amount of that speech. */
  | { readonly kind: 'split'; readonly from: string; readonly into: readonly { readonly speaker: string; readonly seconds: number }[] }
  /** None of this speaker's speech is assigned to anyone now. */
  | { readonly kind: 'gone'; readonly speaker: string };

export interface Changes {
  /** Merged speakers first, then split ones, each in the order of the tracks. */
  readonly speakers: readonly SpeakerChange[];
  /** Speech that moves between speakers, longest first, without the moves of a merge or split in `speakers`. */
  readonly moves: readonly Move[];
  /** Whether any turn changed its start, end or speaker. If `speakers` is empty, only individual turns changed. */
  readonly hasTurns: boolean;
}

/** Determines merges and splits of speakers, each by the largest overlap. */
export function changesBetween(before: Annotation, after: Annotation): Changes {
  const shared = sharedSeconds(before.turns, after.turns);
  const goesTo = greatest(shared);
  const comesFrom = greatest(transposed(shared));
  const merged = after.speakers.flatMap(({ id: into }): SpeakerChange[] => {
    const from = before.speakers.map(({ id }) => id).filter((id) => goesTo.get(id) === into);
    return from.length > 1 ? [{ kind: 'merged', from, into }] : [];
  });
  const split = before.speakers.flatMap(({ id: from }): SpeakerChange[] => {
    const into = after.speakers
      .filter(({ id }) => comesFrom.get(id) === from)
      .map(({ id: speaker }) => ({ speaker, seconds: shared.get(from)?.get(speaker) ?? 0 }));
    return into.length > 1 ? [{ kind: 'split', from, into }] : [];
  });
  const gone = talkingOf(before).filter((id) => !goesTo.has(id)).map((speaker): SpeakerChange => ({ kind: 'gone', speaker }));
  const isListed = ({ from, into }: Move): boolean =>
    goesTo.get(from) === into || comesFrom.get(into) === from;
  const moves = movesBetween(before.turns, after.turns).filter((move) => !isListed(move));
  return { speakers: [...merged, ...split, ...gone], moves, hasTurns: !isSameTurns(before, after) };
}

function isSameTurns({ turns: before }: Annotation, { turns: after }: Annotation): boolean {
  return (
    before.length === after.length &&
    before.every((turn, index) => {
      const other = after[index];
      return (
        other?.speaker === turn.speaker && other.startSeconds === turn.startSeconds && other.endSeconds === turn.endSeconds
      );
    })
  );
}

/** Ids of the speakers who have a turn, in the order of the tracks. */
export function talkingOf({ speakers, turns }: Annotation): string[] {
  const talking = new Set(turns.map(({ speaker }) => speaker));
  return speakers.map(({ id }) => id).filter((id) => talking.has(id));
}

/** Minimum share of a corrected turn and of a new turn that must overlap for the correction to carry over. */
const SAME_TURN = 0.8;

/**
 * Returns `after` with the ids, names and colors that its speakers had in `before`. Speakers are paired to maximize the
 * total overlap of all pairs. Existing speakers keep their order; new ones come last, with unused ids and colors.
 *
 * Turns get ids that `before` never used. A new turn stays corrected if it matches a corrected turn of the same speaker
 * by four fifths of both.
 *
 * @param certain ids of `after` that denote the speaker of `before` with the same id, as the constraints of a
 *   re-clustering do
 */
export function carryOver(before: Annotation, after: Annotation, certain: ReadonlySet<string> = new Set()): Annotation {
  const partners = partnersOf(before, after, certain);
  const kept = before.speakers.flatMap((speaker) => {
    const from = [...partners].find(([, id]) => id === speaker.id)?.[0];
    return from === undefined ? [] : [{ from, speaker }];
  });
  const added: { from: string; speaker: AnnotationSpeaker }[] = [];
  const ids = new Set(before.speakers.map(({ id }) => id));
  const colors = new Set(kept.map(({ speaker }) => speaker.color));
  for (const { id: from, name } of after.speakers) {
    if (partners.has(from)) continue;
    const id = freeId(ids);
    const color = firstFree((candidate) => colors.has(candidate));
    ids.add(id);
    colors.add(color);
    added.push({ from, speaker: { id, name, color } });
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

/** The speaker of `before` for each speaker of `after`. New speakers have no entry. */
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
