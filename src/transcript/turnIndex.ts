import type { Turn } from '../timeline/turn';

/** Finds turns by time: three hours have thousands of turns, and of words some ten times as many. */
export interface TurnIndex {
  /** The turns that share a moment with the stretch, its ends included, by start and then end. */
  near(startSeconds: number, endSeconds: number): readonly Turn[];
}

/** @param turns in any order */
export function turnIndex(turns: readonly Turn[]): TurnIndex {
  const sorted = [...turns].sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
  /** The latest end of each turn and all before it: where it lies before a stretch, none of them reaches into that. */
  const latestEnds: number[] = [];
  for (const { endSeconds } of sorted) latestEnds.push(Math.max(endSeconds, latestEnds.at(-1) ?? -Infinity));
  return {
    near(startSeconds, endSeconds) {
      const found: Turn[] = [];
      for (let i = countUntil(sorted, endSeconds) - 1; i >= 0 && latestEnds[i]! >= startSeconds; i--) {
        if (sorted[i]!.endSeconds >= startSeconds) found.push(sorted[i]!);
      }
      return found.reverse();
    },
  };
}

/** How many turns start at `seconds` or before. */
function countUntil(sorted: readonly Turn[], seconds: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.startSeconds <= seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}
