import { type FeedPort, serveFeed } from '../../workers/protocol';
import type { SamplePull } from '../audio/blocks';
import { VoxlaneError } from '../util/errors';
import { optionError } from './options';

/** A source that gives one piece after another, taken hold of. */
export interface PieceReader {
  next(): Promise<{ readonly done?: boolean; readonly value?: unknown }>;
  /** Tells the source that nobody reads on. Whatever it answers is not heard. */
  end(reason?: VoxlaneError): void;
}

/**
 * Takes hold of a source that gives pieces; null for any other. Nothing is read yet.
 *
 * @throws VoxlaneError `options` for a stream that somebody else reads
 */
export function readerOf(source: unknown): PieceReader | null {
  if (typeof source !== 'object' || source === null) return null;
  // First of the two: some browsers' streams can be iterated, and others' not.
  if (source instanceof ReadableStream) return streamReader(source);
  if (!(Symbol.asyncIterator in source)) return null;
  const iterator = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  let isEnded = false;
  return {
    // Not every iterator can be told to end.
    next: async () => (isEnded ? { done: true } : iterator.next()),
    end() {
      isEnded = true;
      // One that is waiting for its own next piece ends after that. It may throw instead of rejecting.
      const end = async (): Promise<unknown> => iterator.return?.();
      end().catch(() => undefined);
    },
  };
}

function streamReader(stream: ReadableStream<unknown>): PieceReader {
  if (stream.locked) throw optionError('source', 'a stream that is being read already', 'a stream that nobody reads; a response is read once only');
  const reader = stream.getReader();
  return {
    next: () => reader.read(),
    end(reason) {
      reader.cancel(reason).catch(() => undefined);
    },
  };
}

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

/**
 * What can be diarized: a file (audio or video, anything that this browser plays), its bytes in an `ArrayBuffer` or as a
 * stream such as `response.body`, or mono samples, nominally in [-1, 1], at once or piece by piece.
 *
 * A stream of bytes is collected first, outside of the page's memory where the browser can: containers must be read
 * here and there. Pieces of samples, of any length, are read as the work goes on and no faster; a piece is copied before
 * the next is asked for, so its buffer may be filled again. They are not held, except on WebGPU, where they are kept as
 * blobs to the end of the run: should the GPU fail, all is done again on WASM. A live source gives turns by `onPreview`.
 *
 * What gives pieces is read by one run only. The run ends it (`cancel()`, `return()`) if the run stops before
 * the end of the source, even if it has read nothing.
 */
export type DiarizationSource =
  | Blob
  | ArrayBuffer
  | Float32Array
  | ReadableStream<Uint8Array>
  | ReadableStream<Float32Array>
  | AsyncIterable<Float32Array>;

/** A source as it goes to the decoding worker. */
export type ReadyInput =
  | { readonly kind: 'file'; readonly blob: Blob }
  | { readonly kind: 'samples'; readonly samples: Float32Array; readonly sampleRate: number }
  | { readonly kind: 'stream'; readonly feed: SampleFeed; readonly sampleRate: number };

/** The source of one run: a stream is taken hold of at once, and is told to end with the run. */
export class RunInput {
  private readonly reader: PieceReader | null;
  private ready: ReadyInput | null = null;
  private isClosed = false;

  /**
   * @throws VoxlaneError `options` for a value that is no source or is already being read, for samples without a rate
   *   or with a track, and for a file with a rate
   */
  constructor(
    source: DiarizationSource,
    private readonly sampleRate: number | undefined,
    private readonly track?: number,
  ) {
    this.reader = readerOf(source);
    if (!this.reader) this.ready = this.whole(source);
  }

  /**
   * The source, as soon as its kind is known; a stream of bytes, as soon as all of it is here.
   *
   * @throws VoxlaneError `audio-decode` where a stream fails, `audio-no-samples` where it gives nothing, `options`
   */
  async settle(): Promise<ReadyInput> {
    this.ready ??= await this.fromPieces(this.reader!);
    return this.ready;
  }

  /** What the source itself did wrong, where `thrown` is a worker's account of it. */
  causeOf(thrown: unknown): unknown {
    const failure = this.ready?.kind === 'stream' ? this.ready.feed.failure : null;
    return failure && thrown instanceof VoxlaneError && thrown.problem === failure.problem ? failure : thrown;
  }

