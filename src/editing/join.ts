import type { EditableTurn } from './annotation';

/** Two turns that are no further apart touch: files of every kind write times to a millisecond. */
export const TOUCH_SECONDS = 0.001;

interface Stretch {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** Whether both talk for some time, however short. */
export function overlap(a: Stretch, b: Stretch): boolean {
  return a.startSeconds < b.endSeconds && b.startSeconds < a.endSeconds;
}

/** Whether `later` begins where `earlier` ends, to {@link TOUCH_SECONDS}. */
export function touch(earlier: Stretch, later: Stretch): boolean {
  return Math.abs(later.startSeconds - earlier.endSeconds) <= TOUCH_SECONDS;
}

/**
 * One turn in place of several of one speaker: from the first start to the last end.
 *
 * Its confidence is the mean of theirs, each weighted with its length, without those where nothing is known; null where
 * nothing is known of any.
 *
 * @param kept whose id, speaker and `isCorrected` the joined turn has
 * @param others at least one
 */
export function joinTurns(kept: EditableTurn, others: readonly EditableTurn[]): EditableTurn {
  const parts = [kept, ...others];
  return {
    ...kept,
    startSeconds: parts.reduce((start, part) => Math.min(start, part.startSeconds), Infinity),
    endSeconds: parts.reduce((end, part) => Math.max(end, part.endSeconds), -Infinity),
    confidence: meanConfidence(parts),
  };
}

/** Mean weighted with the lengths, 0 to 1; null where nothing is known of any. */
export function meanConfidence(parts: readonly (Stretch & { readonly confidence?: number | null })[]): number | null {
  let [sum, weight] = [0, 0];
  for (const { startSeconds, endSeconds, confidence } of parts) {
    if (confidence === undefined || confidence === null) continue;
    sum += confidence * (endSeconds - startSeconds);
    weight += endSeconds - startSeconds;
  }
  return weight > 0 ? sum / weight : null;
}
