import { VoxlaneError } from '../util/errors';
import { optionError } from './options';
import { readerOf, type PieceReader } from './pieceReader';
import { SampleFeed } from './sampleFeed';

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
