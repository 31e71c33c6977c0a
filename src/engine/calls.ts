import { cancelled, onAbort } from '../util/abort';

/**
 * Name of the method that `using` calls at the end of a block. A name of its own where the runtime does not know the
 * symbol: nothing is added to `Symbol`, and nobody calls the method there.
 */
export const DISPOSE: typeof Symbol.dispose =
  (Symbol as { readonly dispose?: typeof Symbol.dispose }).dispose ?? (Symbol('dispose') as typeof Symbol.dispose);

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
      const stopListening = onAbort(signal, () => {
        reject(cancelled(signal));
      });
      this.previous = this.previous.then(async () => {
        if (signal?.aborted) return;
        stopListening();
        await work().then(resolve, reject);
      });
    });
  }
}
