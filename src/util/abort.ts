import { VoxlaneError } from './errors';

/**
 * Name of the method that `using` calls at the end of a block. In runtimes without `Symbol.dispose`, this is a private
 * symbol: nothing is added to `Symbol`, and nothing calls the method.
 */
export const DISPOSE: typeof Symbol.dispose =
  (Symbol as { readonly dispose?: typeof Symbol.dispose }).dispose ?? (Symbol('dispose') as typeof Symbol.dispose);

/** @param signal if it has fired, its reason becomes the `cause` */
export function cancelled(signal?: AbortSignal): VoxlaneError {
  const options = signal?.aborted ? { cause: signal.reason as unknown } : undefined;
  return new VoxlaneError({ code: 'cancelled', problem: 'The caller canceled the run' }, options);
}

/**
 * A function, because TypeScript assumes that `aborted` stays false after a check.
 *
 * @throws VoxlaneError `cancelled`
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/** Validates a signal at run time, for callers without types. @throws VoxlaneError `options` */
export function checkSignal(signal: unknown): void {
  if (signal === undefined || signal === null) return;
  if (typeof signal === 'object' && 'aborted' in signal && 'addEventListener' in signal) return;
  throw new VoxlaneError({
    code: 'options',
    problem: 'The option signal is not an AbortSignal',
    expected: 'an AbortSignal, or no signal',
    remedy: 'Change the option and run again',
  });
}

/**
 * Calls `listener` when `signal` fires, or immediately if it has already fired.
 *
 * @returns removes the listener
 * @throws VoxlaneError `options` if `signal` is not an AbortSignal
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  checkSignal(signal);
  if (signal?.aborted) listener();
  else signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}

/**
 * Settles like `work`, or rejects with `cancelled` as soon as `signal` fires. If it has already fired, `work` is not called.
 *
 * @param stop called when `signal` fires, to stop the work
 * @param discard called with a result that arrives after `signal` has fired, to free it
 */
export function unlessAborted<Result>(
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
  { stop, discard }: { readonly stop?: (reason: VoxlaneError) => void; readonly discard?: (late: Result) => void } = {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => {
      const reason = cancelled(signal);
      stop?.(reason);
      reject(reason);
    });
    if (signal?.aborted) return;
    void work()
      .then((result) => {
        // Immediately, because the caller owns the result from here.
        stopListening();
        if (signal?.aborted) discard?.(result);
        resolve(result);
      }, reject)
      .finally(stopListening);
  });
}

/**
 * Lets one event reject all pending work.
 *
 * This is not `Promise.race` against one long-lived promise: each race would add a reaction that keeps its result in
 * memory as long as that promise lives (nodejs/node#17469). Here, that would be every batch of audio of a recording.
 */
export class Interruptible<Reason extends Error> {
  private readonly pending = new Set<(reason: Reason) => void>();
  private reason: Reason | null = null;

  /** The reason for rejecting all further work; null before an interruption. */
  get interruption(): Reason | null {
    return this.reason;
  }

  /** Settles like `work`, or rejects with the reason of an earlier interruption. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.reason) {
        reject(this.reason);
        return;
      }
      this.pending.add(reject);
      const settled = (): void => {
        this.pending.delete(reject);
      };
      work().then(resolve, reject).finally(settled);
    });
  }

  /** Rejects pending and future work. Later calls have no effect. */
  interrupt(reason: Reason): void {
    if (this.reason) return;
    this.reason = reason;
    for (const reject of this.pending) reject(reason);
    this.pending.clear();
  }
}
