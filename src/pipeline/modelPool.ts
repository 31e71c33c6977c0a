import type { LoadReply, LoadRequest, ModelWorkerApi, OnDownload } from '../../workers/contracts';
import type { WorkerHandle } from '../../workers/handle';
import { addCounts, type GpuCountsByStage } from '../gpu/meter';
import type { VoxlaneError } from '../util/errors';
import { Slots } from '../util/slots';
import { ModelWorker, type Remote } from './modelWorker';

/**
 * Workers with the same model, each of which takes one call at a time.
 *
 * Several workers of one thread do more than one worker of several: the models' matrices are small, and threads wait
 * for each other after every one of them. And they need no cross-origin isolation.
 */
export class ModelPool<Manifest, Api extends ModelWorkerApi<Manifest>> {
  private readonly workers: ModelWorker<Manifest, Api>[];
  private readonly loaded = new Set<ModelWorker<Manifest, Api>>();
  private readonly idle: ModelWorker<Manifest, Api>[];
  private readonly waiting: ((worker: ModelWorker<Manifest, Api>) => void)[] = [];
  private terminated: VoxlaneError | null = null;
  /** Of the first worker's model file. */
  private sha256 = '';

  /**
   * @param size most workers; all but the first are started by {@link grow}
   * @param slots of all pools together
   */
  constructor(
    private readonly spawn: () => WorkerHandle<Api>,
    private readonly request: LoadRequest,
    readonly size: number,
    private readonly slots = new Slots(size),
  ) {
    const first = new ModelWorker<Manifest, Api>(spawn, request);
    this.workers = [first];
    this.idle = [first];
  }

  /**
   * Loads the first worker's model.
   *
   * @throws VoxlaneError `model-*`, `backend-*`, `worker-failed`
   */
  async load(onDownload?: OnDownload): Promise<LoadReply<Manifest>> {
    const [first] = this.workers as [ModelWorker<Manifest, Api>];
    const reply = await first.load(undefined, onDownload);
    this.sha256 = reply.sha256;
    this.loaded.add(first);
    return reply;
  }

  /** Starts the other workers; each takes calls as soon as it is ready. One that cannot be had is done without. */
  async grow(): Promise<void> {
    if (this.terminated) return;
    const others = Array.from({ length: this.size - 1 }, async () => {
      const worker = new ModelWorker<Manifest, Api>(this.spawn, this.request);
      this.workers.push(worker);
      try {
        await worker.load(this.sha256);
        this.loaded.add(worker);
        this.release(worker);
      } catch (error) {
        worker.terminate(error as VoxlaneError);
        this.workers.splice(this.workers.indexOf(worker), 1);
      }
    });
    await Promise.all(others);
  }

  /**
   * Calls a worker that has nothing else to do, in the order of the calls.
   *
   * @param use is called again after a lost device: it must not transfer what it sends
   */
  async call<Result>(use: (remote: Remote<Api>) => Promise<Result>): Promise<Result> {
    const worker = this.idle.shift() ?? (await this.nextIdle());
    try {
      return await this.slots.run(() => worker.call(use));
    } finally {
      this.release(worker);
    }
  }

  /** A new recording: losses are counted anew. */
  newRun(): void {
    for (const worker of this.workers) worker.newRun();
  }

  /** What each stage has asked of the GPU, in all workers that have their model. */
  async gpuCounts(): Promise<GpuCountsByStage> {
    return addCounts(await Promise.all(Array.from(this.loaded, (worker) => worker.gpuCounts())));
  }

  /** Ends the workers at once. */
  terminate(reason: VoxlaneError): void {
    this.terminated = reason;
    for (const worker of this.workers) worker.terminate(reason);
    // Whoever waits is given a worker that has ended, and hears its reason.
    for (const next of this.waiting.splice(0)) next(this.workers[0]!);
  }

  private nextIdle(): Promise<ModelWorker<Manifest, Api>> {
    return new Promise((resolve) => {
      if (this.terminated) resolve(this.workers[0]!);
      else this.waiting.push(resolve);
    });
  }

  private release(worker: ModelWorker<Manifest, Api>): void {
    if (this.terminated) {
      worker.terminate(this.terminated);
      return;
    }
    const next = this.waiting.shift();
    if (next) next(worker);
    else this.idle.push(worker);
  }
}
