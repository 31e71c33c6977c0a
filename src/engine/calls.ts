import { cancelled, onAbort } from '../util/abort';

/**
 * Name of the method that `using` calls at the end of a block. In runtimes without `Symbol.dispose`, this is a private
 * symbol: nothing is added to `Symbol`, and nothing calls the method.
 */
export const DISPOSE: typeof Symbol.dispose =
  (Symbol as { readonly dispose?: typeof Symbol.dispose }).dispose ?? (Symbol('dispose') as typeof Symbol.dispose);

/** Runs one task at a time, in the order of the calls. */
export class SerialQueue {
  /** The previous task; settles when the next one may start, and never rejects. */
  private previous: Promise<void> = Promise.resolve();

  /**
   * Settles like `work`, which starts when the earlier tasks have ended. If the signal fires before, the task rejects
   * at once with `cancelled` and never starts. After the start, the queue ignores the signal.
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
