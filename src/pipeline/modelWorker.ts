import { proxy } from 'comlink';
import type { LoadReply, LoadRequest, ModelWorkerApi, OnDownload } from '../../workers/contracts';
import type { WorkerHandle } from '../../workers/handle';
import { addCounts, type GpuCountsByStage } from '../gpu/meter';
import { VoxlaneError } from '../util/errors';

/** What a call is made on. */
export type Remote<Api extends object> = Parameters<Parameters<WorkerHandle<Api>['call']>[0]>[0];

/** Losses in one run after which the worker is given up: a driver that keeps crashing will not get better. */
const MOST_RESTARTS = 3;

/**
 * A worker with its model that survives the loss of its GPU device or of the worker itself: the worker is started and loaded
 * again, and the interrupted call is repeated. A call must therefore keep what it sends.
 */
export class ModelWorker<Manifest, Api extends ModelWorkerApi<Manifest>> {
  private handle: WorkerHandle<Api>;
  private restarts = 0;
  /** Counts of the workers that are gone. */
  private pastCounts: GpuCountsByStage[] = [];
  /** The worker's last answer, for the case that it vanishes. */
  private lastCounts: GpuCountsByStage = {};
  private terminated: VoxlaneError | null = null;
  /** Of the first file that was loaded; empty until then. */
  private sha256 = '';

  constructor(
    private readonly spawn: () => WorkerHandle<Api>,
    private readonly request: LoadRequest,
  ) {
    this.handle = spawn();
  }

  /**
   * @param sha256 of the required file; default: that of the first load, if there was one
   * @throws VoxlaneError `model-*`, `backend-*`, `worker-failed`; `model-altered` for a different file
   */
  async load(sha256 = this.sha256, onDownload?: OnDownload): Promise<LoadReply<Manifest>> {
    const listener = onDownload ? proxy(onDownload) : null;
    // Comlink's type of a generic remote hides that this is a plain asynchronous call.
    const reply = await this.handle.call((api) => (api as unknown as ModelWorkerApi<Manifest>).load(this.request, listener));
    if (sha256 !== '' && reply.sha256 !== sha256) throw otherFile(this.request.modelId, sha256, reply.sha256);
    this.sha256 = reply.sha256;
    return reply;
  }

  /** @param use is called again after a lost device or worker: it must not transfer what it sends */
  async call<Result>(use: (remote: Remote<Api>) => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await this.handle.call(use);
      } catch (error) {
        const isLoss = error instanceof VoxlaneError && (error.code === 'gpu-lost' || this.handle.vanished);
        if (!isLoss || this.terminated || this.restarts >= MOST_RESTARTS) throw error;
        await this.restartUntilLoaded(error);
      }
    }
  }

  /** A new recording: losses are counted anew. */
  newRun(): void {
    this.restarts = 0;
  }

  /** What each stage has asked of the GPU, over all restarts that could still be asked. */
  async gpuCounts(): Promise<GpuCountsByStage> {
    return addCounts([...this.pastCounts, await this.currentCounts()]);
  }

  /** Ends the worker at once. */
  terminate(reason: VoxlaneError): void {
    this.terminated = reason;
    this.handle.terminate(reason);
  }

  private async currentCounts(): Promise<GpuCountsByStage> {
    if (this.handle.vanished) return this.lastCounts;
    this.lastCounts = await this.handle.call((api) => (api as unknown as ModelWorkerApi<Manifest>).gpuCounts());
    return this.lastCounts;
  }

  private throwIfTerminated(): void {
    if (!this.terminated) return;
    this.handle.terminate(this.terminated);
    throw this.terminated;
  }

  /**
   * In Chromium, the fetch of a model fails (ERR_CACHE_WRITE_FAILURE) if another worker that fetches the same file ends
   * meanwhile. Such a load is repeated.
   */
  private async restartUntilLoaded(loss: VoxlaneError): Promise<void> {
    for (let reason = loss; ; ) {
      this.restarts++;
      try {
        await this.restart(reason);
        return;
      } catch (error) {
        const isFetch = error instanceof VoxlaneError && error.code === 'model-missing';
        if (!isFetch || this.terminated || this.restarts >= MOST_RESTARTS) throw error;
        reason = error;
      }
    }
  }

  private async restart(reason: VoxlaneError): Promise<void> {
    this.pastCounts.push(await this.currentCounts().catch(() => this.lastCounts));
    this.lastCounts = {};
    this.handle.terminate(reason);
    this.throwIfTerminated();
    this.handle = this.spawn();
    await this.load();
    this.throwIfTerminated();
  }
}

/** Another tab can delete or replace a stored model during a run. */
function otherFile(id: string, before: string, now: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-altered',
    problem: `The stored file of ${id} has changed since the run began: SHA-256 ${now}`,
    expected: `the file that was checked: SHA-256 ${before}`,
    remedy: 'Run again, and do not change stored models during a run',
  });
}
