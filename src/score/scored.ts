import type { Turn } from '../timeline/turn';
import { VoxlaneError } from '../util/errors';
import type { Interval } from './intervals';
import { crop, extent, isEmpty, overlaps, sorted, subtract, support } from './intervals';

/** What counts of a recording. */
export interface ScoreOptions {
  /**
   * Width of the stretch around each boundary of the reference that does not count: half of it before the boundary
   * and half after it. NIST's "0.25 s collar" on either side is 0.5 here, as in pyannote.metrics. Default 0.
   */
  readonly collarSeconds?: number;
  /** Leaves out the time in which two turns of the reference overlap, be they of one speaker. Default false. */
  readonly skipOverlap?: boolean;
  /** The regions that count. Default: from the first start to the last end of both sides together. */
  readonly uem?: readonly Interval[];
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
function scoredRegions(reference: readonly Turn[], hypothesis: readonly Turn[], options: ScoreOptions): Interval[] {
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

function collarsOf(reference: readonly Turn[], collarSeconds: number): Interval[] {
  const half = 0.5 * collarSeconds;
  return reference
    .filter((turn) => !isEmpty(turn))
    .flatMap((turn) => [turn.startSeconds, turn.endSeconds])
    .map((at) => ({ startSeconds: at - half, endSeconds: at + half }));
}

/** A NaN would fail every comparison and so vanish from the score without a word. */
function checkTimes(side: string, intervals: readonly Interval[]): void {
  const bad = intervals.find((one) => !Number.isFinite(one.startSeconds) || !Number.isFinite(one.endSeconds));
  if (!bad) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The ${side} holds a stretch from ${bad.startSeconds} to ${bad.endSeconds} s`,
    expected: 'finite times',
    remedy: `Mend or leave out that stretch of the ${side}`,
  });
}
