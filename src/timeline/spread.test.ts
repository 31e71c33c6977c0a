import { describe, expect, test } from 'vitest';
import { firstFrameOf, type TimeGeometry } from '../segmentation/geometry';
import { spreadEmbeddings } from './assembler';

/** Windows of ten frames, one every two frames. */
const geometry: TimeGeometry = {
  windows: { durationSeconds: 10, stepSeconds: 2 },
  frames: { durationSeconds: 1, stepSeconds: 1 },
  framesPerWindow: 10,
};
const numSpeakers = 2;
const dimension = 2;

/** Activity of `recording` in every window; `order` lists local speakers 0 and 1 of each window. */
function activityOf(recording: readonly (readonly string[])[], order: readonly (readonly string[])[]): Uint8Array {
  const activity = new Uint8Array(order.length * geometry.framesPerWindow * numSpeakers);
  order.forEach((people, window) => {
    for (let frame = 0; frame < geometry.framesPerWindow; frame++) {
      const now = recording[firstFrameOf(geometry, window) + frame] ?? [];
      people.forEach((person, speaker) => {
        const cell = (window * geometry.framesPerWindow + frame) * numSpeakers + speaker;
        activity[cell] = now.includes(person) ? 1 : 0;
      });
    }
  });
  return activity;
}

const rowsOf = (embeddings: Float32Array): number[][] =>
  Array.from({ length: embeddings.length / dimension }, (_, row) => [...embeddings.subarray(row * dimension, (row + 1) * dimension)]);

describe('spreading embeddings', () => {
  test('assigns embeddings to the same speaker in other local positions', () => {
    const recording = Array.from({ length: 14 }, (_, frame) => (frame < 7 ? ['ann'] : ['bob']));
    const activity = activityOf(recording, [['ann', 'bob'], ['bob', 'ann'], ['ann', 'bob']]);
    const embeddings = Float32Array.of(1, 0, 0, 1, NaN, NaN, NaN, NaN, NaN, NaN, NaN, NaN);
    const embedded = Uint8Array.of(1, 0, 0);
    const spread = spreadEmbeddings({ activity, embeddings, embedded, numSpeakers, dimension, geometry, minCleanFrames: 0 });
    expect(rowsOf(spread)).toEqual([[1, 0], [0, 1], [0, 1], [1, 0], [1, 0], [0, 1]]);
    // The input is not modified.
    expect(embeddings[4]).toBeNaN();
  });

  test('averages two embedded windows, weighted by the number of shared frames', () => {
    const recording = Array.from({ length: 20 }, () => ['ann']);
    const activity = activityOf(recording, Array.from({ length: 6 }, () => ['ann', 'nobody']));
    const embeddings = new Float32Array(6 * numSpeakers * dimension).fill(NaN);
    embeddings.set([10, 0], 0);
    embeddings.set([0, 10], 5 * numSpeakers * dimension);
    const embedded = Uint8Array.of(1, 0, 0, 0, 0, 1);
    const rows = rowsOf(spreadEmbeddings({ activity, embeddings, embedded, numSpeakers, dimension, geometry, minCleanFrames: 0 }));
    // Window 1 shares eight frames with window 0 and two with window 5.
    expect(rows[2]).toEqual([8, 2]);
    expect(rows[8]).toEqual([2, 8]);
    // A silent local speaker has no embedding.
    expect(rows[3]).toEqual([NaN, NaN]);
  });

  test('ignores frames with overlap if each speaker has enough frames alone', () => {
    const recording = Array.from({ length: 12 }, (_, frame) => (frame < 4 ? ['ann'] : frame < 8 ? ['ann', 'bob'] : ['bob']));
    const activity = activityOf(recording, [['ann', 'bob'], ['ann', 'bob']]);
    const embeddings = Float32Array.of(1, 0, 0, 1, NaN, NaN, NaN, NaN);
    const input = { activity, embeddings, embedded: Uint8Array.of(1, 0), numSpeakers, dimension, geometry };
    expect(rowsOf(spreadEmbeddings({ ...input, minCleanFrames: 1 })).slice(2)).toEqual([[1, 0], [0, 1]]);
    // If no speaker has enough frames alone, all frames count, and some are shared by both.
    const mixed = rowsOf(spreadEmbeddings({ ...input, minCleanFrames: 9 }))[2]!;
    expect(mixed[0]).toBeGreaterThan(mixed[1]!);
    expect(mixed[1]).toBeGreaterThan(0);
  });

  test('returns NaN for a local speaker that shares no frame with an embedded one', () => {
    const recording = Array.from({ length: 14 }, (_, frame) => (frame < 8 ? [] : ['ann']));
    const activity = activityOf(recording, [['ann', 'bob'], ['ann', 'bob'], ['ann', 'bob']]);
    const embeddings = new Float32Array(12).fill(NaN);
    const embedded = Uint8Array.of(1, 0, 0);
    const spread = spreadEmbeddings({ activity, embeddings, embedded, numSpeakers, dimension, geometry, minCleanFrames: 0 });
    expect([...spread].every(Number.isNaN)).toBe(true);
  });

  test('fills in a speaker of an embedded window who was left to another one, but not one with little speech', () => {
    const recording = Array.from({ length: 18 }, (_, frame) => (frame < 7 ? ['ann'] : frame < 9 ? ['cat'] : ['bob']));
    const activity = activityOf(recording, [['ann', 'bob'], ['bob', 'ann'], ['bob', 'cat'], ['bob', 'cat'], ['bob', 'cat']]);
    const embeddings = new Float32Array(5 * numSpeakers * dimension).fill(NaN);
    embeddings.set([1, 0], 0);
    embeddings.set([0, 1], 4 * numSpeakers * dimension);
    const input = { activity, embeddings, embedded: Uint8Array.of(1, 0, 0, 0, 1), numSpeakers, dimension, geometry };
    // Bob talks in one frame of the first window: not more than the minimum.
    expect(rowsOf(spreadEmbeddings({ ...input, minCleanFrames: 1 }))[1]).toEqual([NaN, NaN]);
    expect(rowsOf(spreadEmbeddings({ ...input, minCleanFrames: 0 }))[1]).toEqual([0, 1]);
    // Own embeddings stay as they are.
    expect(rowsOf(spreadEmbeddings({ ...input, minCleanFrames: 0 }))[0]).toEqual([1, 0]);
  });
});
