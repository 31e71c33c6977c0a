import { cancelled } from './failures';

/** Runs `action` in `milliseconds`; the returned function calls that off. Injected, so that tests need not wait. */
export type After = (milliseconds: number, action: () => void) => () => void;

export const afterTimeout: After = (milliseconds, action) => {
  const timer = setTimeout(action, milliseconds);
  return () => {
    clearTimeout(timer);
  };
};

/** An attempt that failed in a way that the next one may not. */
export class Passing extends Error {
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
export function sleep(milliseconds: number, after: After, signal?: AbortSignal): Promise<void> {
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
