import { releaseProxy, wrap, type Remote } from 'comlink';
import { VoxlaneError, type ErrorParts } from '../src/util/errors';
import { Interruptible } from '../src/util/abort';
import { watchLife, type EndOfLife } from './life';
import { FREE_MEMORY, START_AGAIN } from '../src/util/host';

/**
 * A worker and its typed remote. Every call settles.
 *
 * Comlink waits forever if a worker cannot be loaded, ends or is terminated. Here, such a call rejects. A worker that
 * fails is terminated.
 */
export class WorkerHandle<Api extends object> {
  private readonly remote: Remote<Api>;
  private readonly calls = new Interruptible<VoxlaneError>();
  private readonly stopWatching: () => void;
  private hasVanished = false;

  constructor(
    private readonly worker: Worker,
    private readonly name: string,
    watch: typeof watchLife = watchLife,
  ) {
    this.remote = wrap<Api>(worker);
    this.stopWatching = watch(worker, (how) => { this.fail(how); });
    worker.addEventListener('error', this.onError);
    worker.addEventListener('messageerror', this.onError);
  }

  /** Why the worker can no longer be called; null while it can. */
  get end(): VoxlaneError | null {
    return this.calls.interruption;
  }

  /** Whether the worker ended without an error. It can be replaced. */
  get vanished(): boolean {
    return this.hasVanished;
  }

  /** Calls the worker. Rejects with a {@link VoxlaneError} in every failure case, including termination. */
  async call<Result>(use: (remote: Remote<Api>) => Promise<Result>): Promise<Result> {
    try {
      return await this.calls.run(async () => use(this.remote));
    } catch (thrown) {
      if (thrown instanceof VoxlaneError) throw thrown;
      if (isParts(thrown)) {
        const error = new VoxlaneError(thrown);
        // An unexpected error: the worker's state is unknown.
        if (error.code === 'worker-failed') this.terminate(error);
        throw error;
      }
      throw new VoxlaneError(
        { code: 'worker-failed', problem: `The ${this.name} worker could not be called` },
        { cause: thrown },
      );
    }
  }

  /** Ends the worker immediately and frees its memory. Pending calls reject with `reason`. */
  terminate(reason: VoxlaneError): void {
    if (this.calls.interruption) return;
    // First, because the watch would report this end.
    this.stopWatching();
    this.calls.interrupt(reason);
    this.worker.removeEventListener('error', this.onError);
    this.worker.removeEventListener('messageerror', this.onError);
    this.remote[releaseProxy]();
    this.worker.terminate();
  }

  private fail(how: EndOfLife): void {
    this.hasVanished = true;
    const problem = how === 'ended' ? 'ended without an error' : 'did not start in two minutes';
    this.terminate(
      new VoxlaneError({
        code: 'worker-failed',
        problem: `The ${this.name} worker ${problem}`,
        expected: 'a worker that runs until the library terminates it',
        remedy: `Run again. If it happens again: ${FREE_MEMORY}`,
      }),
    );
  }

  private readonly onError = (event: Event): void => {
    // Not `instanceof ErrorEvent`, which Node does not have.
    const details = 'message' in event ? String(event.message) : '';
    this.terminate(
      new VoxlaneError({
        code: 'worker-failed',
        problem: `The ${this.name} worker could not start, or stopped`,
        expected: 'its script, and enough memory',
        remedy: `${START_AGAIN}. ${FREE_MEMORY}`,
        ...(details && { details }),
      }),
    );
  };
}

function isParts(thrown: unknown): thrown is ErrorParts {
  return typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error) && 'problem' in thrown;
}
