import type { Turn } from '../timeline/turns';
import type { EditableTurn } from './annotation';
import { exchangeTurns, turnsBetween } from './order';
import { atOnce } from '../util/concurrency';

/** The turns of one speaker. */
interface OwnTurns<Kind extends Turn = EditableTurn> {
  /** At least one, sorted by start. */
  readonly turns: readonly Kind[];
  /** Sum of their lengths. */
  readonly seconds: number;
}

type TurnsBySpeaker = ReadonlyMap<string, OwnTurns>;

/** Number of turns grouped per step. */
const STEP_TURNS = 2000;

/** Lists of turns are immutable, so each is grouped once. */
const grouped = new WeakMap<readonly EditableTurn[], TurnsBySpeaker>();
/** The list grouped last. The next one usually differs from it by one edit. */
let latest = new WeakRef<readonly EditableTurn[]>([]);

/**
 * The turns of each speaker who has any. After an edit, only the lists of the affected speakers are rebuilt, so that an edit
 * among a million turns takes milliseconds.
 *
 * @param turns of an annotation
 */
export function turnsBySpeaker(turns: readonly EditableTurn[]): TurnsBySpeaker {
  const known = grouped.get(turns);
  if (known) {
    latest = new WeakRef(turns);
    return known;
  }
  const before = latest.deref();
  const ofBefore = before && grouped.get(before);
  // Lists of different recordings share neither their first nor their last turn.
  const isEdit = before && ofBefore && sharesEnds(before, turns);
  return keep(turns, isEdit ? afterEdit(before, ofBefore, turns) : atOnce(groupInSteps(turns)));
}

/** Like {@link turnsBySpeaker}, but in steps, for the first grouping of many turns. */
export function* turnsBySpeakerSteps(turns: readonly EditableTurn[]): Generator<void, TurnsBySpeaker> {
  return keep(turns, yield* groupInSteps(turns));
}

/** Exclusive turns by speaker. They are never edited, so no later list is derived from them. */
const exclusive = new WeakMap<readonly Turn[], ReadonlyMap<string, OwnTurns<Turn>>>();

/** Groups exclusive turns in steps, for {@link exclusiveBySpeaker}. */
export function* exclusiveBySpeakerSteps(turns: readonly Turn[]): Generator<void, void> {
  exclusive.set(turns, yield* groupInSteps(turns));
}

/** The exclusive turns of each speaker who has any; null if they have not been grouped. */
export const exclusiveBySpeaker = (turns: readonly Turn[]): ReadonlyMap<string, OwnTurns<Turn>> | null => exclusive.get(turns) ?? null;

function keep(turns: readonly EditableTurn[], sorted: TurnsBySpeaker): TurnsBySpeaker {
  grouped.set(turns, sorted);
  latest = new WeakRef(turns);
  return sorted;
}

/** Whether one list may result from an edit of the other: most edits keep the first or the last turn. */
function sharesEnds(before: readonly EditableTurn[], after: readonly EditableTurn[]): boolean {
  return before[0] === after[0] || before.at(-1) === after.at(-1);
}

function* groupInSteps<Kind extends Turn>(turns: readonly Kind[]): Generator<void, ReadonlyMap<string, OwnTurns<Kind>>> {
  const lists = new Map<string, { turns: Kind[]; seconds: number }>();
  for (let at = 0; at < turns.length; at++) {
    const turn = turns[at]!;
    let own = lists.get(turn.speaker);
    if (!own) lists.set(turn.speaker, (own = { turns: [], seconds: 0 }));
    own.turns.push(turn);
    own.seconds += turn.endSeconds - turn.startSeconds;
    if (at % STEP_TURNS === STEP_TURNS - 1) yield;
  }
  return lists;
}

function afterEdit(before: readonly EditableTurn[], ofBefore: TurnsBySpeaker, turns: readonly EditableTurn[]): TurnsBySpeaker {
  const { before: removed, after: added } = turnsBetween(before, turns);
  const changed = new Map(ofBefore);
  const [removedOf, addedOf] = [groups(removed), groups(added)];
  for (const speaker of new Set([...removedOf.keys(), ...addedOf.keys()])) {
    const own = exchangeTurns(ofBefore.get(speaker)?.turns ?? [], removedOf.get(speaker) ?? [], addedOf.get(speaker) ?? []);
    if (own.length === 0) changed.delete(speaker);
    else changed.set(speaker, { turns: own, seconds: own.reduce((sum, turn) => sum + turn.endSeconds - turn.startSeconds, 0) });
  }
  return changed;
}

function groups(turns: readonly EditableTurn[]): Map<string, EditableTurn[]> {
  const lists = new Map<string, EditableTurn[]>();
  for (const turn of turns) {
    const own = lists.get(turn.speaker);
    if (own) own.push(turn);
    else lists.set(turn.speaker, [turn]);
  }
  return lists;
}
