import { VoxlaneError } from '../util/errors';
import { cancelled } from './engine';

interface Waiting {
  readonly start: () => void;
  readonly reject: (reason: VoxlaneError) => void;
}

/**
 * One piece of work at a time, for a caller who wants the latest only: work that is under way ends, and of what is asked
 * for meanwhile, only the last is done. The others reject with `cancelled`.
 */
export class LatestOnly {
  private isBusy = false;
  private waiting: Waiting | null = null;
  private readonly onIdle: (() => void)[] = [];

  /** @param signal takes this piece back: it is not begun, or ends unheard */
  run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(cancelled(signal));
        return;
      }
      const entry: Waiting = {
        start: () => {
          this.isBusy = true;
          void work().then(resolve, reject).finally(() => {
            signal?.removeEventListener('abort', onAbort);
            this.next();
          });
        },
        reject: (reason) => {
          signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
      };
      const onAbort = (): void => {
        if (this.waiting === entry) this.waiting = null;
        reject(cancelled(signal));
      };
      signal?.addEventListener('abort', onAbort);
      if (!this.isBusy) {
        entry.start();
        return;
      }
      this.stop(superseded());
      this.waiting = entry;
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.isBusy) {
      await new Promise<void>((resolve) => {
        this.onIdle.push(resolve);
      });
    }
  }

  /** Rejects what has not been begun. */
  stop(reason: VoxlaneError): void {
    this.waiting?.reject(reason);
    this.waiting = null;
  }

  private next(): void {
    const { waiting } = this;
    this.isBusy = false;
    this.waiting = null;
    if (waiting) waiting.start();
    else for (const resolve of this.onIdle.splice(0)) resolve();
  }
}

function superseded(): VoxlaneError {
  return new VoxlaneError({ code: 'cancelled', problem: 'A newer call took the place of this one' });
}
