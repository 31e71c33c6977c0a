import type { Turn } from '../../timeline/turn';

/** Seconds that speakers of two sets of turns talk at the same time: of `before`, then of `after`. Pairs that share none are left out. */
export type SharedSeconds = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Who of one set of turns talks while who of the other does. Both sorted by start, as an annotation's are. */
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

/** Who shares the most with each speaker of `before`; of equals the one met first. */
export function greatest(shared: SharedSeconds): ReadonlyMap<string, string> {
  return new Map(
    [...shared].flatMap(([speaker, row]) => {
      const best = [...row].reduce<readonly [string, number] | null>((most, entry) => (most && most[1] >= entry[1] ? most : entry), null);
      return best ? [[speaker, best[0]] as const] : [];
    }),
  );
}

/** The same, seen from `after`. */
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
