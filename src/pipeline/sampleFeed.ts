import type { SamplePull } from '../audio/sampleBlocks';
import { VoxlaneError } from '../util/errors';
import { serveFeed, type FeedPort } from '../../workers/feedPort';
import type { PieceReader } from './pieceReader';

/** Pieces are put together to this: a second at 16 kHz, which nobody waits for, and few messages where pieces are short. */
const REPLY_SAMPLES = 16_384;

/**
 * Mono samples of a caller's stream, for the decoding worker to ask for. Nothing is read ahead of it, and a piece is
 * copied before the next is asked for: its buffer stays the caller's, who may fill it again.
 */
export class SampleFeed {
  /** What was wrong with the source, with its cause, which does not come back from the worker. */
  failure: VoxlaneError | null = null;
  /** What was given so far, where it is kept. Blobs, because browsers can lay them on disk. */
  private readonly tape: Blob[] = [];
  private isKept = false;
  private opening = 0;
  private readonly ports: FeedPort[] = [];
  private pulling: Promise<Float32Array | null> | null = null;
  private numPieces = 0;
  private numSamples = 0;
  private isOver = false;
  /** Of the last piece, what was not asked for yet. */
  private rest: Float32Array = new Float32Array(0);

  /** @param first what has been read of the source already */
  constructor(
    private readonly source: PieceReader,
    first: unknown,
  ) {
    this.rest = this.check(first);
  }

  /** For the worker's end, see {@link pull}. */
  open(isKept: boolean): MessagePort {
    const served = serveFeed(this.pull(isKept));
    this.ports.push(served);
    return served.port;
  }

  /**
   * The samples from the first on. What was pulled before gets no more.
   *
   * @param isKept keep them, so that they can be pulled once more. They have been so far, or nothing has been pulled.
   */
  pull(isKept: boolean): SamplePull {
    this.isKept = isKept;
    const opening = ++this.opening;
    let place = 0;
    return {
      next: async (wanted) => {
        const kept = this.tape[place++];
        const samples = kept ? new Float32Array(await kept.arrayBuffer()) : await this.more(wanted);
        return opening === this.opening ? samples : null;
      },
      stop: () => {
        if (opening === this.opening) this.end();
      },
    };
  }

  /** The run is over. A source that has more to give is told that nobody reads on. */
  close(): void {
    this.end();
    for (const port of this.ports.splice(0)) port.close();
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.source.end();
  }

  /** What somebody else has asked for already is not asked for twice. */
  private more(wanted: number): Promise<Float32Array | null> {
    this.pulling ??= this.gather(Math.min(wanted, REPLY_SAMPLES), this.isKept).finally(() => {
      this.pulling = null;
    });
    return this.pulling;
  }

  /** @returns axes (sample), `enough` of them unless they are the last; null where there are none */
  private async gather(enough: number, isKept: boolean): Promise<Float32Array | null> {
    const gathered = new Float32Array(enough);
    let filled = 0;
    while (filled < enough) {
      if (this.rest.length === 0 && !(await this.readPiece())) break;
      const part = this.rest.subarray(0, enough - filled);
      gathered.set(part, filled);
      filled += part.length;
      this.rest = this.rest.subarray(part.length);
    }
    if (filled === 0) return null;
    // Its own buffer, which moves to the worker.
    const samples = filled === enough ? gathered : gathered.slice(0, filled);
    if (isKept) this.tape.push(new Blob([samples]));
    return samples;
  }

  /** @returns whether there was one */
  private async readPiece(): Promise<boolean> {
    if (this.isOver) return false;
    const { done, value } = await this.source.next().catch((cause: unknown) => {
      // One that has failed is not told to end.
      this.isOver = true;
      throw (this.failure = this.broken(cause));
    });
    if (done) {
      this.isOver = true;
      return false;
    }
    this.rest = this.check(value);
    return true;
  }

  private check(piece: unknown): Float32Array {
    this.numPieces++;
    if (piece instanceof Float32Array) {
      this.numSamples += piece.length;
      return piece;
    }
    const isFirst = this.numPieces === 1;
    throw new VoxlaneError({
      code: 'options',
      problem: `Piece ${this.numPieces} of the stream is ${Object.prototype.toString.call(piece)}`,
      expected: isFirst
        ? 'a Float32Array of mono samples, or a Uint8Array of a file'
        : 'a Float32Array of mono samples, as the pieces before it',
      remedy: isFirst ? 'Convert the pieces' : 'Convert it, or end the stream before it',
    });
  }

  private broken(cause: unknown): VoxlaneError {
    return new VoxlaneError(
      {
        code: 'audio-decode',
        problem: `The stream failed after ${this.numSamples} samples`,
        expected: 'a stream that ends',
      },
      { cause },
    );
  }
}
