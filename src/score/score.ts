import type { Turn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';
import {
  type Components,
  diarizationErrorRate,
  errorRate,
  type ErrorSegment,
  errorSegments,
  type Score,
  scoreOf,
  sumComponents,
} from './der';
import { scoredSides, type ScoreOptions } from './segments';
import type { Segment } from '../util/segment';
import { jaccardErrorRate, jaccardOf, type JaccardScore, meanError, type SpeakerJaccard } from './jer';
import { cutAtBoundaries } from './mapping';

/** All scores of one recording against its reference. */
export interface Evaluation {
  readonly score: Score;
  readonly jaccard: JaccardScore;
  /** The result of `errorsOf`. */
  readonly errors: readonly ErrorSegment[];
}

/**
 * Computes `diarizationErrorRate`, `jaccardErrorRate` and `errorsOf` together. The scored sides are cut only once, so a result of
 * several hours can be scored after each correction.
 *
 * @throws VoxlaneError `options` for a negative collar or a time that is not finite.
 */
export function evaluate(
  reference: readonly Turn[],
  hypothesis: readonly Turn[],
  options: ScoreOptions = {},
): Evaluation {
  const sides = scoredSides(reference, hypothesis, options);
  const segments = cutAtBoundaries(sides.reference, sides.hypothesis);
  const score = scoreOf(sides, segments);
  const errors = errorSegments(segments, new Map(Object.entries(score.mapping)));
  return { score, jaccard: jaccardOf(sides), errors };
}

/** Both error rates of one recording, and their components. */
export interface Scores extends Score {
  /** Jaccard error rate: mean of the speakers' errors, 0 to 1; 1 if the reference has no speakers. */
  readonly jer: number;
  /** The speakers of the reference, by name, with the error of each. */
  readonly speakers: readonly SpeakerJaccard[];
  /** Every segment in which a speaker is wrong, sorted by start, then by end. */
  readonly errors: readonly ErrorSegment[];
}

/**
 * Diarization error rate, Jaccard error rate and the errors themselves of one recording, as computed by pyannote.metrics
 * 4.2.0. `voxlane/score` exports separate functions and documents their conventions (`diarizationErrorRate`, `jaccardErrorRate`).
 *
 * @param reference true turns, in any order, in seconds
 * @param hypothesis turns found, in any order, in seconds; speaker names may differ from those of the reference
 * @throws VoxlaneError `options` for a negative collar or a time that is not finite
 */
export function score(reference: readonly Turn[], hypothesis: readonly Turn[], options: ScoreOptions = {}): Scores {
  const { score: rate, jaccard, errors } = evaluate(reference, hypothesis, options);
  return { ...rate, jer: jaccard.jer, speakers: jaccard.speakers, errors };
}

/** Turns (or regions) of each recording, by its name (uri). */
export type ByRecording<T> = ReadonlyMap<string, readonly T[]>;

/** Options for scoring several recordings. */
export interface RecordingsOptions extends Omit<ScoreOptions, 'uem'> {
  /** The scored regions, by recording. */
  readonly uem?: ByRecording<Segment>;
}

/** The score of one recording among others. */
export interface RecordingScore extends Score {
  /** The Jaccard error rate of the recording. */
  readonly jaccard: JaccardScore;
}

/** The sum over all recordings. */
export interface RecordingsScore extends Components {
  /** (missed speech + false alarm + confusion) / total over all recordings, as a fraction; can exceed 1. */
  readonly der: number;
  /** The mean over the speakers of all recordings. */
  readonly jer: number;
  /** The score of each recording, in the order of the reference. */
  readonly recordings: ReadonlyMap<string, RecordingScore>;
  /** Recordings of the hypothesis that are not in the reference and were not scored. */
  readonly ignored: readonly string[];
}

/**
 * The diarization and Jaccard error rates over several recordings: each is scored separately, with separate speakers, and the
 * seconds are added up, as pyannote.metrics accumulates them (`BaseMetric.__abs__`).
 *
 * Scores the recordings of the reference, and those of the UEM, for which the reference may have no speech. A recording
 * missing in the hypothesis counts as missed entirely. If each side has at most one recording, their names may
 * differ: the same audio is often called `talk` on one side and `talk.wav` on the other.
 *
 * @throws VoxlaneError `format` if the UEM has no region for a recording of the reference; `options` like
 *   {@link diarizationErrorRate}.
 */
export function scoreRecordings(
  reference: ByRecording<Turn>,
  hypothesis: ByRecording<Turn>,
  options: RecordingsOptions = {},
): RecordingsScore {
  const { uem, ...shared } = options;
  const alone = [reference, hypothesis, uem].every((side) => !side || side.size <= 1);
  const names = alone ? onlyName(reference, uem, hypothesis) : scoredNames(reference, hypothesis, uem);
  const recordings = new Map<string, RecordingScore>();
  for (const name of names) {
    const regions = uem && { uem: regionsOf(name, uem, alone) };
    const ofName = <T>(side: ByRecording<T>) => (alone ? [...side.values()][0] : side.get(name)) ?? [];
    const sides = [ofName(reference), ofName(hypothesis), { ...shared, ...regions }] as const;
    recordings.set(name, { ...diarizationErrorRate(...sides), jaccard: jaccardErrorRate(...sides) });
  }
  const components = sumComponents([...recordings.values()]);
  const jer = meanError([...recordings.values()].flatMap(({ jaccard }) => jaccard.speakers));
  const ignored = alone ? [] : [...hypothesis.keys()].filter((name) => !recordings.has(name));
  return { der: errorRate(components), jer, ...components, recordings, ignored };
}

/** The name under which the only recording is scored: that of the first side that has one. */
function onlyName(...sides: (ReadonlyMap<string, unknown> | undefined)[]): string[] {
  return sides.flatMap((side) => [...(side?.keys() ?? [])]).slice(0, 1);
}

function scoredNames(
  reference: ByRecording<Turn>,
  hypothesis: ByRecording<Turn>,
  uem: ByRecording<Segment> | undefined,
): Set<string> {
  const names = new Set([...reference.keys(), ...(uem?.keys() ?? [])]);
  // A reference without speech contains no names; all speech of the hypothesis is then false alarm.
  return names.size > 0 ? names : new Set(hypothesis.keys());
}

function regionsOf(name: string, uem: ByRecording<Segment>, alone: boolean): readonly Segment[] {
  const regions = alone ? [...uem.values()][0] : uem.get(name);
  if (regions) return regions;
  throw new VoxlaneError({
    code: 'format',
    problem: `The UEM has no region for the recording "${name}"`,
    expected: 'a region for each recording of the reference',
    remedy: 'Add a region, or remove the recording from the reference',
  });
}
