import type { IndexedTurn } from './turns';

/** Minimum durations of turns, and of gaps between turns of one speaker. 0 and 0 change nothing. */
export interface MinDurations {
  /** Seconds. Shorter turns are removed. pyannote's `min_duration_on`. */
  readonly minDurationOn: number;
  /** Seconds. Shorter gaps between turns of one speaker are filled before short turns are removed. pyannote's `min_duration_off`. */
  readonly minDurationOff: number;
}

/** Maximum accepted minimum duration. Greater values are a mistake. */
export const MAX_MIN_DURATION_SECONDS = 60;

/** Changes nothing. */
export const NO_MIN_DURATIONS: MinDurations = { minDurationOn: 0, minDurationOff: 0 };

/** pyannote.core's `SEGMENT_PRECISION`: shorter gaps are ignored. */
const SEGMENT_PRECISION_SECONDS = 1e-6;

/**
 * Fills short gaps between turns of one speaker, then removes short turns.
 *
 * Matches `Binarize` of pyannote.audio 4.0.7 (`utils/signal.py`) with `min_duration_off` and `min_duration_on`, and
 * `Annotation.support` of pyannote.core.
 *
 * @param turns sorted as returned by `turnsOf`; turns of one speaker do not overlap
 * @returns sorted in the same way
 */
export function applyMinDurations(turns: readonly IndexedTurn[], durations: MinDurations): readonly IndexedTurn[] {
  const { minDurationOn, minDurationOff } = durations;
  const filled = minDurationOff > 0 ? fillGaps(turns, minDurationOff, (turn, last) => last.get(turn.speakerIndex)) : turns;
  return withoutShort(filled, minDurationOn);
}

/**
 * {@link applyMinDurations} for turns that do not overlap. A gap in which another speaker talks is kept, so the result has no
 * overlap either; pyannote fills such gaps. Gaps that are left by removed turns are filled at the end.
 */
export function applyExclusiveMinDurations(turns: readonly IndexedTurn[], durations: MinDurations): readonly IndexedTurn[] {
  const { minDurationOn, minDurationOff } = durations;
  const fill = (given: readonly IndexedTurn[]): readonly IndexedTurn[] =>
    minDurationOff > 0
      ? fillGaps(given, minDurationOff, ({ speakerIndex }, _, latest) => (latest?.speakerIndex === speakerIndex ? latest : undefined))
      : given;
  return fill(withoutShort(fill(turns), minDurationOn));
}

type Growing = { -readonly [Key in keyof IndexedTurn]: IndexedTurn[Key] };

/**
 * @param earlierOf selects the turn to extend: from the last turns by speaker, or from the latest turn of all speakers
 */
function fillGaps(
  turns: readonly IndexedTurn[],
  minDurationOff: number,
  earlierOf: (turn: IndexedTurn, last: ReadonlyMap<number, Growing>, latest: Growing | undefined) => Growing | undefined,
): IndexedTurn[] {
  const filled: Growing[] = [];
  const last = new Map<number, Growing>();
  for (const turn of turns) {
    const earlier = earlierOf(turn, last, filled.at(-1));
    const gap = earlier ? turn.startSeconds - earlier.endSeconds : Infinity;
    if (earlier && (gap <= SEGMENT_PRECISION_SECONDS || gap < minDurationOff)) {
      earlier.endSeconds = Math.max(earlier.endSeconds, turn.endSeconds);
      continue;
    }
    const copy = { ...turn };
    filled.push(copy);
    last.set(turn.speakerIndex, copy);
  }
  return filled.sort(
    (a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds || a.speakerIndex - b.speakerIndex,
  );
}

function withoutShort(turns: readonly IndexedTurn[], minDurationOn: number): readonly IndexedTurn[] {
  return minDurationOn > 0 ? turns.filter(({ startSeconds, endSeconds }) => !(endSeconds - startSeconds < minDurationOn)) : turns;
}
