import { subtract, support, type Interval } from '../../score/intervals';
import type { Turn } from '../../timeline/turn';
import { sharedSeconds } from './overlap';

/** Speech that belongs to one speaker before and to another after. */
export interface Move {
  readonly from: string;
  readonly into: string;
  readonly seconds: number;
}

/** Shorter moves come from bounds of turns that shift by a few frames. */
const SHORTEST_MOVE_SECONDS = 0.5;

/**
 * Which speaker loses how much speech to which, the longest first. Speech that both have before, or both after, does not
 * move.
 *
 * @param before sorted by start, as `after` is; a speaker has the same id in both
 */
export function movesBetween(before: readonly Turn[], after: readonly Turn[]): Move[] {
  const had = stretchesBySpeaker(before);
  const has = stretchesBySpeaker(after);
  const shared = sharedSeconds(without(had, has), without(has, had));
  return [...shared]
    .flatMap(([from, row]) => [...row].map(([into, seconds]) => ({ from, into, seconds })))
    .filter(({ seconds }) => seconds >= SHORTEST_MOVE_SECONDS)
    .sort((a, b) => b.seconds - a.seconds);
}

function stretchesBySpeaker(turns: readonly Turn[]): Map<string, Interval[]> {
  const stretches = new Map<string, Interval[]>();
  for (const turn of turns) {
    const own = stretches.get(turn.speaker) ?? [];
    stretches.set(turn.speaker, own);
    own.push(turn);
  }
  for (const [speaker, own] of stretches) stretches.set(speaker, support(own));
  return stretches;
}

/** What each speaker has in `from` and not in `removed`, sorted by start. */
function without(from: ReadonlyMap<string, Interval[]>, removed: ReadonlyMap<string, Interval[]>): Turn[] {
  return [...from]
    .flatMap(([speaker, stretches]) => subtract(stretches, removed.get(speaker) ?? []).map((stretch) => ({ ...stretch, speaker })))
    .sort((a, b) => a.startSeconds - b.startSeconds);
}
