import type { Turn } from '../timeline/turns';
import { isEmpty, scoredSides, type ScoredSides, type ScoreOptions } from './segments';
import type { Segment } from '../util/segment';
import { cutAtBoundaries, matchVoices, optimalMapping, type JointSegment } from './mapping';

export type { ScoreOptions } from './segments';

/** Seconds of speech. Overlapping speech of two speakers counts twice. */
export interface Components {
  /** Scored speech of the reference. */
  readonly total: number;
  /** Speech that both sides assign to the same speaker. */
  readonly correct: number;
  /** Speech that is missing in the hypothesis. */
  readonly missedSpeech: number;
  /** Speech that is only in the hypothesis. */
  readonly falseAlarm: number;
  /** Speech that the hypothesis assigns to another speaker. */
  readonly confusion: number;
}

/** The diarization error rate of one recording, and its components. */
export interface Score extends Components {
  /** (missed speech + false alarm + confusion) / total, as a fraction; can exceed 1. */
  readonly der: number;
  /** Speaker of the hypothesis → speaker of the reference; without speakers that have no partner. */
  readonly mapping: Readonly<Record<string, string>>;
}

/**
 * The diarization error rate of one recording.
 *
 * Follows all conventions of `DiarizationErrorRate` of pyannote.metrics 4.2.0 (`diarization.py`,
 * `identification.py`, `utils.py`) for annotations in which every turn has a separate track, as created by
 * `pyannote.database.util.load_rttm`. In particular:
 * - turns of at most one microsecond are ignored;
 * - collars and overlaps are derived from the whole reference, including its part outside the UEM;
 * - the mapping of speakers considers only the scored time.
 *
 * @throws VoxlaneError `options` for a negative collar or a time that is not finite.
 */
export function diarizationErrorRate(
  reference: readonly Turn[],
  hypothesis: readonly Turn[],
  options: ScoreOptions = {},
): Score {
  const sides = scoredSides(reference, hypothesis, options);
  return scoreOf(sides, cutAtBoundaries(sides.reference, sides.hypothesis));
}

/** The score of the scored sides. @param segments of the same sides */
export function scoreOf(sides: ScoredSides, segments: readonly JointSegment[]): Score {
  const mapping = optimalMapping(sides.reference, sides.hypothesis);
  const components = componentsOf(segments, mapping);
  return { der: errorRate(components), ...components, mapping: Object.fromEntries(mapping) };
}

/** The error rate of components: 0 if there is neither speech nor error, 1 if there is only error. */
export function errorRate({ total, missedSpeech, falseAlarm, confusion }: Components): number {
  const errors = confusion + falseAlarm + missedSpeech;
  if (total === 0) return errors === 0 ? 0 : 1;
  return errors / total;
}

/** The sum of components, as pyannote.metrics accumulates them over recordings. */
export function sumComponents(parts: readonly Components[]): Components {
  const sum = { total: 0, correct: 0, missedSpeech: 0, falseAlarm: 0, confusion: 0 };
  for (const part of parts) {
    sum.total += part.total;
    sum.correct += part.correct;
    sum.missedSpeech += part.missedSpeech;
    sum.falseAlarm += part.falseAlarm;
    sum.confusion += part.confusion;
  }
  return sum;
}

/** Pairs as many speakers of each segment as possible, equal speakers first; the rest is missed speech or false alarm. */
function componentsOf(segments: readonly JointSegment[], mapping: ReadonlyMap<string, string>): Components {
  const sum = { total: 0, correct: 0, missedSpeech: 0, falseAlarm: 0, confusion: 0 };
  for (const segment of segments) {
    const seconds = segment.endSeconds - segment.startSeconds;
    const { correct, spoken, heard } = matchVoices(segment, mapping);
    sum.total += seconds * segment.reference.length;
    sum.correct += seconds * correct;
    sum.missedSpeech += seconds * Math.max(0, spoken.length - heard.length);
    sum.falseAlarm += seconds * Math.max(0, heard.length - spoken.length);
    sum.confusion += seconds * Math.min(spoken.length, heard.length);
  }
  return sum;
}

/**
 * Kind of an error in a segment: speech missing in the hypothesis, speech only in the hypothesis, or speech assigned to
 * another speaker.
 */
export type ErrorKind = 'missed' | 'false-alarm' | 'confusion';

/** A segment in which one speaker is wrong. If several speakers are wrong at once, each has a separate segment. */
export interface ErrorSegment extends Segment {
  /** Kind of the error. */
  readonly kind: ErrorKind;
  /** Speaker in the reference; null for a false alarm. */
  readonly reference: string | null;
  /** Speaker in the hypothesis; null for missed speech. */
  readonly hypothesis: string | null;
}

/**
 * The differences between hypothesis and reference, consistent with the diarization error rate: the seconds of each
 * kind add up to the component of the rate. Consecutive segments with the same speakers are joined. If several
 * speakers are wrong at once, the rate does not define who was confused with whom: they are paired in the order of their names.
 *
 * @returns sorted by start, then by end
 * @throws VoxlaneError `options` for a negative collar or a time that is not finite.
 */
export function errorsOf(
  reference: readonly Turn[],
  hypothesis: readonly Turn[],
  options: ScoreOptions = {},
): ErrorSegment[] {
  const sides = scoredSides(reference, hypothesis, options);
  const mapping = optimalMapping(sides.reference, sides.hypothesis);
  return errorSegments(cutAtBoundaries(sides.reference, sides.hypothesis), mapping);
}

/**
 * The errors of segments.
 *
 * @param mapping speaker of the hypothesis → speaker of the reference
 */
export function errorSegments(segments: readonly JointSegment[], mapping: ReadonlyMap<string, string>): ErrorSegment[] {
  const found: Growing[] = [];
  /** Errors that last until the end of the previous segment. */
  let open: Growing[] = [];
  for (const segment of segments) {
    const { spoken, heard } = matchVoices(segment, mapping);
    const growing: Growing[] = [];
    for (let index = 0; index < Math.max(spoken.length, heard.length); index++) {
      const [reference = null, hypothesis = null] = [spoken[index], heard[index]];
      const earlier = open.findIndex((one) => continues(one, reference, hypothesis, segment));
      const error = open[earlier] ?? begin(reference, hypothesis, segment);
      if (earlier < 0) found.push(error);
      else open.splice(earlier, 1);
      error.endSeconds = segment.endSeconds;
      growing.push(error);
    }
    open = growing;
  }
  return found.sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
}

/** An error that the next segment may extend. */
type Growing = Omit<ErrorSegment, 'endSeconds'> & { endSeconds: number };

function begin(reference: string | null, hypothesis: string | null, { startSeconds, endSeconds }: JointSegment): Growing {
  const kind = reference === null ? 'false-alarm' : hypothesis === null ? 'missed' : 'confusion';
  return { startSeconds, endSeconds, kind, reference, hypothesis };
}

function continues(earlier: ErrorSegment, reference: string | null, hypothesis: string | null, segment: JointSegment): boolean {
  return (
    earlier.reference === reference &&
    earlier.hypothesis === hypothesis &&
    isEmpty({ startSeconds: earlier.endSeconds, endSeconds: segment.startSeconds })
  );
}
