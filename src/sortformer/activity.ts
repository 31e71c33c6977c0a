import type { SegmentSettings } from '../store/streamingSettings';
import { applyExclusiveMinDurations, type MinDurations } from '../timeline/minDurations';
import type { IndexedTurn } from '../timeline/turns';
import type { StreamLogits } from './chunkLoop';
import { sigmoid } from './probabilities';
import { SegmentBuilder } from './segments';

/** Turns of all speakers, and turns with at most one speaker at a time. */
export interface ActivityTurns {
  /** Sorted by start, then end, then speaker. */
  readonly turns: readonly IndexedTurn[];
  readonly exclusiveTurns: readonly IndexedTurn[];
}

/** Position of mel frames. */
interface FrameDistance {
  readonly hopSamples: number;
  readonly sampleRate: number;
}

/**
 * Turns logits into turns while a stream runs. Memory grows with the number of turns only.
 *
 * Exclusive turns have, in each frame, the active speaker with the highest logit; of equal ones the first, as in `np.argmax`.
 */
export class ActivityBuilder {
  private readonly all: SegmentBuilder;
  private readonly exclusive: SegmentBuilder;

  constructor(
    threshold: SegmentSettings['threshold'],
    private readonly numSpeakers: number,
    frames: FrameDistance,
    private readonly minDurations: MinDurations,
  ) {
    const { minDurationOn, minDurationOff } = minDurations;
    this.all = new SegmentBuilder({ threshold, minDurationOnSeconds: minDurationOn, minDurationOffSeconds: minDurationOff }, numSpeakers, frames);
    // Their minimum durations must not create overlaps, so they are applied at the end.
    this.exclusive = new SegmentBuilder({ threshold, minDurationOnSeconds: 0, minDurationOffSeconds: 0 }, numSpeakers, frames);
  }

  /** @param decided the frames that follow those of earlier calls */
  push(decided: StreamLogits): void {
    this.all.push(decided);
    this.exclusive.push({ ...decided, logits: onlyHighest(decided.logits, this.numSpeakers) });
  }

  /** Turns up to now, in seconds from the start. */
  result(): ActivityTurns {
    return { turns: this.all.segments(), exclusiveTurns: applyExclusiveMinDurations(this.exclusive.segments(), this.minDurations) };
  }
}

/** @returns the highest logit of each frame; the others are negative infinity, whose probability is 0 */
function onlyHighest(logits: Float32Array, numSpeakers: number): Float32Array {
  const highest = new Float32Array(logits.length).fill(-Infinity);
  for (let row = 0; row < logits.length; row += numSpeakers) {
    let best = row;
    for (let cell = row + 1; cell < row + numSpeakers; cell++) if (logits[cell]! > logits[best]!) best = cell;
    highest[best] = logits[best]!;
  }
  return highest;
}

/** @param logits axes (mel frame, speaker) @returns axes (mel frame, speaker), float32, 0 to 1 */
export const probabilitiesOf = (logits: Float32Array): Float32Array => logits.map(sigmoid);
