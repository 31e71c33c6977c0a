import { Interruptible, onAbort } from '../util/abort';
import { connectionProblem } from '../util/fetch';
import { sha256Hex } from '../util/hash';
import type { KeptFile } from './cache';
import { altered, cancelled, gaveUp, unavailable } from './load';
import type { Beginning, Receiver } from './receiver';

/** Runs `action` after `milliseconds`; the returned function cancels it. Injected, so tests do not have to wait. */
export type Timer = (milliseconds: number, action: () => void) => () => void;

export const afterTimeout: Timer = (milliseconds, action) => {
  const timer = setTimeout(action, milliseconds);
  return () => {
    clearTimeout(timer);
  };
};

/** A failed attempt that is worth a retry. */
class RetryableError extends Error {
  /**
   * @param message reason, as the end of a sentence that begins with "because"
   * @param waitMs the wait that the server requests; null if it requests none
   * @param cause the browser's error
   */
  constructor(
    message: string,
    readonly waitMs: number | null = null,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

const FIRST_WAIT_MS = 1000;
/** Maximum wait between two attempts, whatever the server requests. With a longer wait, the page seems to hang. */
const MAX_WAIT_MS = 60_000;

/**
 * Milliseconds to wait after failure number `numFailures`, counted from 1. The wait doubles each time, with jitter
 * between half and all of it, so that clients that a server rejected do not all return in the same second.
 *
 * @param askedMs the wait that the server requests, respected up to one minute; null if it requests none
 */
export function backoffMs(numFailures: number, askedMs: number | null, random: () => number): number {
  const own = FIRST_WAIT_MS * 2 ** (numFailures - 1) * (0.5 + 0.5 * random());
  return Math.min(MAX_WAIT_MS, Math.max(own, askedMs ?? 0));
}

/** Milliseconds of a `Retry-After` header in seconds or as a date; null if it has neither form. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\s*\d+\s*$/.test(header)) return 1000 * Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** Resolves after `milliseconds`. @throws VoxlaneError `cancelled` as soon as `signal` fires */
function sleep(milliseconds: number, after: Timer, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const callOff = after(milliseconds, () => {
      stopListening();
      resolve();
    });
    const stopListening = onAbort(signal, () => {
      callOff();
      reject(cancelled());
    });
  });
}

/** Dependencies of one request. */
interface AttemptTools {
  readonly fetch: typeof globalThis.fetch;
  readonly after: Timer;
  /** A transfer without data for this time is ended: some proxies hold a dead connection open for minutes. */
  readonly stallMs: number;
}

/** One request and its response. */
interface Attempt {
  readonly response: Response;
  /** The next bytes; null at the end. @throws RetryableError or VoxlaneError `cancelled` */
  readonly next: () => Promise<Uint8Array | null>;
  /** Closes the connection. */
  readonly end: () => void;
}

/**
 * Sends one request, which ends as soon as `signal` fires or the transfer stalls.
 *
 * @param fromByte offset to continue from; 0 requests the whole file
 * @throws RetryableError or VoxlaneError `cancelled`
 */
async function openAttempt(
  address: string,
  fromByte: number,
  cache: RequestCache,
  { fetch, after, stallMs }: AttemptTools,
  signal?: AbortSignal,
): Promise<Attempt> {
  const connection = new AbortController();
  const work = new Interruptible<Error>();
  const stop = (reason: Error): void => {
    work.interrupt(reason);
    connection.abort();
  };
  const stopListening = onAbort(signal, () => {
    stop(cancelled());
  });
  const end = (): void => {
    stopListening();
    connection.abort();
  };

  /** Whether the server has answered. */
  let isOpen = false;
  /** Runs `step`. Rejects if it takes too long, is canceled or fails. */
  const timed = async <Result>(step: () => Promise<Result>): Promise<Result> => {
    const callOff = after(stallMs, () => {
      stop(new RetryableError(`no data arrived for ${stallMs / 1000} s`));
    });
    try {
      return await work.run(step);
    } catch (error) {
      end();
      throw work.interruption ?? new RetryableError(isOpen ? 'the connection ended' : connectionProblem(), null, error);
    } finally {
      callOff();
    }
  };

  // No If-Range header: cross-origin it requires a preflight, which not all hubs answer. The ETag is compared
  // instead.
  const headers: HeadersInit = fromByte > 0 ? { Range: `bytes=${fromByte}-` } : {};
  const response = await timed(() => fetch(address, { headers, cache, signal: connection.signal }));
  isOpen = true;
  const reader = response.body?.getReader();
  return {
    response,
    end,
    next: async () => (reader ? ((await timed(() => reader.read())).value ?? null) : null),
  };
}

/** Temporary failures: the server is busy, restarting, or was too slow. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Accepts a response that can contain the file.
 *
 * @throws RetryableError for a temporary failure, VoxlaneError `model-missing` for a permanent one
 */
