import type { Turn } from '../timeline/turns';
import { crop, type Segment, scoredSides, type ScoredSides, type ScoreOptions, support } from './segments';
import { optimalMapping } from './mapping';

/** How well one speaker of the reference was found. */
export interface SpeakerJaccard {
  /** Speaker of the reference. */
  readonly reference: string;
  /** The speaker of the hypothesis who is taken for the same; null where nobody is. */
  readonly hypothesis: string | null;
  /** Time in which the speaker talks by the reference, and that counts. */
  readonly speechSeconds: number;
  /** 1 minus the Jaccard index of both speakers' time, 0 to 1; 1 where nobody is taken for the speaker. */
  readonly error: number;
}

/** The Jaccard error rate of one recording, and what it is made of. */
export interface JaccardScore {
  /** Mean of the speakers' errors, 0 to 1, whatever they spoke; 1 where the reference has no speaker. */
  readonly jer: number;
  /** Those who speak in the reference in the time that counts, by name. */
  readonly speakers: readonly SpeakerJaccard[];
}

/**
 * The Jaccard error rate of one recording.
 *
 * Meaning of `JaccardErrorRate` of pyannote.metrics 4.2.0 (`diarization.py`), which follows the evaluation plan of the
 * second DIHARD challenge. A speaker who talks over himself counts once here, unlike in the diarization error rate.
 *
 * @throws VoxlaneError `options` for a collar below zero or a time that is not finite.
 */
export function jaccardErrorRate(
  reference: readonly Turn[],
  hypothesis: readonly Turn[],
  options: ScoreOptions = {},
): JaccardScore {
  return jaccardOf(scoredSides(reference, hypothesis, options));
}

/** The Jaccard score of what counts. */
export function jaccardOf({ reference, hypothesis }: ScoredSides): JaccardScore {
  // From the reference to the hypothesis, as pyannote maps here: in a tie the other way may pair others.
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

/** The rate that speakers give, of one recording or of many: pyannote.metrics gives each speaker the same weight. */
export function meanError(speakers: readonly SpeakerJaccard[]): number {
  if (speakers.length === 0) return 1;
  return speakers.reduce((sum, { error }) => sum + error, 0) / speakers.length;
}

/** Time of each speaker, as {@link support} gives it. */
function timesOf(turns: readonly Turn[]): Map<string, Segment[]> {
  const bySpeaker = new Map<string, Turn[]>();
  for (const turn of turns) {
    const own = bySpeaker.get(turn.speaker);
    if (own) own.push(turn);
    else bySpeaker.set(turn.speaker, [turn]);
  }
  return new Map([...bySpeaker].map(([speaker, own]) => [speaker, support(own)]));
}

/** The time that only one of two has, as a part of the time that either has. */
function distance(a: readonly Segment[], b: readonly Segment[]): number {
  const shared = secondsOf(support(crop(a, b)));
  return (secondsOf(b) - shared + (secondsOf(a) - shared)) / secondsOf(support([...a, ...b]));
}

function secondsOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { startSeconds, endSeconds }) => sum + (endSeconds - startSeconds), 0);
}
