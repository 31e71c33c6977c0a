import { describe, expect, test } from 'vitest';
import { countSpeakers, reconstruct } from './reconstruct';
import {
  closestFrame,
  firstFrameOf,
  frameMiddleSeconds,
  totalFrames,
  type TimeGeometry,
} from '../segmentation/geometry';
import { nameTurns, speakerLabels, turnsOf } from './turns';

/** Frames of 1 s; windows of 4 frames, one frame apart. */
const TOY: TimeGeometry = {
  windows: { durationSeconds: 4, stepSeconds: 1 },
  frames: { durationSeconds: 1, stepSeconds: 1 },
  framesPerWindow: 4,
};

/** Geometry of segmentation-3.0. */
const REAL: TimeGeometry = {
  windows: { durationSeconds: 10, stepSeconds: 1 },
  frames: { durationSeconds: 991 / 16000, stepSeconds: 270 / 16000 },
  framesPerWindow: 589,
};

describe('geometry', () => {
  test('the frame nearest to the middle of a frame is that frame', () => {
    for (let frame = 0; frame < 1000; frame++) {
      expect(closestFrame(REAL.frames, frameMiddleSeconds(REAL.frames, frame))).toBe(frame);
    }
  });

  test("matches values of pyannote's code for segmentation-3.0", () => {
    // closest_frame(chunk.start + 0.5 * duration) of chunks 0, 1, 2, 20 and num_frames of 21 chunks.
    expect([0, 1, 2, 20].map((window) => firstFrameOf(REAL, window))).toEqual([0, 59, 119, 1185]);
    expect(totalFrames(REAL, 21)).toBe(1779);
  });
});

describe('counting', () => {
  test('rounds means over windows, halves to even', () => {
    // Two windows with one speaker each: both agree, or the speaker is active in only one of them (0.5 → 0).
    const activity = Uint8Array.from([1, 1, 0, 0, /* second window */ 1, 1, 1, 1]);
    expect([...countSpeakers(activity, 1, TOY)]).toEqual([1, 1, 0, 0, 1, 0]);
  });
});

describe('stitching', () => {
  const activity = Uint8Array.from([
    // window 0, axes (frame, speaker)
    1, 0, 1, 1, 0, 1, 0, 0,
    // window 1: the same two speakers in swapped positions
    1, 1, 1, 0, 0, 0, 0, 0,
  ]);
  const input = { activity, numLocalSpeakers: 2, geometry: TOY };

  test('activates the speakers with the most votes, up to the count', () => {
    const hardClusters = Int32Array.from([0, 1, 1, 0]);
    const { data, numSpeakers } = reconstruct({ ...input, hardClusters, count: Uint8Array.from([1, 2, 1, 0, 0]) });
    expect(numSpeakers).toBe(2);
    expect([...data]).toEqual([1, 0, 1, 1, 0, 1, 0, 0, 0, 0]);
  });

  test('renames the speakers and changes nothing else if the clusters are renamed', () => {
    const count = Uint8Array.from([1, 2, 1, 0, 0]);
    const { data } = reconstruct({ ...input, hardClusters: Int32Array.from([1, 0, 0, 1]), count });
    expect([...data]).toEqual([0, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  test('adds silent speakers if more are active than there are clusters, like pyannote', () => {
    const hardClusters = Int32Array.from([0, 0, 0, 0]);
    const { data, numSpeakers } = reconstruct({ ...input, hardClusters, count: Uint8Array.from([0, 2, 0, 0, 0]) });
    expect(numSpeakers).toBe(2);
    expect([...data]).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  test('ignores local speakers without a cluster', () => {
    const hardClusters = Int32Array.from([-2, 0, -2, 0]);
    const { data } = reconstruct({ ...input, hardClusters, count: Uint8Array.from([1, 1, 1, 0, 0]) });
    // Frame 0 has a count of 1 without a vote: the only speaker takes it, as in pyannote.
    expect([...data]).toEqual([1, 1, 1, 0, 0]);
  });
});

describe('turns', () => {
  test('start at the middle of the first active frame and end at the middle of the first silent one', () => {
    const data = Uint8Array.from([0, 1, 1, 0, 1]);
    expect(turnsOf({ data, numSpeakers: 1 }, TOY.frames)).toEqual([{ startSeconds: 1.5, endSeconds: 3.5, speakerIndex: 0 }]);
  });

  test('are empty for a recording without speakers', () => {
    expect(turnsOf({ data: new Uint8Array(0), numSpeakers: 0 }, TOY.frames)).toEqual([]);
  });

  test('number the speakers that have turns without gaps, in the text order of their indices', () => {
    const turn = (speakerIndex: number) => ({ startSeconds: 0, endSeconds: 1, speakerIndex });
    const labels = speakerLabels([turn(2), turn(10), turn(0)]);
    expect([...labels]).toEqual([
      [0, 'SPEAKER_00'],
      [10, 'SPEAKER_01'],
      [2, 'SPEAKER_02'],
    ]);
    expect(nameTurns([turn(10)], labels, 5)).toEqual([{ startSeconds: 5, endSeconds: 6, speaker: 'SPEAKER_01' }]);
  });
});
