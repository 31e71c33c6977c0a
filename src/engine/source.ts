import { type FeedPort, serveFeed } from '../../workers/protocol';
import type { SamplePull } from '../audio/blocks';
import type { AudioFile } from '../audio/types';
import { VoxlaneError } from '../util/errors';
import { addressOf } from '../util/address';
import { pathOf } from '../util/host';
import { optionError } from './optionError';

/** A source of pieces, locked by its reader. */
interface PieceReader {
  next(): Promise<{ readonly done?: boolean; readonly value?: unknown }>;
  /** Ends the source early. Its reply is ignored. */
  end(reason?: VoxlaneError): void;
}

/**
 * Locks a source of pieces without reading; null for other sources.
 *
 * @throws VoxlaneError `options` if the stream has another reader
 */
export function readerOf(source: unknown): PieceReader | null {
  if (typeof source !== 'object' || source === null) return null;
  // Checked first: only some browsers' streams are iterable.
  if (source instanceof ReadableStream) return streamReader(source);
  if (!(Symbol.asyncIterator in source)) return null;
  const iterator = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  let isEnded = false;
  return {
    // Not every iterator can be ended.
    next: async () => (isEnded ? { done: true } : iterator.next()),
    end() {
      isEnded = true;
      // A pending iterator ends after its next piece. `return` may throw instead of rejecting.
      const end = async (): Promise<unknown> => iterator.return?.();
      end().catch(() => undefined);
    },
  };
}

function streamReader(stream: ReadableStream<unknown>): PieceReader {
  if (stream.locked) throw optionError('source', 'a locked stream', 'a stream without a reader; a response can be read only once');
  const reader = stream.getReader();
  return {
    next: () => reader.read(),
    end(reason) {
      reader.cancel(reason).catch(() => undefined);
    },
  };
}

/**
 * Pieces are merged to this length, unless the run needs them as they arrive. One second at 16 kHz causes little delay, and short
 * pieces need few messages.
 */
const REPLY_SAMPLES = 16_384;

/**
 * Provides mono samples of a caller's stream to the decoding worker. It does not read ahead, and it copies a piece
 * before it requests the next one: the caller can reuse the buffer.
 */
export class SampleFeed {
  /** The error of the source, with its cause, which the worker does not return. */
  failure: VoxlaneError | null = null;
  /** The samples read so far, if they are kept. Blobs, because browsers can store them on disk. */
  private readonly tape: Blob[] = [];
  /** Kept samples that are too few for a blob. */
  private held: Float32Array<ArrayBuffer>[] = [];
  private heldSamples = 0;
  private isKept = false;
  private isLive = false;
  private opening = 0;
  private readonly ports: FeedPort[] = [];
  private pulling: Promise<Float32Array | null> | null = null;
  private numPieces = 0;
  private numSamples = 0;
  private isOver = false;
  /** The part of the last piece that was not requested yet. */
  private rest: Float32Array = new Float32Array(0);

  /** @param first pieces already read from the source */
  constructor(
    private readonly source: PieceReader,
    first: unknown,
  ) {
    this.rest = this.check(first);
  }

  /** Returns a port for the worker, see {@link pull}. */
  open(isKept: boolean, isLive = false): MessagePort {
    const served = serveFeed(this.pull(isKept, isLive));
    this.ports.push(served);
    return served.port;
  }

  /**
   * Returns a pull of all samples from the first. Earlier pulls end.
   *
   * @param isKept keep the samples for another pull. All earlier pulls must have kept them too.
   * @param isLive return each piece as it arrives, without waiting for another one
   */
  pull(isKept: boolean, isLive = false): SamplePull {
    this.isKept = isKept;
    this.isLive = isLive;
    const opening = ++this.opening;
    let place = 0;
    let isReplay = true;
    return {
      next: async (wanted) => {
        if (isReplay && place === this.tape.length) this.flush();
        const kept = isReplay ? this.tape[place++] : undefined;
        isReplay = kept !== undefined;
        const samples = kept ? new Float32Array(await kept.arrayBuffer()) : await this.more(wanted);
        return opening === this.opening ? samples : null;
      },
      stop: () => {
        if (opening === this.opening) this.end();
      },
    };
  }

  /** The run is over: ends a source that has more samples. */
  close(): void {
    this.end();
    for (const port of this.ports.splice(0)) port.close();
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.source.end();
  }

  /** Shares a pending request instead of reading twice. */
  private more(wanted: number): Promise<Float32Array | null> {
    this.pulling ??= this.gather(Math.min(wanted, REPLY_SAMPLES), this.isKept).finally(() => {
      this.pulling = null;
    });
    return this.pulling;
  }

  /** @returns axes (sample), `enough` samples unless the stream ends before, or those of one piece if it is live; null if there are none */
  private async gather(enough: number, isKept: boolean): Promise<Float32Array | null> {
    const gathered = new Float32Array(enough);
    let filled = 0;
    while (filled < enough) {
      if (this.rest.length === 0 && ((this.isLive && filled > 0) || !(await this.readPiece()))) break;
      const part = this.rest.subarray(0, enough - filled);
      gathered.set(part, filled);
      filled += part.length;
      this.rest = this.rest.subarray(part.length);
    }
    if (filled === 0) return null;
    // Its own buffer, because it is transferred to the worker.
    const samples = filled === enough ? gathered : gathered.slice(0, filled);
    if (isKept) this.keep(samples);
    return samples;
  }

  private keep(samples: Float32Array<ArrayBuffer>): void {
    // A copy, because the samples are transferred.
    this.held.push(samples.slice());
    this.heldSamples += samples.length;
    if (this.heldSamples >= REPLY_SAMPLES) this.flush();
  }

