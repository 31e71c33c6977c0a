import { Interruptible } from '../util/concurrency';
import { connectionProblem } from '../util/fetch';
import { sha256Hex } from '../util/hash';
import type { KeptFile } from './cache';
import { altered, cancelled, gaveUp, unavailable } from './failures';

/** Runs `action` in `milliseconds`; the returned function calls that off. Injected, so that tests need not wait. */
export type Timer = (milliseconds: number, action: () => void) => () => void;

export const afterTimeout: Timer = (milliseconds, action) => {
  const timer = setTimeout(action, milliseconds);
  return () => {
    clearTimeout(timer);
  };
};

/** An attempt that failed in a way that the next one may not. */
export class RetryableError extends Error {
  /**
   * @param message reason, as the end of a sentence that begins with "because"
   * @param waitMs how long the server asks to be left alone; null where it does not say
   * @param cause what the browser threw
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
/** Longest wait between two attempts, whatever a server asks for: more looks like a page that hangs. */
const MAX_WAIT_MS = 60_000;

/**
 * Milliseconds to wait after the failure number `numFailures`, from 1: doubled each time. Between half of that and all
 * of it, so that the visitors whom a server has thrown out do not all come back in the same second.
 *
 * @param askedMs what the server asked for, which we wait for up to a minute; null where it did not
 */
export function backoffMs(numFailures: number, askedMs: number | null, random: () => number): number {
  const own = FIRST_WAIT_MS * 2 ** (numFailures - 1) * (0.5 + 0.5 * random());
  return Math.min(MAX_WAIT_MS, Math.max(own, askedMs ?? 0));
}

/** Milliseconds that a `Retry-After` header asks for, in seconds or as a date; null where it says neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\s*\d+\s*$/.test(header)) return 1000 * Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** Ends after `milliseconds`. @throws VoxlaneError `cancelled` as soon as `signal` fires */
export function sleep(milliseconds: number, after: Timer, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(cancelled());
      return;
    }
    const cancel = (): void => {
      callOff();
      reject(cancelled());
    };
    const callOff = after(milliseconds, () => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    });
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** What one request has to work with. */
export interface AttemptTools {
  readonly fetch: typeof globalThis.fetch;
  readonly after: Timer;
  /** A transfer that brings nothing for this long is ended: some proxies hold a dead connection open for minutes. */
  readonly stallMs: number;
}

/** One request, as it comes. */
export interface Attempt {
  readonly response: Response;
  /** The next bytes; null at the end. @throws RetryableError or VoxlaneError `cancelled` */
  readonly next: () => Promise<Uint8Array | null>;
  /** Lets go of the connection. */
  readonly end: () => void;
}

/**
 * Sends one request, which ends as soon as `signal` fires or nothing comes for a while.
 *
 * @param fromByte where to go on; 0 asks for the whole file
 * @throws RetryableError or VoxlaneError `cancelled`
 */
