import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pullThrough } from '../../workers/protocol';
import { noise } from '../../test/audio/collect';
import { readerOf, SampleFeed } from './source';
import { pullAll, TestSource } from '../../test/engine/pieces';

const NONE = new Float32Array(0);

function feedOf(pieces: readonly unknown[], failure?: Error): { feed: SampleFeed; source: TestSource<unknown> } {
  const source = new TestSource(pieces, failure);
  return { feed: new SampleFeed(readerOf(source)!, NONE), source };
}

/** Cuts the samples into pieces of these lengths. */
function cut(samples: Float32Array, lengths: readonly number[]): Float32Array[] {
  const pieces: Float32Array[] = [];
  let place = 0;
  for (const length of lengths) pieces.push(samples.subarray(place, (place += length)));
  return [...pieces, samples.subarray(place)];
}

describe('a feed of samples', () => {
  const samples = noise(50_000);

  test('returns all samples for any pieces, including empty ones', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 6 }), fc.integer({ min: 1, max: 9000 }), async (lengths, wanted) => {
        const { feed } = feedOf(cut(samples, lengths));
        const pulled = await pullAll(feed.pull(false), wanted);
        expect(pulled.length).toBe(samples.length);
        // Not `toEqual`, which takes seconds for so many values.
        expect(pulled.findIndex((value, index) => value !== samples[index])).toBe(-1);
      }),
      { numRuns: 30 },
    );
  });

  test('reads no more than requested, and copies before it reads on', async () => {
    const buffer = Float32Array.of(1, 2);
    const { feed, source } = feedOf([buffer, buffer, buffer]);
    const pull = feed.pull(false);
    expect(source.read).toBe(0);
    const first = await pull.next(2);
    expect(source.read).toBe(1);
    buffer.fill(9);
    expect([...first!]).toEqual([1, 2]);
    expect([...(await pull.next(3))!]).toEqual([9, 9, 9]);
    expect(source.read).toBe(3);
    expect(buffer.length).toBe(2);
  });

  test('passes each piece of a live stream on as it arrives', async () => {
    const { feed, source } = feedOf(cut(samples.subarray(0, 1000), [0, 100, 100, 600]));
    const pull = feed.pull(false, true);
    expect((await pull.next(Infinity))!.length).toBe(100);
    expect(source.read).toBe(2);
    expect((await pull.next(Infinity))!.length).toBe(100);
    expect((await pull.next(50))!.length).toBe(50);
    expect((await pull.next(Infinity))!.length).toBe(550);
    expect((await pull.next(Infinity))!.length).toBe(200);
    expect(await pull.next(Infinity)).toBeNull();
  });

  test('replays the kept pieces of a live stream', async () => {
    const lengths = Array.from({ length: 200 }, (_, index) => 1 + ((index * 37) % 200));
    const { feed } = feedOf(cut(samples, lengths));
    const first = feed.pull(true, true);
    for (const length of lengths) expect((await first.next(Infinity))!.length).toBe(length);
    const underWay = first.next(Infinity);
    const second = feed.pull(true, true);
    expect((await second.next(Infinity))!.length).toBeGreaterThan(16_000);
    expect(await underWay).toBeNull();
    const third = feed.pull(false);
    expect(await pullAll(third)).toEqual(samples);
  });

  test('replays kept samples from the first, and then continues', async () => {
    const { feed } = feedOf(cut(samples, [30_000]));
    const first = feed.pull(true);
    const [one, underWay] = [await first.next(20_000), first.next(20_000)];
    expect(one!.length).toBe(16_384);
    // The pending request of the first pull is not lost: only the second pull receives it.
    const second = feed.pull(false);
    expect(await pullAll(second)).toEqual(samples);
    expect(await underWay).toBeNull();
    expect(await first.next(1)).toBeNull();
  });

  test('works across threads, including errors', async () => {
    const whole = feedOf(cut(samples, [1, 20_000]));
    expect(await pullAll(pullThrough(whole.feed.open(false)))).toEqual(samples);
    whole.feed.close();
    const cause = new Error('the cable came off');
    const broken = feedOf([samples], cause);
    await expect(pullAll(pullThrough(broken.feed.open(false)))).rejects.toMatchObject({
      code: 'audio-decode',
      problem: 'The stream failed after 50000 samples',
    });
    expect(broken.feed.failure).toMatchObject({ code: 'audio-decode', cause });
    broken.feed.close();
    expect(broken.source.isEnded).toBe(false);
  });

  test('rejects other types with the number of the piece', async () => {
    const { feed, source } = feedOf([samples, [0, 0]]);
    await expect(pullAll(feed.pull(false))).rejects.toMatchObject({ code: 'options', problem: 'Piece 3 of the stream is [object Array]' });
    feed.close();
    expect(source.isEnded).toBe(true);
  });

  test.each(['stop', 'close'] as const)('%s ends the source once, but not if it has already ended', async (way) => {
    const { feed, source } = feedOf([samples]);
    const pull = feed.pull(false);
    await pull.next(10);
    if (way === 'stop') await pull.stop();
    feed.close();
    expect(source.isEnded).toBe(true);
    const whole = feedOf([samples]);
    await pullAll(whole.feed.pull(false));
    whole.feed.close();
    expect(whole.source.isEnded).toBe(false);
  });
});
