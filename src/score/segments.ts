import type { Turn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';

/** A segment of time, in seconds from the start of the recording. */
export interface Segment {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording. */
  readonly endSeconds: number;
}

/**
 * What is not longer than this does not exist, and two segments this near touch: `SEGMENT_PRECISION` of
 * pyannote.core 6.1 (`segment.py`).
 */
const PRECISION_SECONDS = 1e-6;

/** Whether an segment is too short to exist, as pyannote.core's `Segment.__bool__` says. */
export function isEmpty({ startSeconds, endSeconds }: Segment): boolean {
  return !(endSeconds - startSeconds > PRECISION_SECONDS);
}

/** What two segments share; empty where they share nothing. */
export function intersection(a: Segment, b: Segment): Segment {
  return {
    startSeconds: Math.max(a.startSeconds, b.startSeconds),
    endSeconds: Math.min(a.endSeconds, b.endSeconds),
  };
}

/** The segments that are not empty, by start, then end, then as given. */
export function sorted<T extends Segment>(segments: readonly T[]): T[] {
  return segments
    .filter((segment) => !isEmpty(segment))
    .sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
}

/**
 * The same time span in as few segments as possible: sorted, none empty, none touching another.
 * Meaning of pyannote.core's `Timeline.support`.
 */
export function support(segments: readonly Segment[]): Segment[] {
  const merged: Segment[] = [];
  for (const next of sorted(segments)) {
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

/** The one segment from the first start to the last end; nothing where every segment is empty. */
export function extent(segments: readonly Segment[]): Segment[] {
  const found = sorted(segments);
  const first = found[0];
  if (!first) return [];
  const endSeconds = found.reduce((latest, segment) => Math.max(latest, segment.endSeconds), -Infinity);
  return [{ startSeconds: first.startSeconds, endSeconds }];
}

/** What two or more of the segments share. */
export function overlaps(segments: readonly Segment[]): Segment[] {
  const shared: Segment[] = [];
  let open: Segment[] = [];
  for (const next of sorted(segments)) {
    open = open.filter((earlier) => earlier.endSeconds > next.startSeconds);
    for (const earlier of open) shared.push(intersection(earlier, next));
    open.push(next);
  }
  return support(shared);
}

/**
 * Every segment cut to the regions, in as many parts as there are regions that it reaches; the other fields stay.
 * Meaning of pyannote.core's `Annotation.crop` with mode `intersection`.
 *
 * @param regions as {@link support} gives them
 */
export function crop<T extends Segment>(segments: readonly T[], regions: readonly Segment[]): T[] {
  const parts: T[] = [];
  for (const segment of segments) {
    const { startSeconds, endSeconds } = segment;
    let index = firstIndex(regions, (region) => region.endSeconds > startSeconds);
    for (let region = regions[index]; region && region.startSeconds < endSeconds; region = regions[++index]) {
      const part = intersection(segment, region);
      if (isEmpty(part)) continue;
      // Most are inside of a region: a copy of each would take longer than the rest of the score.
      const isWhole = part.startSeconds === startSeconds && part.endSeconds === endSeconds;
      parts.push(isWhole ? segment : { ...segment, ...part });
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
export function subtract(regions: readonly Segment[], removed: readonly Segment[]): Segment[] {
  return regions.flatMap((region) => {
    const gaps: Segment[] = [];
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

/** What counts of a recording. */
export interface ScoreOptions {
  /**
   * Width of the segment around each boundary of the reference that does not count: half of it before the boundary
   * and half after it. NIST's "0.25 s collar" on either side is 0.5 here, as in pyannote.metrics. Default 0.
   */
  readonly collarSeconds?: number;
  /** Leaves out the time in which two turns of the reference overlap, be they of one speaker. Default false. */
  readonly skipOverlap?: boolean;
  /** The regions that count. Default: from the first start to the last end of both sides together. */
  readonly uem?: readonly Segment[];
}

/** What counts of both sides: turns cut to the regions that are scored, none empty. */
export interface ScoredSides {
  readonly reference: readonly Turn[];
  readonly hypothesis: readonly Turn[];
}

/**
 * Leaves of both sides what counts. Meaning of `UEMSupportMixin.uemify` of pyannote.metrics 4.2.0 (`utils.py`); every
 * score starts with it.
 *
 * @throws VoxlaneError `options` for a collar below zero or a time that is not finite.
 */
export function scoredSides(reference: readonly Turn[], hypothesis: readonly Turn[], options: ScoreOptions): ScoredSides {
  checkTimes('reference', reference);
  checkTimes('hypothesis', hypothesis);
  checkTimes('UEM', options.uem ?? []);
  const regions = scoredRegions(reference, hypothesis, options);
  return { reference: crop(sorted(reference), regions), hypothesis: crop(sorted(hypothesis), regions) };
}

/** The regions that count: the UEM without collars and, where asked for, without overlaps. */
function scoredRegions(reference: readonly Turn[], hypothesis: readonly Turn[], options: ScoreOptions): Segment[] {
  const { collarSeconds = 0, skipOverlap = false, uem } = options;
  if (!(collarSeconds >= 0 && collarSeconds < Infinity)) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The collar is ${collarSeconds}`,
      expected: 'seconds, 0 or more',
      remedy: 'Pass `collarSeconds` as a number such as 0.5, or leave it out for none',
    });
  }
  const regions = support(uem ?? extent([...reference, ...hypothesis]));
  const collars = collarSeconds > 0 ? collarsOf(reference, collarSeconds) : [];
  const removed = skipOverlap ? collars.concat(overlaps(reference)) : collars;
  return subtract(regions, support(removed));
}

function collarsOf(reference: readonly Turn[], collarSeconds: number): Segment[] {
  const half = 0.5 * collarSeconds;
  return reference
    .filter((turn) => !isEmpty(turn))
    .flatMap((turn) => [turn.startSeconds, turn.endSeconds])
    .map((at) => ({ startSeconds: at - half, endSeconds: at + half }));
}

/** A NaN would fail every comparison and so vanish from the score without a word. */
function checkTimes(side: string, segments: readonly Segment[]): void {
  const bad = segments.find((one) => !Number.isFinite(one.startSeconds) || !Number.isFinite(one.endSeconds));
  if (!bad) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The ${side} holds a segment from ${bad.startSeconds} to ${bad.endSeconds} s`,
    expected: 'finite times',
    remedy: `Mend or leave out that segment of the ${side}`,
  });
}
