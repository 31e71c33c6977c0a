import type { Turn } from '../timeline/turn';
import { scoreOf, type Score } from './der';
import { errorStretches, type ErrorStretch } from './errors';
import { jaccardOf, type JaccardScore } from './jer';
import { cutAtBoundaries } from './pieces';
import { scoredSides, type ScoreOptions } from './scored';

/** All that can be said of one recording against its reference. */
export interface Evaluation {
  readonly score: Score;
  readonly jaccard: JaccardScore;
  /** As `errorsOf` gives them. */
  readonly errors: readonly ErrorStretch[];
}

/**
 * `diarizationErrorRate`, `jaccardErrorRate` and `errorsOf` at once: what counts is cut only once, so that a result of
 * hours can be scored after each correction.
 *
 * @throws VoxlaneError `options` for a collar below zero or a time that is not finite.
 */
export function evaluate(
  reference: readonly Turn[],
  hypothesis: readonly Turn[],
  options: ScoreOptions = {},
): Evaluation {
  const sides = scoredSides(reference, hypothesis, options);
  const pieces = cutAtBoundaries(sides.reference, sides.hypothesis);
  const score = scoreOf(sides, pieces);
  const errors = errorStretches(pieces, new Map(Object.entries(score.mapping)));
  return { score, jaccard: jaccardOf(sides), errors };
}
