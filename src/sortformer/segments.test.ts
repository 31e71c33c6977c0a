import { describe, expect, it } from 'vitest';
import { parseStreamingSettings } from '../store/streamingSettings';
import golden from './fixtures/stream.json';
import { Generator, NUM_SPEAKERS } from '../../test/sortformer/stubNetwork';
import { SegmentBuilder } from './segments';

const { segments: settings } = parseStreamingSettings(golden.settings, 'stream.json');
const FRAMES = { hopSamples: 160, sampleRate: 16_000 };

/** Logits of one speaker, from a text with # for activity. */
const logitsOf = (activity: string): Float32Array => Float32Array.from(activity, (letter) => (letter === '#' ? 3 : -3));

function build(activity: string, changes: Partial<typeof settings> = {}): number[][] {
  const builder = new SegmentBuilder({ ...settings, ...changes }, 1, FRAMES);
  builder.push({ logits: logitsOf(activity), firstFrame: 0, numFrames: activity.length });
  return builder.segments().map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]);
}

describe('SegmentBuilder', () => {
  it('returns the segments of the processor of the reference, for any size of the pushes', () => {
    const random = new Generator(5);
    const numFrames = 1500;
    const logits = new Float32Array(numFrames * NUM_SPEAKERS);
    for (let speaker = 0; speaker < NUM_SPEAKERS; speaker++) {
      for (let frame = 0; frame < numFrames; ) {
        const end = frame + 1 + random.next([3, 40, 400][random.next(3)]!);
        const level = (random.next(641) - 320) / 64;
        for (; frame < Math.min(end, numFrames); frame++) logits[frame * NUM_SPEAKERS + speaker] = level;
      }
    }
    for (const size of [1, 7, numFrames]) {
      const builder = new SegmentBuilder(settings, NUM_SPEAKERS, FRAMES);
      for (let frame = 0; frame < numFrames; frame += size) {
        const rows = logits.subarray(frame * NUM_SPEAKERS, (frame + size) * NUM_SPEAKERS);
        builder.push({ logits: rows, firstFrame: frame, numFrames: rows.length / NUM_SPEAKERS });
      }
      const found = builder.segments().map(({ startSeconds, endSeconds, speakerIndex }) => [startSeconds, endSeconds, speakerIndex]);
      // The reference sorts by start and speaker, we by start, end and speaker, like all turns.
      const byStart = (a: number[], b: number[]): number => a[0]! - b[0]! || a[2]! - b[2]!;
      expect(found.sort(byStart)).toEqual(golden.segments);
    }
  });

  it('ends open segments at the last frame, and continues them', () => {
    const builder = new SegmentBuilder(settings, 1, FRAMES);
    builder.push({ logits: logitsOf('..##'), firstFrame: 0, numFrames: 4 });
    expect(builder.segments()).toEqual([{ startSeconds: 0.02, endSeconds: 0.04, speakerIndex: 0 }]);
    builder.push({ logits: logitsOf('#.'), firstFrame: 4, numFrames: 2 });
    expect(builder.segments()).toEqual([{ startSeconds: 0.02, endSeconds: 0.05, speakerIndex: 0 }]);
  });

  it('fills short gaps, then removes short segments, if asked to', () => {
    expect(build('#.#....#')).toEqual([[0, 0.01], [0.02, 0.03], [0.07, 0.08]]);
    expect(build('#.#....#', { minDurationOffSeconds: 0.02 })).toEqual([[0, 0.03], [0.07, 0.08]]);
    expect(build('#.#....#', { minDurationOffSeconds: 0.02, minDurationOnSeconds: 0.02 })).toEqual([[0, 0.03]]);
  });

  it('needs a probability above the threshold', () => {
    const builder = new SegmentBuilder(settings, 1, FRAMES);
    builder.push({ logits: Float32Array.of(0, 1e-6), firstFrame: 0, numFrames: 2 });
    expect(builder.segments()).toEqual([{ startSeconds: 0.01, endSeconds: 0.02, speakerIndex: 0 }]);
    expect(build('####', { threshold: 0.99 })).toEqual([]);
  });
});
