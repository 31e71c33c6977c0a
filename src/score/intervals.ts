/** A stretch of time, in seconds from the start of the recording. */
export interface Interval {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording. */
  readonly endSeconds: number;
}

/**
 * What is not longer than this does not exist, and two intervals this near touch: `SEGMENT_PRECISION` of
 * pyannote.core 6.1 (`segment.py`).
 */
const PRECISION_SECONDS = 1e-6;

/** Whether an interval is too short to exist, as pyannote.core's `Segment.__bool__` says. */
export function isEmpty({ startSeconds, endSeconds }: Interval): boolean {
  return !(endSeconds - startSeconds > PRECISION_SECONDS);
}

/** What two intervals share; empty where they share nothing. */
export function intersection(a: Interval, b: Interval): Interval {
  return {
    startSeconds: Math.max(a.startSeconds, b.startSeconds),
    endSeconds: Math.min(a.endSeconds, b.endSeconds),
  };
}

/** The intervals that are not empty, by start, then end, then as given. */
export function sorted<T extends Interval>(intervals: readonly T[]): T[] {
  return intervals
    .filter((interval) => !isEmpty(interval))
    .sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
}

/**
 * The same time span in as few intervals as possible: sorted, none empty, none touching another.
 * Meaning of pyannote.core's `Timeline.support`.
 */
export function support(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const next of sorted(intervals)) {
    const last = merged.at(-1);
    if (last && isEmpty({ startSeconds: last.endSeconds, endSeconds: next.startSeconds })) {
      const endSeconds = Math.max(last.endSeconds, next.endSeconds);
      merged[merged.length - 1] = { startSeconds: last.startSeconds, endSeconds };
    } else {
      merged.push({ startSeconds: next.startSeconds, endSeconds: next.endSeconds });
    }
  }
  return merged;
}

/** The one interval from the first start to the last end; nothing where every interval is empty. */
export function extent(intervals: readonly Interval[]): Interval[] {
  const found = sorted(intervals);
  const first = found[0];
  if (!first) return [];
  const endSeconds = found.reduce((latest, interval) => Math.max(latest, interval.endSeconds), -Infinity);
  return [{ startSeconds: first.startSeconds, endSeconds }];
}

/** What two or more of the intervals share. */
export function overlaps(intervals: readonly Interval[]): Interval[] {
  const shared: Interval[] = [];
  let open: Interval[] = [];
  for (const next of sorted(intervals)) {
    open = open.filter((earlier) => earlier.endSeconds > next.startSeconds);
    for (const earlier of open) shared.push(intersection(earlier, next));
    open.push(next);
  }
  return support(shared);
}

/**
 * Every interval cut to the regions, in as many parts as there are regions that it reaches; the other fields stay.
 * Meaning of pyannote.core's `Annotation.crop` with mode `intersection`.
 *
 * @param regions as {@link support} gives them
 */
export function crop<T extends Interval>(intervals: readonly T[], regions: readonly Interval[]): T[] {
  const parts: T[] = [];
  for (const interval of intervals) {
    const { startSeconds, endSeconds } = interval;
    let index = firstIndex(regions, (region) => region.endSeconds > startSeconds);
    for (let region = regions[index]; region && region.startSeconds < endSeconds; region = regions[++index]) {
      const part = intersection(interval, region);
      if (isEmpty(part)) continue;
      // Most are inside of a region: a copy of each would take longer than the rest of the score.
      const isWhole = part.startSeconds === startSeconds && part.endSeconds === endSeconds;
      parts.push(isWhole ? interval : { ...interval, ...part });
    }
  }
  return parts;
}

/**
 * The regions without what is removed. Meaning of pyannote.core's `Timeline.gaps`.
 *
 * @param regions as {@link support} gives them
 * @param removed as {@link support} gives them
 */
export function subtract(regions: readonly Interval[], removed: readonly Interval[]): Interval[] {
  return regions.flatMap((region) => {
    const gaps: Interval[] = [];
    let { startSeconds } = region;
    for (const hole of crop([region], removed)) {
      gaps.push({ startSeconds, endSeconds: hole.startSeconds });
      startSeconds = hole.endSeconds;
    }
    gaps.push({ startSeconds, endSeconds: region.endSeconds });
    return gaps.filter((gap) => !isEmpty(gap));
  });
}

/** Index of the first item that passes, the length where none does. All items after one that passes must pass too. */
function firstIndex<T>(items: readonly T[], passes: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && passes(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
