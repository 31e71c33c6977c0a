import type { Turn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';
import type { Segment } from '../util/segment';

/**
 * Segments of at most this length are ignored, and segments with at most this gap touch: `SEGMENT_PRECISION` of
 * pyannote.core 6.1 (`segment.py`).
 */
const PRECISION_SECONDS = 1e-6;

/** Whether a segment is too short to count, as in pyannote.core's `Segment.__bool__`. */
export function isEmpty({ startSeconds, endSeconds }: Segment): boolean {
  return !(endSeconds - startSeconds > PRECISION_SECONDS);
}

/** The intersection of two segments; empty if they do not overlap. */
export function intersection(a: Segment, b: Segment): Segment {
  return {
    startSeconds: Math.max(a.startSeconds, b.startSeconds),
    endSeconds: Math.min(a.endSeconds, b.endSeconds),
  };
}

/** The segments that are not empty, sorted by start, then end; ties keep their order. */
export function sorted<T extends Segment>(segments: readonly T[]): T[] {
  return segments
    .filter((segment) => !isEmpty(segment))
    .sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
}

/**
 * The same time in as few segments as possible: sorted, none empty, none touching another.
 * Matches pyannote.core's `Timeline.support`.
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

/** A single segment from the first start to the last end; none if every segment is empty. */
export function extent(segments: readonly Segment[]): Segment[] {
  const found = sorted(segments);
  const first = found[0];
  if (!first) return [];
  const endSeconds = found.reduce((latest, segment) => Math.max(latest, segment.endSeconds), -Infinity);
  return [{ startSeconds: first.startSeconds, endSeconds }];
}

/** The time shared by two or more of the segments. */
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
 * Cuts every segment to the regions, into one part per region that it overlaps; other fields are kept.
 * Matches pyannote.core's `Annotation.crop` with mode `intersection`.
 *
 * @param regions as returned by {@link support}
 */
export function crop<T extends Segment>(segments: readonly T[], regions: readonly Segment[]): T[] {
  const parts: T[] = [];
  for (const segment of segments) {
    const { startSeconds, endSeconds } = segment;
    let index = firstIndex(regions, (region) => region.endSeconds > startSeconds);
    for (let region = regions[index]; region && region.startSeconds < endSeconds; region = regions[++index]) {
      const part = intersection(segment, region);
      if (isEmpty(part)) continue;
      // Most segments are inside a region: copying each would take longer than the rest of the score.
      const isWhole = part.startSeconds === startSeconds && part.endSeconds === endSeconds;
      parts.push(isWhole ? segment : { ...segment, ...part });
    }
  }
  return parts;
}

/**
 * Subtracts segments from the regions. Matches pyannote.core's `Timeline.gaps`.
 *
 * @param regions as returned by {@link support}
 * @param removed as returned by {@link support}
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

/** Index of the first item that passes; the length if none does. All items after one that passes must pass too. */
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

/** Options that select the scored time. */
export interface ScoreOptions {
  /**
   * Width of the excluded segment around each boundary of the reference: half of it before the boundary
   * and half after it. NIST's "0.25 s collar" on either side is 0.5 here, as in pyannote.metrics. Default: 0.
   */
  readonly collarSeconds?: number;
  /** Excludes the time in which two turns of the reference overlap, even if they belong to one speaker. Default: false. */
  readonly skipOverlap?: boolean;
  /** The scored regions. Default: from the first start to the last end of both sides together. */
  readonly uem?: readonly Segment[];
}

/** The scored turns of both sides: cut to the scored regions, none empty. */
export interface ScoredSides {
  readonly reference: readonly Turn[];
  readonly hypothesis: readonly Turn[];
}

/**
 * Reduces both sides to the scored time. Matches `UEMSupportMixin.uemify` of pyannote.metrics 4.2.0 (`utils.py`). Every
 * score starts with it.
 *
 * @throws VoxlaneError `options` for a negative collar or a time that is not finite.
 */
export function scoredSides(reference: readonly Turn[], hypothesis: readonly Turn[], options: ScoreOptions): ScoredSides {
  checkTimes('reference', reference);
  checkTimes('hypothesis', hypothesis);
  checkTimes('UEM', options.uem ?? []);
  const regions = scoredRegions(reference, hypothesis, options);
  return { reference: crop(sorted(reference), regions), hypothesis: crop(sorted(hypothesis), regions) };
}

/** The scored regions: the UEM without collars and, with `skipOverlap`, without overlaps. */
function scoredRegions(reference: readonly Turn[], hypothesis: readonly Turn[], options: ScoreOptions): Segment[] {
  const { collarSeconds = 0, skipOverlap = false, uem } = options;
  if (!(collarSeconds >= 0 && collarSeconds < Infinity)) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The collar is ${collarSeconds}`,
      expected: 'a number of seconds, at least 0',
      remedy: 'Set `collarSeconds` to a number such as 0.5, or omit it for no collar',
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

/** NaN fails every comparison, so such a segment would silently disappear from the score. */
function checkTimes(side: string, segments: readonly Segment[]): void {
  const bad = segments.find((one) => !Number.isFinite(one.startSeconds) || !Number.isFinite(one.endSeconds));
  if (!bad) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The ${side} contains a segment from ${bad.startSeconds} to ${bad.endSeconds} s`,
    expected: 'finite times',
    remedy: `Correct or remove that segment of the ${side}`,
  });
}
