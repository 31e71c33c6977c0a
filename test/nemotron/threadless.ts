/** Worker handles without threads. The test replaces `serve` of the protocol by {@link served}`.set`. */
import type { VoxlaneError } from '../../src/util/errors';

/** Services of the workers, by worker name. */
export const served = new Map<string, object>();

/** Calls a worker's service in this thread. */
export class ThreadlessHandle {
  end: VoxlaneError | null = null;
  readonly vanished = false;
  private interrupt: (reason: VoxlaneError) => void = () => undefined;
  private readonly interrupted = new Promise<never>((_, reject) => { this.interrupt = reject; });

  constructor(private readonly name: string) {
    this.interrupted.catch(() => undefined);
  }

  call<Result>(use: (api: object) => Promise<Result>): Promise<Result> {
    if (this.end) return Promise.reject(this.end);
    return Promise.race([Promise.resolve().then(() => use(served.get(this.name)!)), this.interrupted]);
  }

  terminate(reason: VoxlaneError): void {
    this.end ??= reason;
    this.interrupt(reason);
  }
}
