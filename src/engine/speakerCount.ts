import type { CountScore, SpeakerBounds } from '../clustering/localSpeakers';

/** Least score of an alternative that is shown to people. */
export const MENTIONED_SCORE = 0.1;

/** How many speakers were found, and how sure that is. */
export interface SpeakerCount {
  /** Speakers of the result: those with a turn. */
  readonly value: number;
  /**
   * Other numbers within the bounds that were asked for, the most likely first, with their share of the likelihood of all
   * numbers. Empty if no other number is likely, or if the clustering does not tell.
   */
  readonly alternatives: readonly CountScore[];
  /** The bounds that were asked for, if `value` is not within them; null otherwise. */
  readonly unmet: {
    /** Least number of speakers; null if none was asked for. */
    readonly minSpeakers: number | null;
    /** Greatest number of speakers; null if none was asked for. */
    readonly maxSpeakers: number | null;
  } | null;
}

/**
 * @param value speakers of the result
 * @param counts numbers of speakers with their scores, the most likely first
 */
export function speakerCountOf(value: number, counts: readonly CountScore[], { minSpeakers, maxSpeakers }: SpeakerBounds): SpeakerCount {
  // The default of at least one speaker is not asked for.
  const isMet = (value >= minSpeakers || minSpeakers === 1) && value <= maxSpeakers;
  return {
    value,
    // An exact number that was asked for has none.
    alternatives: minSpeakers === maxSpeakers ? [] : counts.filter((count) => count.value !== value && count.value >= minSpeakers && count.value <= maxSpeakers),
    // JSON has no Infinity.
    unmet: isMet ? null : { minSpeakers: minSpeakers > 1 ? minSpeakers : null, maxSpeakers: Number.isFinite(maxSpeakers) ? maxSpeakers : null },
  };
}

