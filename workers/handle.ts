import { releaseProxy, wrap, type Remote } from 'comlink';
import { VoxlaneError, type ErrorParts } from '../src/util/errors';

/**
 * A worker, its typed remote, and the certainty that a call ends.
 *
 * Comlink waits for ever when a worker cannot be loaded, dies or is terminated. Every call here races against
 * that, so it rejects instead.
 */
export class WorkerHandle<Api extends object> {
  private readonly remote: Remote<Api>;
  private readonly stopped: Promise<never>;
  private stop!: (reason: VoxlaneError) => void;
  private stopReason: VoxlaneError | null = null;

  constructor(
    private readonly worker: Worker,
    private readonly name: string,
  ) {
    this.remote = wrap<Api>(worker);
    this.stopped = new Promise((_, reject) => {
      this.stop = reject;
    });
    // Nobody may be waiting when it stops.
    this.stopped.catch(() => undefined);
    worker.addEventListener('error', this.onError);
    worker.addEventListener('messageerror', this.onError);
  }

  /** Calls the worker. Rejects with a {@link VoxlaneError} in every failing case, termination included. */
  async call<Result>(use: (remote: Remote<Api>) => Promise<Result>): Promise<Result> {
    if (this.stopReason) throw this.stopReason;
    try {
      return await Promise.race([use(this.remote), this.stopped]);
    } catch (thrown) {
      throw isParts(thrown) ? new VoxlaneError(thrown) : thrown;
    }
  }

  /** Ends the worker at once, whatever it is doing; its memory is given back. Pending calls reject with `reason`. */
  terminate(reason: VoxlaneError): void {
    if (this.stopReason) return;
    this.stopReason = reason;
    this.stop(reason);
    this.worker.removeEventListener('error', this.onError);
    this.worker.removeEventListener('messageerror', this.onError);
    this.remote[releaseProxy]();
    this.worker.terminate();
  }

  private readonly onError = (event: Event): void => {
    const detail = event instanceof ErrorEvent && event.message ? `: ${event.message}` : '';
    this.terminate(
      new VoxlaneError({
        code: 'worker-failed',
        problem: `The ${this.name} worker stopped${detail}`,
        expected: 'its script beside the page, and enough memory',
        remedy: 'Reload the page; on a phone, close other tabs',
      }),
    );
  };
}

function isParts(thrown: unknown): thrown is ErrorParts {
  return typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error) && 'problem' in thrown;
}