function checkAnswer(address: string, { status, statusText, headers }: Response): void {
  if (PASSING_STATUS.has(status)) {
    throw new RetryableError(`the server answered ${status}`, retryAfterMs(headers.get('retry-after'), Date.now()));
  }
  if (status !== 200 && status !== 206) {
    throw unavailable(`The model file ${address} is not available: the server answered ${`${status} ${statusText}`.trim()}`);
  }
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) throw webPage(address);
}

/**
 * Whether a file begins like a web page, such as a sign-in page, an error page, or a fallback page for missing files.
 */
function looksLikeHtml(start: Uint8Array): boolean {
  return /^\s*<(!doctype|html|\?xml|!--)/i.test(new TextDecoder().decode(start.subarray(0, 256)));
}

function webPage(address: string): Error {
  return unavailable(`The model file ${address} is not available: the server answered with a web page instead`);
}

/** Progress of a download. Returns to 0 if the download has to start again. */
export interface DownloadProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** A file that a receiver gets. */
export interface ReceivedRequest {
  readonly address: string;
  /** Expected length and hash. Other bytes are never accepted. */
  readonly bytes: number;
  readonly sha256: string;
  /**
   * `no-cache` lets the browser's own cache answer after the server has confirmed that it is up to date; `no-store`
   * does not.
   */
  readonly httpCache: 'no-cache' | 'no-store';
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DownloadRequest extends ReceivedRequest {
  /** Cache for the received bytes, which may already contain the beginning of the file; null to cache nothing. */
  readonly kept: KeptFile | null;
}

/** Dependencies of downloads. */
export interface DownloadTools extends AttemptTools {
  /** From 0 to 1. */
  readonly random: () => number;
  /** Number of consecutive failures without progress after which a download fails. */
  readonly maxFailures: number;
}

/** The browser's implementations. */
export const browserDownloadTools: DownloadTools = {
  // `fetch` throws if it is called as a method of another object.
  fetch: (input, init) => fetch(input, init),
  after: afterTimeout,
  random: Math.random,
  // Longer than a hub takes to wake up, but short enough for a waiting user.
  stallMs: 20_000,
  // About half a minute of waiting in total.
  maxFailures: 6,
};

/**
 * Progress of at least this many bytes resets the count of failures, so a download over an unstable connection can
 * complete.
 */
const NEWS_BYTES = 1 << 18;

/**
 * Downloads a file of known length and hash. After an interruption, a stall or a temporary server failure, it waits
 * and then resumes.
 *
 * @returns the bytes, with the length and SHA-256 of `request`
 * @throws VoxlaneError `model-missing` (not available, or a web page instead), `model-altered` (other bytes),
 *   `model-download` (too many failures), `cancelled`
 */
export async function download(
  request: DownloadRequest,
  tools: DownloadTools = browserDownloadTools,
): Promise<Uint8Array<ArrayBuffer>> {
  const received = new ReceivedBytes(request.bytes, request.kept);
  await new Download(request, received, tools).run();
  return received.buffer;
}

/**
 * Downloads a file like {@link download}, but to a receiver that does not have to hold it in memory.
 *
 * @throws VoxlaneError like {@link download}; errors of `receiver`
 */
export async function downloadTo(receiver: Receiver, request: ReceivedRequest, tools: DownloadTools = browserDownloadTools): Promise<void> {
  await new Download(request, receiver, tools).run();
}

/** Receives a whole file in memory, and caches it while it arrives. */
class ReceivedBytes implements Receiver {
  readonly buffer: Uint8Array<ArrayBuffer>;
  private length = 0;

  constructor(
    bytes: number,
    private readonly kept: KeptFile | null,
  ) {
    this.buffer = new Uint8Array(bytes);
  }

  async recall(): Promise<Beginning> {
    const beginning = (await this.kept?.read(this.buffer)) ?? { receivedBytes: 0, tag: null };
    this.length = beginning.receivedBytes;
    return beginning;
  }

  async append(chunk: Uint8Array, tag: string | null): Promise<void> {
    this.buffer.set(chunk, this.length);
    this.length += chunk.length;
    await this.kept?.write(this.buffer, this.length, tag);
  }

  sha256(): Promise<string> {
    return sha256Hex(this.buffer);
  }

  async clear(): Promise<void> {
    this.length = 0;
    await this.kept?.clear();
  }
}

class Download {
  private receivedBytes = 0;
  /** Version of the received bytes. */
  private tag: string | null = null;
  /** The bytes came in one response directly from the server. If they are wrong, the server's file is wrong. */
  private direct = false;
  private httpCache: RequestCache;
  private numFailures = 0;
  private newsAtBytes = 0;

  constructor(
    private readonly request: ReceivedRequest,
    private readonly receiver: Receiver,
    private readonly tools: DownloadTools,
  ) {
    this.httpCache = request.httpCache;
  }

