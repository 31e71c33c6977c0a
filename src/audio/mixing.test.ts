import { describe, expect, it } from 'vitest';
import { concatenate } from '../util/values';
import { noise } from '../../test/audio/collect';
import type { PlanarBlock } from './blocks';
import { mixed } from './sourceStream';

const RATE = 1000;

async function mix(blocks: readonly PlanarBlock[]): Promise<{ samples: Float32Array; starts: number[]; cancels: number[] }> {
  const [pieces, starts, cancels]: [Float32Array[], number[], number[]] = [[], [], []];
  for await (const { startFrame, samples } of mixed(blocks, RATE, (at) => cancels.push(at))) {
    pieces.push(samples);
    starts.push(startFrame);
  }
  return { samples: concatenate(pieces), starts, cancels };
}

/** Consecutive blocks of `size` frames. */
function blocksOf(channels: readonly Float32Array[], size: number, start = 0): PlanarBlock[] {
  const length = channels[0]!.length;
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => ({
    startFrame: start + i * size,
    channels: channels.map((channel) => channel.subarray(i * size, (i + 1) * size)),
  }));
}

const inverted = (samples: Float32Array): Float32Array => samples.map((value) => -value);
const meanOf = (channels: readonly Float32Array[]): Float32Array =>
  channels[0]!.map((_, i) => Math.fround(channels.reduce((sum, channel) => sum + channel[i]!, 0) / channels.length));

describe('mixed', () => {
  it.each([1, 7, 64, 1000, 5000])('is the mean of channels that do not cancel, in blocks of %i', async (size) => {
    const channels = [noise(3500, 1), noise(3500, 2)];
    const { samples, cancels } = await mix(blocksOf(channels, size));
    expect(samples).toEqual(meanOf(channels));
    expect(cancels).toEqual([]);
  });

  it.each([1, 7, 64, 1000, 5000])('uses one of two channels that cancel, in blocks of %i', async (size) => {
    const left = noise(3500);
    const { samples, cancels } = await mix(blocksOf([left, inverted(left)], size));
    expect(samples).toEqual(left);
    expect(cancels).toEqual([0]);
  });

  it('returns to the mean when they no longer cancel, and reports the first place once', async () => {
    const left = noise(4000);
    const right = left.map((value, i) => (i >= 1000 && i < 3000 ? -value : value));
    const { samples, cancels } = await mix(blocksOf([left, right], 130));
    expect(samples).toEqual(left);
    expect(cancels).toEqual([1]);
  });

  it('does not use a channel that is nearly silent', async () => {
    const loud = noise(1000);
    const channels = [loud.map((value) => value / 1000), loud, inverted(loud)];
    expect((await mix(blocksOf(channels, 100))).samples).toEqual(loud);
  });

  it('uses the mean for silence, for one channel with sound, and for nearly opposite channels that do not cancel', async () => {
    const sound = noise(1000);
    const silence = new Float32Array(1000);
    const others = noise(1000, 5);
    // A correlation of about -0.8.
    const opposite = sound.map((value, i) => -0.8 * value + 0.6 * others[i]!);
    for (const channels of [[silence, silence], [sound, silence], [sound, opposite]]) {
      expect(await mix(blocksOf(channels, 100))).toMatchObject({ samples: meanOf(channels), cancels: [] });
    }
  });

  it('keeps gaps, one channel after two, and blocks that start in the middle of a second', async () => {
    const left = noise(300);
    const stereo = { channels: [left, inverted(left)] };
    const { starts, samples } = await mix([
      { startFrame: 900, ...stereo },
      { startFrame: 5000, ...stereo },
      { startFrame: 5300, channels: [left] },
    ]);
    expect(starts).toEqual([900, 1000, 5000, 5300]);
    expect(samples).toEqual(concatenate([left, left, left]));
  });

  it('keeps NaN for the later check', async () => {
    const left = noise(1000);
    left[10] = NaN;
    expect((await mix(blocksOf([left, inverted(left)], 100))).samples[10]).toBeNaN();
  });
});
