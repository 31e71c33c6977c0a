import { releaseProxy, wrap, type Remote } from 'comlink';
import { messageOf, VoxlaneError, type ErrorParts } from '../src/util/errors';
import { Interruptible } from '../src/util/interruptible';

/**
 * A worker, its typed remote, and the certainty that a call ends.
 *
 * Comlink waits for ever when a worker cannot be loaded, dies or is terminated. Every call here is
 * interrupted by that, so it rejects instead.
 */
export class WorkerHandle<Api extends object> {
  private readonly remote: Remote<Api>;
  private readonly calls = new Interruptible<VoxlaneError>();

  constructor(
    private readonly worker: Worker,
    private readonly name: string,
  ) {
    this.remote = wrap<Api>(worker);
    worker.addEventListener('error', this.onError);
    worker.addEventListener('messageerror', this.onError);
  }

  /** Calls the worker. Rejects with a {@link VoxlaneError} in every failing case, termination included. */
  async call<Result>(use: (remote: Remote<Api>) => Promise<Result>): Promise<Result> {
    try {
      return await this.calls.run(async () => use(this.remote));
    } catch (thrown) {
      if (thrown instanceof VoxlaneError) throw thrown;
      if (isParts(thrown)) throw new VoxlaneError(thrown);
      throw new VoxlaneError(
        { code: 'worker-failed', problem: `The ${this.name} worker could not be called: ${messageOf(thrown)}` },
        { cause: thrown },
      );
    }
  }

  /** Ends the worker at once, whatever it is doing; its memory is given back. Pending calls reject with `reason`. */
  terminate(reason: VoxlaneError): void {
    if (this.calls.interruption) return;
    this.calls.interrupt(reason);
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
