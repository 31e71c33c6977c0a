import { VoxlaneError } from '../util/errors';

/**
 * Name of the method that `using` calls at the end of a block. A name of its own where the runtime does not know the
 * symbol: nothing is added to `Symbol`, and nobody calls the method there.
 */
export const DISPOSE: typeof Symbol.dispose =
  (Symbol as { readonly dispose?: typeof Symbol.dispose }).dispose ?? (Symbol('dispose') as typeof Symbol.dispose);

/** A function, because the compiler believes that a signal that was not aborted stays so. */
export function hasAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}

/** Runs `work`, and `stop` when `signal` fires before it has ended. */
export async function untilAborted<Result>(
  signal: AbortSignal | undefined,
  stop: (reason: VoxlaneError) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  if (hasAborted(signal)) throw cancelled(signal);
  const cancel = (): void => {
    stop(cancelled(signal));
  };
  signal?.addEventListener('abort', cancel);
  try {
    const result = await work();
    // What was stopped in its last step may still look whole.
    if (hasAborted(signal)) throw cancelled(signal);
    return result;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** @param signal that has fired, whose reason becomes the `cause` */
export function cancelled(signal?: AbortSignal): VoxlaneError {
  const options = signal?.aborted ? { cause: signal.reason as unknown } : undefined;
  return new VoxlaneError({ code: 'cancelled', problem: 'The run was cancelled by the caller' }, options);
}

/**
 * Settles like `work`, or rejects with `cancelled` as soon as `signal` fires: for what cannot be interrupted and ends
 * unheard. Is not begun where the signal has fired already.
 *
 * @param discard takes what comes too late, where that has to be freed
 */
export function unlessAborted<Result>(
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
  discard?: (late: Result) => void,
): Promise<Result> {
  if (!signal) return work();
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      reject(cancelled(signal));
    };
    if (signal.aborted) {
      cancel();
      return;
    }
    signal.addEventListener('abort', cancel);
    void work()
      .then((result) => {
        if (signal.aborted) discard?.(result);
        resolve(result);
      }, reject)
      .finally(() => {
        signal.removeEventListener('abort', cancel);
      });
  });
}

/** One piece of work at a time, in the order in which they came. */
export class SerialQueue {
  /** The piece before; settles when the next one may begin, and never rejects. */
  private previous: Promise<void> = Promise.resolve();

  /**
   * Settles like `work`, which begins when those before it have ended. A piece whose signal fires while it waits rejects
   * at once with `cancelled` and is never begun; once it has begun, the signal is its own affair.
   */
  take<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(cancelled(signal));
        return;
      }
      let isOver = false;
      const giveUp = (): void => {
        isOver = true;
        reject(cancelled(signal));
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.previous = this.previous.then(async () => {
        if (isOver) return;
        signal?.removeEventListener('abort', giveUp);
        await work().then(resolve, reject);
      });
    });
  }
}
