import { connectionProblem } from '../util/fetchFile';
import { Interruptible } from '../util/interruptible';
import { cancelled, unavailable } from './failures';
import { Passing, retryAfterMs, type After } from './retry';

/** What one request has to work with. */
export interface AttemptTools {
  readonly fetch: typeof globalThis.fetch;
  readonly after: After;
  /** A transfer that brings nothing for this long is ended: some proxies hold a dead connection open for minutes. */
  readonly stallMs: number;
}

/** One request, as it comes. */
export interface Attempt {
  readonly response: Response;
  /** The next bytes; null at the end. @throws Passing or VoxlaneError `cancelled` */
  readonly next: () => Promise<Uint8Array | null>;
  /** Lets go of the connection. */
  readonly end: () => void;
}

/**
 * Sends one request, which ends as soon as `signal` fires or nothing comes for a while.
 *
 * @param fromByte where to go on; 0 asks for the whole file
 * @throws Passing or VoxlaneError `cancelled`
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
      stop(new Passing(`nothing came for ${stallMs / 1000} s`));
    });
    try {
      return await work.run(step);
    } catch (error) {
      end();
      throw work.interruption ?? new Passing(isOpen ? 'the connection ended' : connectionProblem(), null, error);
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
 * @throws Passing for one that may be better the next time, VoxlaneError `model-missing` for one that will not be
 */
export function checkAnswer(address: string, { status, statusText, headers }: Response): void {
  if (PASSING_STATUS.has(status)) {
    throw new Passing(`the server answered ${status}`, retryAfterMs(headers.get('retry-after'), Date.now()));
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
