import type { Turn } from '../timeline/turn';
import type { Score } from './der';
import type { ErrorStretch } from './errors';
import { evaluate } from './evaluation';
import type { SpeakerJaccard } from './jer';
import type { ScoreOptions } from './scored';

/** Both error rates of one recording, and what they are made of. */
export interface Scores extends Score {
  /** Jaccard error rate: mean of the speakers' errors, 0 to 1; 1 where the reference has no speaker. */
  readonly jer: number;
  /** The speakers of the reference, by name, with the error of each. */
  readonly speakers: readonly SpeakerJaccard[];
  /** Every stretch in which a voice is wrong, sorted by start, then by end. */
  readonly errors: readonly ErrorStretch[];
}

/**
 * Diarization error rate, Jaccard error rate and the errors themselves of one recording, as pyannote.metrics 4.2.0
 * computes them. `voxlane/score` has each by itself, and says its conventions (`diarizationErrorRate`, `jaccardErrorRate`).
 *
 * @param reference who truly spoke when, in any order, seconds
 * @param hypothesis who was found to, in any order, seconds; names need not be those of the reference
 * @throws VoxlaneError `options` for a collar below zero or a time that is not finite
 */
export function score(reference: readonly Turn[], hypothesis: readonly Turn[], options: ScoreOptions = {}): Scores {
  const { score: rate, jaccard, errors } = evaluate(reference, hypothesis, options);
  return { ...rate, jer: jaccard.jer, speakers: jaccard.speakers, errors };
}
