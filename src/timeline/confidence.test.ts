import { describe, expect, it } from 'vitest';
import { turnConfidence, type ConfidenceInput } from './turns';
import type { TimeGeometry } from '../segmentation/geometry';

/** Windows of 4 frames, one second each, every 2 seconds. */
const GEOMETRY: TimeGeometry = {
  windows: { durationSeconds: 4, stepSeconds: 2 },
  frames: { durationSeconds: 1, stepSeconds: 1 },
  framesPerWindow: 4,
};
/** Two windows with one local speaker of one cluster, active throughout. */
const INPUT: ConfidenceInput = {
  activity: new Uint8Array(8).fill(1),
  hardClusters: Int32Array.of(0, 0),
  confidences: Float64Array.of(0.9, 0.3),
  numLocalSpeakers: 1,
  geometry: GEOMETRY,
};
/** A turn from the middle of one frame to the middle of another. */
const turn = (from: number, to: number, speakerIndex = 0) => ({ startSeconds: from + 0.5, endSeconds: to + 0.5, speakerIndex });

describe('turnConfidence', () => {
  it('is the confidence of the window that contains the turn', () => {
    expect(turnConfidence(turn(0, 2), INPUT)).toBeCloseTo(0.9, 12);
    expect(turnConfidence(turn(4, 6), INPUT)).toBeCloseTo(0.3, 12);
  });

  it('weights windows by the frames of the turn in which the speaker is active', () => {
    // Frames 0 to 3 of the first window, 2 and 3 of the second.
    expect(turnConfidence(turn(0, 4), INPUT)).toBeCloseTo((4 * 0.9 + 2 * 0.3) / 6, 12);
    const partly = { ...INPUT, activity: Uint8Array.of(1, 1, 0, 0, 1, 1, 1, 1) };
    expect(turnConfidence(turn(0, 4), partly)).toBeCloseTo((2 * 0.9 + 2 * 0.3) / 4, 12);
  });

  it('ignores other speakers and unknown confidences', () => {
    expect(turnConfidence(turn(0, 4, 1), INPUT)).toBeNull();
    expect(turnConfidence(turn(0, 6), { ...INPUT, hardClusters: Int32Array.of(0, 1) })).toBeCloseTo(0.9, 12);
    expect(turnConfidence(turn(0, 6), { ...INPUT, confidences: Float64Array.of(NaN, 0.3) })).toBeCloseTo(0.3, 12);
    expect(turnConfidence(turn(0, 6), { ...INPUT, confidences: Float64Array.of(NaN, NaN) })).toBeNull();
  });
});
