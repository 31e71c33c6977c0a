import type { CountScore, SpeakerBounds } from '../clustering/localSpeakers';

/** Minimum score of an alternative that is shown to users. */
export const MENTIONED_SCORE = 0.1;

/** The estimated number of speakers and its alternatives. */
export interface SpeakerCount {
  /** Number of speakers in the result, that is, with a turn. */
  readonly value: number;
  /**
   * Other numbers within the requested bounds, most likely first, with their share of the likelihood of all numbers.
   * Empty if no other number is likely, or if the clustering gives no scores.
   */
  readonly alternatives: readonly CountScore[];
  /** The requested bounds if `value` is outside them; null otherwise. */
  readonly unmet: {
    /** Minimum number of speakers; null if not requested. */
    readonly minSpeakers: number | null;
    /** Maximum number of speakers; null if not requested. */
    readonly maxSpeakers: number | null;
  } | null;
}

/**
 * @param value number of speakers in the result
 * @param counts numbers of speakers with their scores, most likely first
 */
export function speakerCountOf(value: number, counts: readonly CountScore[], { minSpeakers, maxSpeakers }: SpeakerBounds): SpeakerCount {
  // The default minimum of 1 is not a request.
  const isMet = (value >= minSpeakers || minSpeakers === 1) && value <= maxSpeakers;
  return {
    value,
    // A requested exact number has no alternatives.
    alternatives: minSpeakers === maxSpeakers ? [] : counts.filter((count) => count.value !== value && count.value >= minSpeakers && count.value <= maxSpeakers),
    // JSON has no Infinity.
    unmet: isMet ? null : { minSpeakers: minSpeakers > 1 ? minSpeakers : null, maxSpeakers: Number.isFinite(maxSpeakers) ? maxSpeakers : null },
  };
}