  async run(): Promise<void> {
    await this.recall();
    for (;;) {
      if (this.request.signal?.aborted === true) throw cancelled();
      try {
        if (this.receivedBytes < this.request.bytes) await this.transfer();
        const hash = await this.receiver.sha256();
        if (hash === this.request.sha256) return;
        await this.refuse(`has SHA-256 ${hash}`, this.request.sha256);
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        await this.waitAfter(error);
      }
    }
  }

  /** Loads the bytes of an earlier visit. */
  private async recall(): Promise<void> {
    const beginning = await this.receiver.recall();
    if (beginning.receivedBytes === 0) return;
    this.receivedBytes = beginning.receivedBytes;
    this.newsAtBytes = beginning.receivedBytes;
    this.tag = beginning.tag;
    this.direct = false;
    this.report();
  }

  /** Sends one request and reads it to the end of the file. */
  private async transfer(): Promise<void> {
    const { address, signal } = this.request;
    // A server that does not allow cross-origin range requests looks like a connection failure. Therefore, the last
    // attempt requests the whole file.
    const isLast = this.numFailures === this.tools.maxFailures - 1;
    const fromByte = isLast ? 0 : this.receivedBytes;
    const attempt = await openAttempt(address, fromByte, this.httpCache, this.tools, signal);
    try {
      await this.begin(attempt.response, fromByte);
      await this.receive(attempt);
    } finally {
      attempt.end();
    }
  }

  /** Ensures that the response continues where the received bytes end. */
  private async begin(response: Response, fromByte: number): Promise<void> {
    const tag = response.headers.get('etag');
    if (response.status === 416 || (response.status === 206 && !this.continues(response, fromByte, tag))) {
      await this.restart();
      throw new RetryableError('the file changed on the server');
    }
    checkAnswer(this.request.address, response);
    if (response.status === 200) {
      // The whole file, even if a range was requested.
      if (this.receivedBytes > 0) await this.restart();
      this.tag = tag;
      this.direct = this.httpCache !== 'no-cache';
    } else {
      this.direct = false;
    }
  }

  /**
   * Whether a 206 response continues the received bytes. Cross-origin headers may be unreadable; then only the hash
   * decides.
   */
  private continues({ headers }: Response, fromByte: number, tag: string | null): boolean {
    if (fromByte === 0 || (tag !== null && this.tag !== null && tag !== this.tag)) return false;
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    return !range || (Number(range[1]) === fromByte && (range[2] === '*' || Number(range[2]) === this.request.bytes));
  }

  private async receive({ response, next }: Attempt): Promise<void> {
    const { address, bytes } = this.request;
    for (let chunk = await next(); chunk !== null; chunk = await next()) {
      if (this.receivedBytes === 0 && looksLikeHtml(chunk)) throw webPage(address);
      if (this.receivedBytes + chunk.length > bytes) await this.refuse(`has more than ${bytes} bytes`, `${bytes} bytes`);
      this.receivedBytes += chunk.length;
      this.report();
      await this.receiver.append(chunk, this.tag);
    }
    if (this.receivedBytes === bytes) return;
    // A file of the length that the server declares is complete, so it is a different file.
    const { status, headers } = response;
    if (status === 200 && headers.get('content-length') === String(this.receivedBytes)) await this.refuse(`has ${this.receivedBytes} bytes`, `${bytes} bytes`);
    throw new RetryableError('the connection ended early');
  }

  /**
   * Drops wrong bytes. If they were combined from several responses or came from the browser's own cache, the
   * server's file may be correct, so it is downloaded once more from the beginning.
   *
   * @throws VoxlaneError `model-altered` if the bytes came directly from the server, RetryableError to try again
   */
  private async refuse(found: string, expected: string): Promise<never> {
    const wasDirect = this.direct;
    await this.restart();
    if (this.httpCache === 'no-cache') this.httpCache = 'reload';
    if (wasDirect) throw altered(this.request.address, found, expected);
    throw new RetryableError(`the file ${found}`);
  }

  private async restart(): Promise<void> {
    this.receivedBytes = 0;
    this.tag = null;
    this.report();
    await this.receiver.clear();
  }

  /** @throws VoxlaneError `model-download` after too many failures */
  private async waitAfter(failure: RetryableError): Promise<void> {
    const { address, bytes, signal } = this.request;
    if (this.receivedBytes >= this.newsAtBytes + NEWS_BYTES) {
      this.newsAtBytes = this.receivedBytes;
      this.numFailures = 0;
    }
    this.numFailures++;
    if (this.numFailures >= this.tools.maxFailures) {
      throw gaveUp(address, failure.message, this.numFailures, `${this.receivedBytes} of ${bytes} bytes`);
    }
    await sleep(backoffMs(this.numFailures, failure.waitMs, this.tools.random), this.tools.after, signal);
  }

  private report(): void {
    this.request.onProgress?.({ receivedBytes: this.receivedBytes, totalBytes: this.request.bytes });
  }
}
