import type { EditableTurn } from './annotation';

/** Order of the turns in an annotation: by start, then end, then id. No two turns compare as equal. */
export function compareTurns(a: EditableTurn, b: EditableTurn): number {
  return a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds || a.id - b.id;
}

/**
 * Removes turns from a list and adds others, in order. Unchanged turns are the same objects. Apart from one copy of
 * the list, the time depends only on the number of changes.
 *
 * @param turns sorted by {@link compareTurns}
 * @param removed turns to remove, sorted by {@link compareTurns}; any that are not in the list are ignored
 * @param added turns to add, sorted by {@link compareTurns}
 */
export function exchangeTurns(
  turns: readonly EditableTurn[],
  removed: readonly EditableTurn[],
  added: readonly EditableTurn[],
): EditableTurn[] {
  const exchanged: EditableTurn[] = [];
  let [from, removedAt, addedAt] = [0, 0, 0];
  const copyUntil = (end: number): void => {
    // No spread: the number of arguments of a call is limited.
    for (; from < end; from++) exchanged.push(turns[from]!);
  };
  while (removedAt < removed.length || addedAt < added.length) {
    const [oldTurn, newTurn] = [removed[removedAt], added[addedAt]];
    const isOld = oldTurn !== undefined && (newTurn === undefined || compareTurns(oldTurn, newTurn) <= 0);
    copyUntil(placeOf(turns, isOld ? oldTurn : newTurn!, from));
    if (!isOld) exchanged.push(added[addedAt++]!);
    else {
      removedAt++;
      if (from < turns.length && compareTurns(turns[from]!, oldTurn) === 0) from++;
    }
  }
  copyUntil(turns.length);
  return exchanged;
}

/** Index of the first turn, starting at `from`, that does not come before this one; the length of the list if there is none. */
export function placeOf(turns: readonly EditableTurn[], turn: EditableTurn, from = 0): number {
  let [low, high] = [from, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareTurns(turns[middle]!, turn) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last result of {@link turnsBetween}: both the history and `turnsBySpeaker` need the difference of an edit. */
let latest: { readonly before: WeakRef<readonly EditableTurn[]>; readonly after: WeakRef<readonly EditableTurn[]>; readonly difference: TurnsDifference } | null = null;

/** The changes of the last edit if it produced this list of turns; null otherwise. */
export function differenceTo(after: readonly EditableTurn[]): TurnsDifference | null {
  return latest?.after.deref() === after ? latest.difference : null;
}

/** Turns that are in only one of two lists, in their order. */
interface TurnsDifference {
  readonly before: readonly EditableTurn[];
  readonly after: readonly EditableTurn[];
}

/**
 * Finds the turns that are in only one of two lists, by identity.
 *
 * @param before sorted by {@link compareTurns}
 * @param after sorted by {@link compareTurns}
 */
export function turnsBetween(before: readonly EditableTurn[], after: readonly EditableTurn[]): TurnsDifference {
  if (latest?.before.deref() === before && latest.after.deref() === after) return latest.difference;
  const [removed, added]: [EditableTurn[], EditableTurn[]] = [[], []];
  let [from, to] = [0, 0];
  while (from < before.length || to < after.length) {
    const [oldTurn, newTurn] = [before[from], after[to]];
    if (oldTurn === newTurn) {
      from++;
      to++;
      continue;
    }
    const order = !oldTurn ? 1 : !newTurn ? -1 : compareTurns(oldTurn, newTurn);
    if (order <= 0) removed.push(before[from++]!);
    if (order >= 0) added.push(after[to++]!);
  }
  latest = { before: new WeakRef(before), after: new WeakRef(after), difference: { before: removed, after: added } };
  return latest.difference;
}
