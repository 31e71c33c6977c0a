import { proxy } from 'comlink';
import type { LoadReply, LoadRequest, ModelWorkerApi, OnDownload } from '../../workers/contracts';
import type { WorkerHandle } from '../../workers/handle';
import { Semaphore } from '../util/concurrency';
import { VoxlaneError } from '../util/errors';

/** The remote interface of a worker. */
type Remote<Api extends object> = Parameters<Parameters<WorkerHandle<Api>['call']>[0]>[0];

/** Maximum number of restarts of a worker in one run: a driver that keeps crashing will not recover. */
const MAX_RESTARTS = 3;

/**
 * A worker with its model that survives the loss of its GPU device or of the worker itself: the worker is restarted,
 * the model is loaded again, and the interrupted call is repeated. A call must therefore keep its arguments.
 */
export class ModelWorker<Manifest, Api extends ModelWorkerApi<Manifest>> {
  private handle: WorkerHandle<Api>;
  private restarts = 0;
  private terminated: VoxlaneError | null = null;
  /** SHA-256 of the first loaded file; empty until then. */
  private sha256 = '';

  constructor(
    private readonly spawn: () => WorkerHandle<Api>,
    private readonly request: LoadRequest,
  ) {
    this.handle = spawn();
  }

  /**
   * @param sha256 SHA-256 of the required file; default: that of the first load, if there was one
   * @throws VoxlaneError `model-*`, `backend-*`, `worker-failed`; `model-altered` for a different file
   */
  async load(sha256 = this.sha256, onDownload?: OnDownload): Promise<LoadReply<Manifest>> {
    const listener = onDownload ? proxy(onDownload) : null;
    // The Comlink type of a generic remote does not show that this is an asynchronous call.
    const reply = await this.handle.call((api) => (api as unknown as ModelWorkerApi<Manifest>).load(this.request, listener));
    if (sha256 !== '' && reply.sha256 !== sha256) throw otherFile(this.request.modelId, sha256, reply.sha256);
    this.sha256 = reply.sha256;
    return reply;
  }

  /** @param use called again after the loss of a device or worker: it must not transfer its arguments */
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

  /** Starts a new recording: resets the number of restarts. */
  newRun(): void {
    this.restarts = 0;
  }

  /** Ends the worker at once. */
  terminate(reason: VoxlaneError): void {
    this.terminated = reason;
    this.handle.terminate(reason);
  }

  /**
   * In Chromium, the fetch of a model fails (ERR_CACHE_WRITE_FAILURE) if another worker ends while it fetches the same
   * file. Such a load is repeated.
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
    this.handle.terminate(reason);
    this.handle = this.spawn();
    await this.load();
    if (!this.terminated) return;
    this.handle.terminate(this.terminated);
    throw this.terminated;
  }
}

/** Another tab can delete or replace a stored model during a run. */
function otherFile(id: string, before: string, now: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-altered',
    problem: `The stored file of ${id} has changed since the start of the run: SHA-256 ${now}`,
    expected: `the file that was verified: SHA-256 ${before}`,
    remedy: 'Run again, and do not change stored models during a run',
  });
}

/**
 * Workers with the same model; each runs one call at a time.
 *
 * Several single-threaded workers are faster than one worker with several threads: the matrices of the models are
 * small, and threads synchronize after each of them. They also work without cross-origin isolation.
 */
export class ModelPool<Manifest, Api extends ModelWorkerApi<Manifest>> {
  private readonly workers: ModelWorker<Manifest, Api>[];
  private readonly idle: ModelWorker<Manifest, Api>[];
  private readonly waiting: ((worker: ModelWorker<Manifest, Api>) => void)[] = [];
  private terminated: VoxlaneError | null = null;
  /** SHA-256 of the first worker's model file. */
  private sha256 = '';

  /**
   * @param size maximum number of workers; {@link grow} starts all but the first
   * @param slots shared by all pools
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
    return reply;
  }

  /** Starts the other workers; each accepts calls as soon as it is ready. Workers that fail to start are omitted. */
  async grow(): Promise<void> {
    if (this.terminated) return;
    const others = Array.from({ length: this.size - 1 }, async () => {
      const worker = new ModelWorker<Manifest, Api>(this.spawn, this.request);
      this.workers.push(worker);
      try {
        await worker.load(this.sha256);
        this.release(worker);
      } catch (error) {
        worker.terminate(error as VoxlaneError);
        this.workers.splice(this.workers.indexOf(worker), 1);
      }
    });
    await Promise.all(others);
  }

  /**
   * Calls an idle worker, in the order of the calls.
   *
   * @param use called again after the loss of a device: it must not transfer its arguments
   */
  async call<Result>(use: (remote: Remote<Api>) => Promise<Result>): Promise<Result> {
    const worker = this.idle.shift() ?? (await this.nextIdle());
    try {
      return await this.slots.run(() => worker.call(use));
    } finally {
      this.release(worker);
    }
  }

  /** Starts a new recording: resets the numbers of restarts. */
  newRun(): void {
    for (const worker of this.workers) worker.newRun();
  }

  /** Ends the workers at once. */
  terminate(reason: VoxlaneError): void {
    this.terminated = reason;
    for (const worker of this.workers) worker.terminate(reason);
    // Waiting calls get an ended worker, which rejects them with its reason.
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

/** Values of consecutive windows, filled in any order. */
interface Block<Values> {
  /** Axes (window, …). */
  readonly data: Values;
  /** Axes (window), 1 if the window is done. */
  readonly done: Uint8Array;
  /** Number of delivered windows. */
  delivered: number;
}

/** Marks windows of one block as done. */
export type MarkDone = (window: number) => void;

/** Receives the values of completed windows that follow the last delivery; axes (window, …). */
type Deliver<Values> = (values: Values, numWindows: number, deliveredWindows: number) => void;

/**
 * Delivers the results of a stage in the order of the windows, each window once, as soon as it and all earlier windows
 * are complete. Workers complete windows in any order, and a batch that does not fit into memory is computed in parts.
 */
export class InOrder<Values extends Float32Array | Uint8Array> {
  private readonly blocks: Block<Values>[] = [];
  private deliveredWindows = 0;

  constructor(private readonly deliver: Deliver<Values>) {}

  /** Number of windows delivered so far. */
  get completed(): number {
    return this.deliveredWindows;
  }

  /**
   * Adds the next windows of the recording.
   *
   * @param data axes (window, …); must have the values of a window when the window is marked
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