  private flush(): void {
    if (this.held.length > 0) this.tape.push(new Blob(this.held));
    this.held = [];
    this.heldSamples = 0;
  }

  /** @returns whether there was a piece */
  private async readPiece(): Promise<boolean> {
    if (this.isOver) return false;
    const { done, value } = await this.source.next().catch((cause: unknown) => {
      // A failed source is not ended again.
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
        ? 'a Float32Array of mono samples, or a Uint8Array of file bytes'
        : 'a Float32Array of mono samples, like the previous pieces',
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
 * A source to diarize: a file (audio or video that this browser can play), its bytes as an `ArrayBuffer` or a stream
 * such as `response.body`, or mono samples, nominally in [-1, 1], at once or in pieces.
 *
 * In Node, also a path or a `file:` URL.
 *
 * A stream of bytes is first collected completely, outside the page's memory if the browser supports it, because
 * reading containers requires random access. Pieces of samples can have any length and are read only as fast as the run
 * proceeds. Each piece is copied before the next one is requested, so its buffer can be reused. Samples are not stored,
 * except on WebGPU, where they are kept as blobs until the end of the run: if the GPU fails, the run starts again on
 * WASM. `onPreview` returns turns of a live source.
 *
 * A source of pieces can be read by one run only. If the run stops before the end of the source, even without having
 * read anything, it ends the source (`cancel()`, `return()`).
 */
export type DiarizationSource =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | Float32Array
  | ReadableStream<Uint8Array>
  | ReadableStream<Float32Array>
  | AsyncIterable<Float32Array>;

/** A source in the form that the decoding worker accepts. */
export type ReadyInput =
  | AudioFile
  | { readonly kind: 'samples'; readonly samples: Float32Array; readonly sampleRate: number }
  | { readonly kind: 'stream'; readonly feed: SampleFeed; readonly sampleRate: number };

/** The source of one run. A stream is locked at once and ended with the run. */
export class RunInput {
  private readonly reader: PieceReader | null;
  private ready: ReadyInput | null = null;
  private isClosed = false;

  /**
   * @throws VoxlaneError `options` for a value that is not a source or is already being read, for samples without a
   *   rate or with a track, and for a file with a rate
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
   * Resolves when the kind of the source is known; for a stream of bytes, when it is complete.
   *
   * @throws VoxlaneError `audio-decode` if a stream fails, `audio-no-samples` if it is empty, `options`
   */
  async settle(): Promise<ReadyInput> {
    this.ready ??= await this.fromPieces(this.reader!);
    return this.ready;
  }

  /** The original error of the source, if `thrown` is a worker's report of it. */
  causeOf(thrown: unknown): unknown {
    const failure = this.ready?.kind === 'stream' ? this.ready.feed.failure : null;
    return failure && thrown instanceof VoxlaneError && thrown.problem === failure.problem ? failure : thrown;
  }

  /** Ends the source; idempotent. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.ready?.kind === 'stream') this.ready.feed.close();
    else this.reader?.end();
  }

  /** Validated at run time, for callers without types. */
  private whole(source: unknown): ReadyInput {
    if (source instanceof Float32Array) return { kind: 'samples', samples: source, sampleRate: this.rateOfSamples() };
    if (source instanceof Blob) return this.file(source);
    const path = pathOf(source);
    if (path !== null) {
      this.checkNoRate();
      return { kind: 'path', path };
    }
    if (source instanceof ArrayBuffer) return this.file(new Blob([source]));
    const address = addressOf(source);
    if (address !== null) {
      throw new VoxlaneError({
        code: 'options',
        problem: `The source is the address ${address.slice(0, 100)}`,
        expected: 'the content of the recording',
        remedy: 'Fetch it, and pass the Blob: await (await fetch(address)).blob()',
      });
    }
    throw new VoxlaneError({
      code: 'options',
      problem: `The source is ${Object.prototype.toString.call(source)}`,
      expected:
        'a Blob or File, an ArrayBuffer with a file, a Float32Array of mono samples, a stream of bytes or of such samples, or, in Node, a path',
      remedy: 'Pass one of these',
    });
  }

  private file(blob: Blob): ReadyInput {
    this.checkNoRate();
    return { kind: 'file', blob };
  }

  private rateOfSamples(): number {
    if (this.track !== undefined) throw optionError('track', this.track, 'no track: samples have only one');
    if (this.sampleRate !== undefined) return this.sampleRate;
    throw new VoxlaneError({
      code: 'options',
      problem: 'The source is samples, but the option sampleRate is missing',
      expected: 'the sample rate in Hz, such as that of the AudioContext or AudioBuffer that the samples come from',
      remedy: 'Set sampleRate and run again',
    });
  }

  private checkNoRate(): void {
    if (this.sampleRate === undefined) return;
    throw optionError('sampleRate', this.sampleRate, 'no sampleRate: a file has its own');
  }

  /** The first piece determines the kind of stream. */
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

/** Ends a source that no run will read. Does nothing if it cannot be ended or has another reader. */
export function dropSource(source: DiarizationSource): void {
  try {
    readerOf(source)?.end();
  } catch {
    // It has another reader.
  }
}

/**
 * Runs `check` and returns its result. If it throws, the source is ended, because no run will read it.
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

/** Through a `Response`, so that the browser, not the page, stores the data. */
async function collect(reader: PieceReader, first: Uint8Array): Promise<Blob> {
  let numBytes = 0;
  // An object, because TypeScript does not track an assignment inside the stream's callbacks.
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
    // Browsers wrap an error of a response differently.
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
