import type { EditableTurn } from '../../editing/annotation';

/** The turns that cover a moment. */
export function turnsAt(turns: readonly EditableTurn[], seconds: number): EditableTurn[] {
  const found: EditableTurn[] = [];
  for (const turn of turns) {
    // Sorted by start: nothing after the first later start can cover the moment.
    if (turn.startSeconds > seconds) break;
    if (turn.endSeconds > seconds) found.push(turn);
  }
  return found;
}
