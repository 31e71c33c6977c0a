import { describe, expect, it } from 'vitest';
import { contiguous, mixToMono, type SoundBlock } from './blocks';
import { collect } from '../../test/audio/collect';

function blocksOf(...blocks: [startFrame: number, ...samples: number[]][]): SoundBlock[] {
  return blocks.map(([startFrame, ...samples]) => ({ startFrame, samples: Float32Array.from(samples) }));
}

async function lay(blocks: SoundBlock[], from = 0, to = Infinity): Promise<number[]> {
  return [...(await collect(contiguous(blocks, 10, from, to)))];
}

describe('contiguous', () => {
  it('passes consecutive blocks', async () => {
    expect(await lay(blocksOf([0, 1, 2], [2, 3]))).toEqual([1, 2, 3]);
  });

  it('fills a late start and a gap with silence', async () => {
    expect(await lay(blocksOf([2, 1], [5, 2, 3]))).toEqual([0, 0, 1, 0, 0, 2, 3]);
  });

  it('drops samples before the start, such as the encoder delay', async () => {
    expect(await lay(blocksOf([-4, 8, 9], [-2, 8, 9, 1], [1, 2]))).toEqual([1, 2]);
  });

  it('keeps the first of overlapping samples', async () => {
    expect(await lay(blocksOf([0, 1, 2, 3], [1, 8, 9, 4], [2, 7]))).toEqual([1, 2, 3, 4]);
  });

  it('respects its range', async () => {
    const blocks = blocksOf([0, 1, 2, 3], [5, 4, 5, 6]);
    expect(await lay(blocks, 2, 7)).toEqual([3, 0, 0, 4, 5]);
    expect(await lay(blocks, 1, 4)).toEqual([2, 3, 0]);
    expect(await lay(blocks, 3)).toEqual([0, 0, 4, 5, 6]);
  });

  it('fills a long gap in small pieces and rejects a gap of a day', async () => {
    const pieces = contiguous(blocksOf([800_000, 1]), 10, 0, Infinity);
    let longest = 0;
    for await (const piece of pieces) longest = Math.max(longest, piece.length);
    expect(longest).toBeLessThan(100_000);
    await expect(lay(blocksOf([0, 1], [900_000, 1]))).rejects.toMatchObject({ code: 'audio-decode' });
  });

  it.each([NaN, Infinity, -Infinity, 2 ** 40, -(2 ** 40)])('reports the time of the first %d', async (value) => {
    const failure = lay(blocksOf([0, 1, 2], [5, 1, 2, value, 4, value]));
    await expect(failure).rejects.toMatchObject({ code: 'audio-not-finite', problem: `The sample at 0.700 s is ${value}` });
  });

  it('ignores non-finite samples outside the segment', async () => {
    expect(await lay(blocksOf([0, NaN, 1, 2, NaN]), 1, 3)).toEqual([1, 2]);
  });
});

describe('mixToMono', () => {
  it('computes the mean, and returns a single channel unchanged', () => {
    const one = Float32Array.of(0.1, -2);
    expect(mixToMono([one])).toBe(one);
    expect([...mixToMono([Float32Array.of(1, 0), Float32Array.of(0, -1), Float32Array.of(2, -2)])]).toEqual([1, -1]);
  });

  it.each([0, 33])('rejects %i channels', (count) => {
    const channels = Array.from({ length: count }, () => new Float32Array(1));
    expect(() => mixToMono(channels)).toThrow(expect.objectContaining({ code: 'audio-channels' }));
  });
});
