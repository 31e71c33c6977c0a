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

/** Frames of 1 s, windows of 4 frames, one frame apart. */
const TOY: TimeGeometry = {
  windows: { durationSeconds: 4, stepSeconds: 1 },
  frames: { durationSeconds: 1, stepSeconds: 1 },
  framesPerWindow: 4,
};

/** segmentation-3.0's. */
const REAL: TimeGeometry = {
  windows: { durationSeconds: 10, stepSeconds: 1 },
  frames: { durationSeconds: 991 / 16000, stepSeconds: 270 / 16000 },
  framesPerWindow: 589,
};

describe('geometry', () => {
  test('the frame nearest to a frame middle is that frame', () => {
    for (let frame = 0; frame < 1000; frame++) {
      expect(closestFrame(REAL.frames, frameMiddleSeconds(REAL.frames, frame))).toBe(frame);
    }
  });

  test("figures of pyannote's code for segmentation-3.0", () => {
    // closest_frame(chunk.start + 0.5 * duration) of chunks 0, 1, 2, 20 and num_frames of 21 chunks.
    expect([0, 1, 2, 20].map((window) => firstFrameOf(REAL, window))).toEqual([0, 59, 119, 1185]);
    expect(totalFrames(REAL, 21)).toBe(1779);
  });
});

describe('counting', () => {
  test('means over windows are rounded, halves to even', () => {
    // Two windows of one speaker each: they agree, or one alone hears it (0.5 → 0).
    const activity = Uint8Array.from([1, 1, 0, 0, /* second window */ 1, 1, 1, 1]);
    expect([...countSpeakers(activity, 1, TOY)]).toEqual([1, 1, 0, 0, 1, 0]);
  });
});

describe('stitching', () => {
  const activity = Uint8Array.from([
    // window 0, axes (frame, speaker)
    1, 0, 1, 1, 0, 1, 0, 0,
    // window 1: the same two people with their places swapped
    1, 1, 1, 0, 0, 0, 0, 0,
  ]);
  const input = { activity, numLocalSpeakers: 2, geometry: TOY };

  test('the speakers that most windows hear take the places that the count gives', () => {
    const hardClusters = Int32Array.from([0, 1, 1, 0]);
    const { data, numSpeakers } = reconstruct({ ...input, hardClusters, count: Uint8Array.from([1, 2, 1, 0, 0]) });
    expect(numSpeakers).toBe(2);
    expect([...data]).toEqual([1, 0, 1, 1, 0, 1, 0, 0, 0, 0]);
  });

  test('renaming the clusters renames the speakers and changes nothing else', () => {
    const count = Uint8Array.from([1, 2, 1, 0, 0]);
    const { data } = reconstruct({ ...input, hardClusters: Int32Array.from([1, 0, 0, 1]), count });
    expect([...data]).toEqual([0, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  test('more voices at once than clusters add silent speakers, as pyannote pads', () => {
    const hardClusters = Int32Array.from([0, 0, 0, 0]);
    const { data, numSpeakers } = reconstruct({ ...input, hardClusters, count: Uint8Array.from([0, 2, 0, 0, 0]) });
    expect(numSpeakers).toBe(2);
    expect([...data]).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  test('local speakers that are assigned to nobody have no vote', () => {
    const hardClusters = Int32Array.from([-2, 0, -2, 0]);
    const { data } = reconstruct({ ...input, hardClusters, count: Uint8Array.from([1, 1, 1, 0, 0]) });
    // Frame 0 is counted, though nobody is heard: the only speaker takes it, as in pyannote.
    expect([...data]).toEqual([1, 1, 1, 0, 0]);
  });
});

describe('turns', () => {
  test('run from the middle of the first frame to the middle of the first silent one', () => {
    const data = Uint8Array.from([0, 1, 1, 0, 1]);
    expect(turnsOf({ data, numSpeakers: 1 }, TOY.frames)).toEqual([{ startSeconds: 1.5, endSeconds: 3.5, speakerIndex: 0 }]);
  });

  test('a recording without speakers has none', () => {
    expect(turnsOf({ data: new Uint8Array(0), numSpeakers: 0 }, TOY.frames)).toEqual([]);
  });

  test('speakers with turns are numbered without gaps, in the order of their index as text', () => {
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