export async function openAttempt(
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
  const cancel = (): void => {
    stop(cancelled());
  };
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted === true) cancel();
  const end = (): void => {
    signal?.removeEventListener('abort', cancel);
    connection.abort();
  };

  /** Whether the server has answered. */
  let isOpen = false;
  /** `step`, unless it takes too long, is cancelled or fails. */
  const timed = async <Result>(step: () => Promise<Result>): Promise<Result> => {
    const callOff = after(stallMs, () => {
      stop(new RetryableError(`nothing came for ${stallMs / 1000} s`));
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

  // No If-Range: from another origin it costs a preflight that hubs do not all answer. The tag is compared instead.
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

/** Answers that may be another one in a moment: the server is busy, restarting, or was too slow. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Lets through an answer that can hold the file.
 *
 * @throws RetryableError for one that may be better the next time, VoxlaneError `model-missing` for one that will not be
 */
export function checkAnswer(address: string, { status, statusText, headers }: Response): void {
  if (PASSING_STATUS.has(status)) {
    throw new RetryableError(`the server answered ${status}`, retryAfterMs(headers.get('retry-after'), Date.now()));
  }
  if (status !== 200 && status !== 206) {
    throw unavailable(`The model file ${address} is not there: the server answered ${`${status} ${statusText}`.trim()}`);
  }
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) throw webPage(address);
}

/** Whether a file begins like a web page: of a sign-in, an error, or a page that stands in for whatever is missing. */
export function looksLikeHtml(start: Uint8Array): boolean {
  return /^\s*<(!doctype|html|\?xml|!--)/i.test(new TextDecoder().decode(start.subarray(0, 256)));
}

export function webPage(address: string): Error {
  return unavailable(`The model file ${address} is not there: the server answered with a web page in its place`);
}

/** How far a file has come. Goes back to 0 where the server makes us start again. */
export interface DownloadProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface DownloadRequest {
  readonly address: string;
  /** What must arrive: nothing else is given out. */
  readonly bytes: number;
  readonly sha256: string;
  /** Where what arrives is kept as it arrives, and what arrived before lies; null keeps nothing. */
  readonly kept: KeptFile | null;
  /** `no-cache` lets the browser's own cache answer once the server says that it is up to date; `no-store` does not. */
  readonly httpCache: 'no-cache' | 'no-store';
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What downloads are made with. */
export interface DownloadTools extends AttemptTools {
  /** From 0 to 1. */
  readonly random: () => number;
  /** Failures in a row, without news in between, after which a download is given up. */
  readonly maxFailures: number;
}

/** Those of the browser. */
export const browserDownloadTools: DownloadTools = {
  // Called as a method of another object, it would throw.
  fetch: (input, init) => fetch(input, init),
  after: afterTimeout,
  random: Math.random,
  // Longer than a hub takes to wake up, shorter than a person's patience.
  stallMs: 20_000,
  // About half a minute of waiting in all.
  maxFailures: 6,
};

/** News of at least this many bytes make the count of failures start again: a bad line gets there in the end. */
const NEWS_BYTES = 1 << 18;

/**
 * Fetches a file of known length and hash. A cut, a stall, a busy server make it go on from where it was, after a while.
 *
 * @returns the bytes, whose length and SHA-256 are those of `request`
 * @throws VoxlaneError `model-missing` (not there, or a web page in its place), `model-altered` (other bytes),
 * `model-download` (given up), `cancelled`
 */
export async function download(
  request: DownloadRequest,
  tools: DownloadTools = browserDownloadTools,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Download(request, tools).run();
}

class Download {
  private readonly buffer: Uint8Array<ArrayBuffer>;
  private receivedBytes = 0;
  /** Of the version that the received bytes are of. */
  private tag: string | null = null;
  /** The bytes came in one answer, straight from the server: if they are wrong, they are wrong there. */
  private direct = false;
  private httpCache: RequestCache;
  private numFailures = 0;
  private newsAtBytes = 0;

  constructor(
    private readonly request: DownloadRequest,
    private readonly tools: DownloadTools,
  ) {
    this.buffer = new Uint8Array(request.bytes);
    this.httpCache = request.httpCache;
  }

  async run(): Promise<Uint8Array<ArrayBuffer>> {
    await this.recall();
    for (;;) {
      if (this.request.signal?.aborted === true) throw cancelled();
      try {
        if (this.receivedBytes < this.request.bytes) await this.transfer();
        const hash = await sha256Hex(this.buffer);
        if (hash === this.request.sha256) return this.buffer;
        await this.refuse(`has SHA-256 ${hash}`, this.request.sha256);
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        await this.waitAfter(error);
      }
    }
  }

  /** Takes up what an earlier visit left. */
  private async recall(): Promise<void> {
    const beginning = await this.request.kept?.read(this.buffer);
    if (!beginning || beginning.receivedBytes === 0) return;
    this.receivedBytes = beginning.receivedBytes;
    this.newsAtBytes = beginning.receivedBytes;
    this.tag = beginning.tag;
    this.direct = false;
    this.report();
  }

  /** One request, until the file is whole. */
  private async transfer(): Promise<void> {
    const { address, signal } = this.request;
    // A server that other origins may not ask for ranges looks like a dead network: the last attempt asks for all.
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

  /** Sees to it that the answer goes on where the received bytes end. */
  private async begin(response: Response, fromByte: number): Promise<void> {
    const tag = response.headers.get('etag');
    if (response.status === 416 || (response.status === 206 && !this.continues(response, fromByte, tag))) {
      await this.restart();
      throw new RetryableError('the file changed on the server');
    }
    checkAnswer(this.request.address, response);
    if (response.status === 200) {
      // All of it, asked or not.
      if (this.receivedBytes > 0) await this.restart();
      this.tag = tag;
      this.direct = this.httpCache !== 'no-cache';
    } else {
      this.direct = false;
    }
  }

  /** Whether a 206 is the rest of what was received. Headers that another origin may not read do not tell: the hash will. */
  private continues({ headers }: Response, fromByte: number, tag: string | null): boolean {
    if (fromByte === 0 || (tag !== null && this.tag !== null && tag !== this.tag)) return false;
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    return !range || (Number(range[1]) === fromByte && (range[2] === '*' || Number(range[2]) === this.request.bytes));
  }

  private async receive({ response, next }: Attempt): Promise<void> {
    const { address, bytes, kept } = this.request;
    for (let chunk = await next(); chunk !== null; chunk = await next()) {
      if (this.receivedBytes === 0 && looksLikeHtml(chunk)) throw webPage(address);
      if (this.receivedBytes + chunk.length > bytes) await this.refuse(`has more than ${bytes} bytes`, `${bytes} bytes`);
      this.buffer.set(chunk, this.receivedBytes);
      this.receivedBytes += chunk.length;
      this.report();
      await kept?.write(this.buffer, this.receivedBytes, this.tag);
    }
    if (this.receivedBytes === bytes) return;
    // A file that ends where its server says it does is whole, and another one than is wanted.
    const { status, headers } = response;
    if (status === 200 && headers.get('content-length') === String(this.receivedBytes)) await this.refuse(`has ${this.receivedBytes} bytes`, `${bytes} bytes`);
    throw new RetryableError('the connection ended early');
  }

  /**
   * Drops bytes that are not the file's. Where they were put together from several answers or came out of the browser's
   * own cache, the file itself may be sound, and is fetched once more from its beginning.
   *
   * @throws VoxlaneError `model-altered` where they came straight from the server, RetryableError to go on
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
    await this.request.kept?.clear();
  }

  /** @throws VoxlaneError `model-download` where there have been too many failures */
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
