import { cancelled } from './engine';

/** One piece of work at a time, in the order in which they came. */
export class Turns {
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
