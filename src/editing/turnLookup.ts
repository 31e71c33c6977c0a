import type { EditableTurn } from './annotation';
import { differenceTo, placeOf } from './order';

/** The turn found last: each part of the page looks up the same one. */
let latest = new WeakRef<EditableTurn>({ id: -1, startSeconds: 0, endSeconds: 0, speaker: '', isCorrected: false });

/**
 * Index of the turn with this id, or -1. Looking up the same turn again takes no search through the list.
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

/** The turn with an id; null if there is none. As {@link indexOfTurn}. */
export function turnById(turns: readonly EditableTurn[], id: number | null): EditableTurn | null {
  return turns[indexOfTurn(turns, id)] ?? null;
}

interface Segment {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

const BLOCK = 512;

/** The last end in each block of a list of turns; NaN until it is computed. Lists are immutable. */
const blockEnds = new WeakMap<readonly Segment[], Float64Array>();

function lastEnd(turns: readonly Segment[], ends: Float64Array, block: number): number {
  const known = ends[block]!;
  if (!Number.isNaN(known)) return known;
  let last = -Infinity;
  for (let at = block * BLOCK; at < Math.min(turns.length, (block + 1) * BLOCK); at++) last = Math.max(last, turns[at]!.endSeconds);
  ends[block] = last;
  return last;
}

/**
 * Indices of the turns that overlap a segment for some time, in their order. A segment of length zero is a
 * moment: the turns that begin at or before it and end after it.
 *
 * @param turns sorted by start
 */
export function indicesOverlapping(turns: readonly Segment[], startSeconds: number, endSeconds: number): number[] {
  let ends = blockEnds.get(turns);
  if (!ends) blockEnds.set(turns, (ends = new Float64Array(Math.ceil(turns.length / BLOCK)).fill(NaN)));
  const isMoment = startSeconds === endSeconds;
  let [low, high] = [0, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const start = turns[middle]!.startSeconds;
    if (isMoment ? start <= endSeconds : start < endSeconds) low = middle + 1;
    else high = middle;
  }
  const indices: number[] = [];
  for (let block = 0; block * BLOCK < low; block++) {
    if (lastEnd(turns, ends, block) <= startSeconds) continue;
    const last = Math.min(low, (block + 1) * BLOCK);
    for (let at = block * BLOCK; at < last; at++) if (turns[at]!.endSeconds > startSeconds) indices.push(at);
  }
  return indices;
}
