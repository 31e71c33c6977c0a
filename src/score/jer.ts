import type { Turn } from '../timeline/turns';
import { crop, scoredSides, type ScoredSides, type ScoreOptions, support } from './segments';
import type { Segment } from '../util/segment';
import { optimalMapping } from './mapping';

/** The Jaccard error of one speaker of the reference. */
export interface SpeakerJaccard {
  /** Speaker of the reference. */
  readonly reference: string;
  /** The speaker of the hypothesis mapped to this one; null if there is none. */
  readonly hypothesis: string | null;
  /** Scored speech time of the speaker in the reference. */
  readonly speechSeconds: number;
  /** 1 minus the Jaccard index of the times of both speakers, 0 to 1; 1 if no speaker is mapped to this one. */
  readonly error: number;
}

/** The Jaccard error rate of one recording, and its components. */
export interface JaccardScore {
  /** Mean of the speakers' errors, 0 to 1, regardless of speech time; 1 if the reference has no speakers. */
  readonly jer: number;
  /** Speakers of the reference with scored speech, by name. */
  readonly speakers: readonly SpeakerJaccard[];
}

/**
 * The Jaccard error rate of one recording.
 *
 * Matches `JaccardErrorRate` of pyannote.metrics 4.2.0 (`diarization.py`), which follows the evaluation plan of the
 * second DIHARD challenge. Unlike in the diarization error rate, overlapping turns of one speaker count once.
 *
 * @throws VoxlaneError `options` for a negative collar or a time that is not finite.
 */
export function jaccardErrorRate(
  reference: readonly Turn[],
  hypothesis: readonly Turn[],
  options: ScoreOptions = {},
): JaccardScore {
  return jaccardOf(scoredSides(reference, hypothesis, options));
}

/** The Jaccard score of the scored sides. */
export function jaccardOf({ reference, hypothesis }: ScoredSides): JaccardScore {
  // Maps the reference to the hypothesis, as pyannote does: in a tie, the other direction may pair other speakers.
  const mapping = optimalMapping(hypothesis, reference);
  const [references, hypotheses] = [timesOf(reference), timesOf(hypothesis)];
  const speakers = [...references.keys()].sort().map((name): SpeakerJaccard => {
    const partner = mapping.get(name) ?? null;
    const own = references.get(name) ?? [];
    const error = partner === null ? 1 : distance(own, hypotheses.get(partner) ?? []);
    return { reference: name, hypothesis: partner, speechSeconds: secondsOf(own), error };
  });
  return { jer: meanError(speakers), speakers };
}

/** The mean error of speakers of one or several recordings. As in pyannote.metrics, each speaker has the same weight. */
export function meanError(speakers: readonly SpeakerJaccard[]): number {
  if (speakers.length === 0) return 1;
  return speakers.reduce((sum, { error }) => sum + error, 0) / speakers.length;
}

/** The times of each speaker, as returned by {@link support}. */
function timesOf(turns: readonly Turn[]): Map<string, Segment[]> {
  const bySpeaker = new Map<string, Turn[]>();
  for (const turn of turns) {
    const own = bySpeaker.get(turn.speaker);
    if (own) own.push(turn);
    else bySpeaker.set(turn.speaker, [turn]);
  }
  return new Map([...bySpeaker].map(([speaker, own]) => [speaker, support(own)]));
}

/** The Jaccard distance: the time that is in only one of the two, as a share of the time that is in either. */
function distance(a: readonly Segment[], b: readonly Segment[]): number {
  const shared = secondsOf(support(crop(a, b)));
  return (secondsOf(b) - shared + (secondsOf(a) - shared)) / secondsOf(support([...a, ...b]));
}

function secondsOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { startSeconds, endSeconds }) => sum + (endSeconds - startSeconds), 0);
}
