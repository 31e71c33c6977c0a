import type { Turn } from '../timeline/turn';
import { VoxlaneError } from '../util/errors';
import type { Interval } from './intervals';
import { crop, extent, isEmpty, overlaps, sorted, subtract, support } from './intervals';
import { optimalMapping } from './mapping';
import type { Piece } from './pieces';
import { cutAtBoundaries } from './pieces';

export interface ScoreOptions {
  /**
   * Width of the stretch around each boundary of the reference that does not count: half of it before the boundary
   * and half after it. NIST's "0.25 s collar" on either side is 0.5 here, as in pyannote.metrics. Default 0.
   */
  readonly collarSeconds?: number;
  /** Leaves out the time in which two turns of the reference overlap, be they of one speaker. Default false. */
  readonly skipOverlap?: boolean;
  /** The regions that count. Default: from the first start to the last end of both sides together. */
  readonly uem?: readonly Interval[];
}

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
  checkTimes('reference', reference);
  checkTimes('hypothesis', hypothesis);
  checkTimes('UEM', options.uem ?? []);

  const regions = scoredRegions(reference, hypothesis, options);
  const scored = [crop(sorted(reference), regions), crop(sorted(hypothesis), regions)] as const;
  const mapping = optimalMapping(...scored);
  const components = sumComponents(cutAtBoundaries(...scored).map((piece) => componentsOf(piece, mapping)));
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

/** The regions that count: the UEM without collars and, where asked for, without overlaps. */
function scoredRegions(reference: readonly Turn[], hypothesis: readonly Turn[], options: ScoreOptions): Interval[] {
  const { collarSeconds = 0, skipOverlap = false, uem } = options;
  if (!(collarSeconds >= 0 && collarSeconds < Infinity)) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The collar is ${collarSeconds}`,
      expected: 'seconds, 0 or more',
    });
  }
  const regions = support(uem ?? extent([...reference, ...hypothesis]));
  const removed = collarSeconds > 0 ? collarsOf(reference, collarSeconds) : [];
  if (skipOverlap) removed.push(...overlaps(reference));
  return subtract(regions, support(removed));
}

function collarsOf(reference: readonly Turn[], collarSeconds: number): Interval[] {
  const half = 0.5 * collarSeconds;
  return reference
    .filter((turn) => !isEmpty(turn))
    .flatMap((turn) => [turn.startSeconds, turn.endSeconds])
    .map((at) => ({ startSeconds: at - half, endSeconds: at + half }));
}

/** Pairs as many open turns of both sides as it can, equal speakers first; what is left over is missed or false. */
function componentsOf({ seconds, reference, hypothesis }: Piece, mapping: ReadonlyMap<string, string>): Components {
  const references = sumOf(reference.values());
  const hypotheses = sumOf(hypothesis.values());
  let correct = 0;
  for (const [label, count] of hypothesis) {
    const partner = mapping.get(label);
    if (partner !== undefined) correct += Math.min(count, reference.get(partner) ?? 0);
  }
  return {
    total: seconds * references,
    correct: seconds * correct,
    missedSpeech: seconds * Math.max(0, references - hypotheses),
    falseAlarm: seconds * Math.max(0, hypotheses - references),
    confusion: seconds * (Math.min(references, hypotheses) - correct),
  };
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** A NaN would fail every comparison and so vanish from the score without a word. */
function checkTimes(side: string, intervals: readonly Interval[]): void {
  const bad = intervals.find((one) => !Number.isFinite(one.startSeconds) || !Number.isFinite(one.endSeconds));
  if (!bad) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The ${side} holds a stretch from ${bad.startSeconds} to ${bad.endSeconds} s`,
    expected: 'finite times',
  });
}
