import type { Turn } from '../timeline/turns';
import { type Segment, isEmpty, scoredSides, type ScoredSides, type ScoreOptions } from './segments';
import { cutAtBoundaries, matchVoices, optimalMapping, type JointSegment } from './mapping';

export type { ScoreOptions } from './segments';

/** Seconds of speech, where the time of two speakers at once counts twice. */
export interface Components {
  /** Speech of the reference that counts. */
  readonly total: number;
  /** Speech that both sides give to the same speaker. */
  readonly correct: number;
  /** Speech that the hypothesis lacks. */
  readonly missedSpeech: number;
  /** Speech that only the hypothesis has. */
  readonly falseAlarm: number;
  /** Speech that the hypothesis gives to another speaker. */
  readonly confusion: number;
}

/** The diarization error rate of one recording, and what it is made of. */
export interface Score extends Components {
  /** (missed speech + false alarm + confusion) / total, as a fraction; can exceed 1. */
  readonly der: number;
  /** Speaker of the hypothesis → speaker of the reference; without those who have no partner. */
  readonly mapping: Readonly<Record<string, string>>;
}

/**
 * The diarization error rate of one recording.
 *
 * Meaning, to the last convention, of `DiarizationErrorRate` of pyannote.metrics 4.2.0 (`diarization.py`,
 * `identification.py`, `utils.py`) on annotations in which every turn has a track of its own, as
 * `pyannote.database.util.load_rttm` makes them. Notable ones:
 * - turns of at most one microsecond do not exist;
 * - collars and overlaps come from the whole reference, also from its part outside the UEM;
 * - the mapping of the speakers looks only at the time that counts.
 *
 * @throws VoxlaneError `options` for a collar below zero or a time that is not finite.
 */
export function diarizationErrorRate(
  reference: readonly Turn[],
  hypothesis: readonly Turn[],
  options: ScoreOptions = {},
): Score {
  const sides = scoredSides(reference, hypothesis, options);
  return scoreOf(sides, cutAtBoundaries(sides.reference, sides.hypothesis));
}

/** The score of what counts. @param segments of the same sides */
export function scoreOf(sides: ScoredSides, segments: readonly JointSegment[]): Score {
  const mapping = optimalMapping(sides.reference, sides.hypothesis);
  const components = componentsOf(segments, mapping);
  return { der: errorRate(components), ...components, mapping: Object.fromEntries(mapping) };
}

/** The rate that components give: 0 where there is neither speech nor error, 1 where there is only error. */
export function errorRate({ total, missedSpeech, falseAlarm, confusion }: Components): number {
  const errors = confusion + falseAlarm + missedSpeech;
  if (total === 0) return errors === 0 ? 0 : 1;
  return errors / total;
}

/** The sum of components, as pyannote.metrics accumulates the recordings of a corpus. */
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

/** Pairs as many voices of each segment as it can, equal speakers first; what is left over is missed or false. */
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
 * What is wrong in a segment: speech that the hypothesis lacks, speech that only the hypothesis has, or speech that it gives to
 * another speaker.
 */
export type ErrorKind = 'missed' | 'false-alarm' | 'confusion';

/** A segment in which one voice is wrong. Of several voices that are wrong at once each has a segment of its own. */
export interface ErrorSegment extends Segment {
  /** What is wrong. */
  readonly kind: ErrorKind;
  /** Who speaks by the reference; null of a false alarm. */
  readonly reference: string | null;
  /** Who speaks by the hypothesis, as it names the speaker; null of missed speech. */
  readonly hypothesis: string | null;
}

/**
 * Where the hypothesis differs from the reference, cut as the diarization error rate counts it: the seconds of each
 * kind add up to the rate's component. Segments of the same speakers that follow one another are one. Where several
 * voices are wrong at once, the rate does not say who was taken for whom: they are paired in the order of their names.
 *
 * @returns sorted by start, then by end
 * @throws VoxlaneError `options` for a collar below zero or a time that is not finite.
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
  /** The errors that reach to the end of the segment before. */
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

/** A segment that the next segment may make longer. */
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
