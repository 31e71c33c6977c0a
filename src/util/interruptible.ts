/**
 * Lets one event reject whatever is pending at the time.
 *
 * Not `Promise.race` against one long-lived promise: each race would leave a reaction on it that keeps its result
 * in memory for as long as that promise lives (nodejs/node#17469), here every batch of audio of a recording.
 */
export class Interruptible<Reason extends Error> {
  private readonly pending = new Set<(reason: Reason) => void>();
  private reason: Reason | null = null;

  /** Why everything is rejected from now on; null as long as nothing has happened. */
  get interruption(): Reason | null {
    return this.reason;
  }

  /** Settles like `work`, or rejects with the reason of an interruption that comes first. */
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

  /** Rejects what is pending and all that comes. Only the first reason counts. */
  interrupt(reason: Reason): void {
    if (this.reason) return;
    this.reason = reason;
    for (const reject of this.pending) reject(reason);
    this.pending.clear();
  }
}