  /** The run is over. May be called again. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.ready?.kind === 'stream') this.ready.feed.close();
    else this.reader?.end();
  }

  /** Callers without types pass anything. */
  private whole(source: unknown): ReadyInput {
    if (source instanceof Float32Array) return { kind: 'samples', samples: source, sampleRate: this.rateOfSamples() };
    if (source instanceof Blob) return this.file(source);
    if (source instanceof ArrayBuffer) return this.file(new Blob([source]));
    throw new VoxlaneError({
      code: 'options',
      problem: `The source is ${Object.prototype.toString.call(source)}`,
      expected:
        'a Blob or File, an ArrayBuffer with a file, a Float32Array of mono samples, or a stream of bytes or of such samples',
      remedy: 'Pass one of these',
    });
  }

  private file(blob: Blob): ReadyInput {
    this.checkNoRate();
    return { kind: 'file', blob };
  }

  private rateOfSamples(): number {
    if (this.track !== undefined) throw optionError('track', this.track, 'no track for samples, which have only one');
    if (this.sampleRate !== undefined) return this.sampleRate;
    throw new VoxlaneError({
      code: 'options',
      problem: 'The source is samples, but the option sampleRate is missing',
      expected: 'the rate of the samples in Hz, such as that of the AudioContext or AudioBuffer that they come from',
      remedy: 'Set sampleRate and run again',
    });
  }

  private checkNoRate(): void {
    if (this.sampleRate === undefined) return;
    throw optionError('sampleRate', this.sampleRate, 'no sampleRate for a file, which has its own');
  }

  /** The first piece says which kind of stream it is. */
  private async fromPieces(reader: PieceReader): Promise<ReadyInput> {
    const first = await reader.next().catch((cause: unknown) => {
      throw broken(0, cause);
    });
    if (first.done) {
      throw new VoxlaneError({ code: 'audio-no-samples', problem: 'The stream ended before its first piece' });
    }
    if (!(first.value instanceof Uint8Array)) {
      const feed = new SampleFeed(reader, first.value);
      return { kind: 'stream', feed, sampleRate: this.rateOfSamples() };
    }
    this.checkNoRate();
    return { kind: 'file', blob: await collect(reader, first.value) };
  }
}

/** Ends a source that no run will read. Does nothing for one that cannot be ended, or that somebody else reads. */
export function dropSource(source: DiarizationSource): void {
  try {
    readerOf(source)?.end();
  } catch {
    // It is somebody else's.
  }
}

/**
 * Runs `check` and returns its result. If it throws, no run will read the source, so the source is ended.
 *
 * @throws what `check` throws
 */
export function endingOnFailure<Result>(source: DiarizationSource, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    dropSource(source);
    throw error;
  }
}

/** By way of a response, so that the browser and not the page holds what has come. */
async function collect(reader: PieceReader, first: Uint8Array): Promise<Blob> {
  let numBytes = 0;
  // In an object, because the compiler does not see the assignment in the stream.
  const fault: { error?: VoxlaneError } = {};
  const bytes = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        numBytes += first.length;
        controller.enqueue(first);
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.next();
          if (done) {
            controller.close();
            return;
          }
          if (!(value instanceof Uint8Array)) throw noBytes(value);
          numBytes += value.length;
          controller.enqueue(value);
        } catch (cause) {
          fault.error = cause instanceof VoxlaneError ? cause : broken(numBytes, cause);
          controller.error(fault.error);
        }
      },
    },
    { highWaterMark: 0 },
  );
  try {
    return await new Response(bytes as ReadableStream<Uint8Array<ArrayBuffer>>).blob();
  } catch (cause) {
    // What a response makes of an error differs from browser to browser.
    throw fault.error ?? broken(numBytes, cause);
  }
}

function noBytes(piece: unknown): VoxlaneError {
  return new VoxlaneError({
    code: 'audio-decode',
    problem: `A piece of the stream is ${Object.prototype.toString.call(piece)}`,
    expected: 'a Uint8Array, like the pieces before it',
    remedy: 'Convert it, or end the stream before it',
  });
}

function broken(numBytes: number, cause: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'audio-decode',
      problem: `The stream failed after ${numBytes} bytes`,
      expected: 'a stream that ends',
      remedy: 'Fetch the recording again',
    },
    { cause },
  );
}
