import type { SamplePull } from '../../src/audio/blocks';
import { concatenate } from '../../src/util/values';

/** A source of pieces that records how it was consumed. */
export class TestSource<Piece> implements AsyncIterable<Piece> {
  read = 0;
  isEnded = false;

  /** @param failure thrown after the last piece */
  constructor(
    private readonly pieces: readonly Piece[],
    private readonly failure?: Error,
  ) {}

  [Symbol.asyncIterator](): AsyncIterator<Piece> {
    return {
      next: () => {
        if (this.read < this.pieces.length) return Promise.resolve({ done: false, value: this.pieces[this.read++]! });
        if (this.failure) return Promise.reject(this.failure);
        return Promise.resolve({ done: true, value: undefined });
      },
      return: () => {
        this.isEnded = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /** The source as a stream that reads only on demand. */
  stream(): ReadableStream<Piece> {
    const iterator = this[Symbol.asyncIterator]();
    return new ReadableStream<Piece>(
      {
        async pull(controller) {
          const step = await iterator.next();
          if (step.done) controller.close();
          else controller.enqueue(step.value);
        },
        cancel: async () => {
          await iterator.return?.();
        },
      },
      { highWaterMark: 0 },
    );
  }
}

/** Reads all samples from a pull, axes (sample), `wanted` at a time. */
export async function pullAll(pull: SamplePull, wanted = Infinity): Promise<Float32Array> {
  const taken: Float32Array[] = [];
  for (let samples = await pull.next(wanted); samples; samples = await pull.next(wanted)) taken.push(samples);
  return concatenate(taken);
}
