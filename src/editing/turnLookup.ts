import type { EditableTurn } from './annotation';
import { differenceTo, placeOf } from './order';

/** The turn found last: all parts of the page look up the same one. */
let latest = new WeakRef<EditableTurn>({ id: -1, startSeconds: 0, endSeconds: 0, speaker: '', isCorrected: false });

/**
 * Index of the turn with this id, or -1. Repeated lookups of the same turn do not search the whole list.
 *
 * @param turns sorted by `compareTurns`
 */
export function indexOfTurn(turns: readonly EditableTurn[], id: number | null): number {
  if (id === null) return -1;
  const known = latest.deref();
  if (known?.id === id) {
    const place = placeOf(turns, known);
    if (turns[place] === known) return place;
    const difference = differenceTo(turns);
    if (difference?.before.includes(known)) {
      const changed = difference.after.find((turn) => turn.id === id);
      if (changed) latest = new WeakRef(changed);
      return changed ? placeOf(turns, changed) : -1;
    }
  }
  // A plain loop searches a million turns within a frame.
  for (let at = 0; at < turns.length; at++) {
    if (turns[at]!.id !== id) continue;
    latest = new WeakRef(turns[at]!);
    return at;
  }
  return -1;
}

/** The turn with an id; null if there is none. See {@link indexOfTurn}. */
export function turnById(turns: readonly EditableTurn[], id: number | null): EditableTurn | null {
  return turns[indexOfTurn(turns, id)] ?? null;
}
