import type { Turn } from '../timeline/turn';
import { distinctNames } from './distinctNames';
import { inMilliseconds, oneLine } from './milliseconds';

/** A stretch of a tier, in milliseconds from the start of the recording. */
export interface TierInterval {
  readonly startMs: number;
  readonly endMs: number;
}

/** What one speaker says: a line of its own in Praat and in ELAN. */
export interface Tier {
  readonly name: string;
  /** Sorted, and none reaches into the next. */
  readonly intervals: readonly TierInterval[];
}

/**
 * A tier for each speaker, in the order in which they begin, because the intervals of one tier cannot overlap.
 *
 * Two speakers of the same name share a tier: programs find tiers by name. Where both talk, their turns become one
 * interval; turns that only touch stay apart. Names that differ only in characters that the formats cannot hold get
 * a number.
 *
 * @param turns times in seconds, `speaker` as it is to be shown
 */
export function tiersOf(turns: readonly Turn[]): Tier[] {
  const tiers = new Map<string, { startMs: number; endMs: number }[]>();
  const ordered = inMilliseconds(turns);
  const names = distinctNames(ordered.map(({ speaker }) => speaker), (speaker) => oneLine(speaker) || '<NA>');
  for (const { startMs, endMs, speaker } of ordered) {
    const name = names.get(speaker)!;
    const intervals = tiers.get(name) ?? [];
    tiers.set(name, intervals);
    const last = intervals.at(-1);
    if (last && startMs < last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else intervals.push({ startMs, endMs });
  }
  return Array.from(tiers, ([name, intervals]) => ({ name, intervals }));
}
