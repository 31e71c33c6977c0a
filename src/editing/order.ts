import type { EditableTurn } from './annotation';

/** Order of an annotation's turns: by start, then end, then id. No two turns are equal in it. */
export function compareTurns(a: EditableTurn, b: EditableTurn): number {
  return a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds || a.id - b.id;
}

/**
 * The turns without some of them and with others, in order. What stays is the same object.
 *
 * @param turns sorted by {@link compareTurns}
 * @param removed ids of those that go; others are ignored
 * @param added sorted by {@link compareTurns}
 */
export function exchangeTurns(
  turns: readonly EditableTurn[],
  removed: ReadonlySet<number>,
  added: readonly EditableTurn[],
): EditableTurn[] {
  const exchanged: EditableTurn[] = [];
  let next = 0;
  for (const turn of turns) {
    if (removed.has(turn.id)) continue;
    while (next < added.length && compareTurns(added[next]!, turn) < 0) exchanged.push(added[next++]!);
    exchanged.push(turn);
  }
  while (next < added.length) exchanged.push(added[next++]!);
  return exchanged;
}
