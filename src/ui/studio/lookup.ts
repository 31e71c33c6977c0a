import type { EditableTurn } from '../../editing/annotation';
import { indicesOverlapping } from '../../editing/overlapping';

/** The turns that cover a moment. */
export function turnsAt(turns: readonly EditableTurn[], seconds: number): EditableTurn[] {
  return indicesOverlapping(turns, seconds, seconds).map((index) => turns[index]!);
}
