import type { Turn } from '../../timeline/turn';
import type { CaptureArray } from './arrays';

/** What a difference counts. */
export type DifferenceUnit =
  /** Of the greatest magnitude in the capture. */
  | 'relative'
  | 'absolute'
  /** Values that are not the same. */
  | 'values'
  | 'seconds';

/** How far one stage is from the capture. */
export interface StageDifference {
  /** Name of the array in the capture, or `rttm`. */
  readonly stage: string;
  readonly unit: DifferenceUnit;
  /** The greatest difference; infinite where shapes, NaN or turns do not match. */
  readonly greatest: number;
  /** Greatest difference that agrees. */
  readonly limit: number;
  readonly agrees: boolean;
  /** What does not match at all; empty where every value has its counterpart. */
  readonly remark: string;
}

/** Numbers as this project has them, to be compared with a capture's. */
export interface Computed {
  readonly stage: string;
  readonly unit: Exclude<DifferenceUnit, 'seconds'>;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  readonly limit: number;
}

/** Compares one array; NaN agrees with NaN alone. */
export function arrayDifference({ stage, unit, shape, data, limit }: Computed, captured: CaptureArray): StageDifference {
  const judge = (greatest: number, remark = ''): StageDifference => {
    return { stage, unit, greatest, limit, agrees: greatest <= limit, remark };
  };
  if (shape.join() !== captured.shape.join()) {
    return judge(Infinity, `the shape is (${shape.join(', ')}), in the capture (${captured.shape.join(', ')})`);
  }
  let greatest = 0;
  let magnitude = 0;
  let numOther = 0;
  for (const [index, expected] of captured.data.entries()) {
    const found = data[index]!;
    if (Number.isNaN(found) !== Number.isNaN(expected)) return judge(Infinity, `NaN at value ${index} on one side alone`);
    if (Number.isNaN(expected)) continue;
    if (found !== expected) numOther++;
    greatest = Math.max(greatest, Math.abs(found - expected));
    magnitude = Math.max(magnitude, Math.abs(expected));
  }
  if (unit === 'values') return judge(numOther);
  return judge(unit === 'relative' && magnitude > 0 ? greatest / magnitude : greatest);
}

/** Seconds that RTTM cannot tell apart: half of its last digit on both sides would be one. */
const MILLISECOND = 0.001;
/** Sums of decimal seconds in binary. */
const ROUNDING_SECONDS = 1e-9;

/** Compares turns in order: the speakers must be the same, the times within a millisecond. */
export function turnDifference(found: readonly Turn[], expected: readonly Turn[]): StageDifference {
  const judge = (greatest: number, remark = ''): StageDifference => {
    const limit = MILLISECOND;
    return { stage: 'rttm', unit: 'seconds', greatest, limit, agrees: greatest <= limit + ROUNDING_SECONDS, remark };
  };
  if (found.length !== expected.length) {
    return judge(Infinity, `${found.length} turns, in the capture ${expected.length}`);
  }
  let greatest = 0;
  for (const [index, turn] of expected.entries()) {
    const { startSeconds, endSeconds, speaker } = found[index]!;
    if (speaker !== turn.speaker) {
      return judge(Infinity, `turn ${index + 1} is ${speaker}'s, in the capture ${turn.speaker}'s`);
    }
    greatest = Math.max(greatest, Math.abs(startSeconds - turn.startSeconds), Math.abs(endSeconds - turn.endSeconds));
  }
  return judge(greatest);
}
