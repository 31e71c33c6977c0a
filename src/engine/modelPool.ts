import { proxy } from 'comlink';
import type { LoadReply, LoadRequest, ModelWorkerApi, OnDownload } from '../../workers/contracts';
import type { WorkerHandle } from '../../workers/handle';
import { addCounts, type GpuCountsByStage } from '../gpu/meter';
import { Semaphore } from '../util/concurrency';
import { VoxlaneError } from '../util/errors';

/** What a call is made on. */
export type Remote<Api extends object> = Parameters<Parameters<WorkerHandle<Api>['call']>[0]>[0];

/** Losses in one run after which the worker is given up: a driver that keeps crashing will not get better. */
const MAX_RESTARTS = 3;

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
        if (!isLoss || this.terminated || this.restarts >= MAX_RESTARTS) throw error;
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
        if (!isFetch || this.terminated || this.restarts >= MAX_RESTARTS) throw error;
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
    private readonly slots = new Semaphore(size),
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

/** Values of consecutive windows that are filled in as the windows are done, in any order. */
interface Block<Values> {
  /** Axes (window, …). */
  readonly data: Values;
  /** Axes (window), 1 if the window is done. */
  readonly done: Uint8Array;
  /** Windows that were delivered. */
  delivered: number;
}

/** Marks windows of one block as done. */
export type MarkDone = (window: number) => void;

/** Receives the values of windows that are done and follow those of the last delivery; axes (window, …). */
export type Deliver<Values> = (values: Values, numWindows: number, deliveredWindows: number) => void;

/**
 * Delivers what a stage computed in the order of the windows, each window once, as soon as it and all windows before it are
 * done. Workers finish windows in any order, and a batch that did not fit into memory is computed in parts.
 */
export class InOrder<Values extends Float32Array | Uint8Array> {
  private readonly blocks: Block<Values>[] = [];
  private deliveredWindows = 0;

  constructor(private readonly deliver: Deliver<Values>) {}

  /** Windows that were delivered so far. */
  get completed(): number {
    return this.deliveredWindows;
  }

  /**
   * Adds the next windows of the recording.
   *
   * @param data axes (window, …); must hold a window's values when the window is marked
   */
  open(data: Values, numWindows: number): MarkDone {
    const block: Block<Values> = { data, done: new Uint8Array(numWindows), delivered: 0 };
    this.blocks.push(block);
    return (window) => {
      block.done[window] = 1;
      if (this.blocks[0] === block) this.flush();
    };
  }

  private flush(): void {
    for (let block = this.blocks[0]; block; block = this.blocks[0]) {
      const { data, done, delivered } = block;
      const next = done.indexOf(0, delivered);
      const end = next < 0 ? done.length : next;
      if (end > delivered) {
        const cells = data.length / done.length;
        block.delivered = end;
        this.deliveredWindows += end - delivered;
        this.deliver(data.subarray(delivered * cells, end * cells) as Values, end - delivered, this.deliveredWindows);
      }
      if (end < done.length) return;
      this.blocks.shift();
    }
  }
}
