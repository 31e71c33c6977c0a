import type { Segment } from '../util/segment';

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
 * Indices of the turns that overlap a segment, in order. A segment of length zero is a moment: returns the turns that start at
 * or before it and end after it.
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
