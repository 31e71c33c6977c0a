import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openChannels, openStream, type DecodeOptions } from './decode';
import type { SamplePull } from './blocks';
import { collect, noise } from '../../test/audio/collect';

const OPTIONS: DecodeOptions = { sampleRate: 16_000 };

/** Returns samples in pieces of these lengths, repeatedly, and records the requests. */
class Pieces implements SamplePull {
  given = 0;
  isStopped = false;
  private numPieces = 0;

  constructor(
    private readonly samples: Float32Array,
    private readonly lengths: readonly number[],
  ) {}

  next(): Promise<Float32Array | null> {
    const length = this.lengths[this.numPieces++ % this.lengths.length]!;
    const piece = this.samples.subarray(this.given, this.given + length);
    this.given += piece.length;
    return Promise.resolve(piece.length > 0 ? piece : null);
  }

  stop(): void {
    this.isStopped = true;
  }
}

describe('openStream', () => {
  const samples = noise(9000);
  const segments = fc.record({ startSeconds: fc.constantFrom(0, 0.01, 0.1), durationSeconds: fc.constantFrom(undefined, 0.001, 0.05, 9) });

  it('returns the same as for all samples together, for any division into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(16_000, 44_100, 48_000, 8_000, 22_051),
        segments,
        async (lengths, sampleRate, { startSeconds, durationSeconds }) => {
          const options = { ...OPTIONS, startSeconds, ...(durationSeconds !== undefined && { durationSeconds }) };
          const whole = await collect(openChannels([samples], sampleRate, options).pieces());
          const streamed = await collect(openStream(new Pieces(samples, lengths), sampleRate, options).pieces());
          expect(streamed).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('requests only the samples of the segment, and announces their number', async () => {
    const pieces = new Pieces(samples, [100]);
    await collect(openStream(pieces, 16_000, { ...OPTIONS, startSeconds: 0.0625, durationSeconds: 0.0625 }).pieces());
    expect(pieces).toMatchObject({ given: 2000, isStopped: true });
  });

  it('does not stop a source that has ended', async () => {
    const pieces = new Pieces(samples, [1000]);
    await collect(openStream(pieces, 16_000, OPTIONS).pieces());
    expect(pieces.isStopped).toBe(false);
  });

  it('requests samples only when a piece is read', async () => {
    const pieces = new Pieces(samples, [100]);
    const stream = openStream(pieces, 16_000, OPTIONS).pieces();
    expect(pieces.given).toBe(0);
    await stream.next();
    await stream.next();
    expect(pieces.given).toBe(200);
  });

  it('rejects empty, late or non-finite sources, like any other source', async () => {
    const codeOf = async (held: Float32Array, options: Partial<DecodeOptions> = {}): Promise<unknown> =>
      collect(openStream(new Pieces(held, [10]), 16_000, { ...OPTIONS, ...options }).pieces()).then(
        () => 'none',
        (error: unknown) => (error as { code: string }).code,
      );
    expect(await codeOf(new Float32Array(0))).toBe('audio-no-samples');
    expect(await codeOf(noise(100), { startSeconds: 1 })).toBe('options');
    expect(await codeOf(Float32Array.of(0, NaN))).toBe('audio-not-finite');
  });
});
