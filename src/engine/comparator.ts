import { proxy } from 'comlink';
import type { CompareWorkerApi, OnProgress } from '../../workers/contracts';
import type { WorkerHandle } from '../../workers/handle';
import { spawnCompareWorker } from '../../workers/spawn';
import type { DecisionRule } from '../compare/decisions/rule';
import type { LayerRequest } from '../compare/layer';
import type { ListedValue } from '../compare/matchValues';
import type { Opened } from '../compare/openModel';
import type { Pair, StagePicture } from '../compare/picture';
import type { PrecisionHead, PrecisionReport, PrecisionRow } from '../compare/precisionReport';
import type {
  AuditReport,
  BackendName,
  BetweenReport,
  BisectReport,
  ComparisonReport,
  RuntimeBackend,
} from '../compare/report';
import type { ToleranceOverride } from '../compare/stageTolerance';
import type { NamedTensor } from '../compare/tensor';
import { throwIfAborted, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { wasmThreads } from './backend';
import { DISPOSE } from './calls';
import { checkThreads, fileBases } from './options';

/** Where a comparator finds what it needs. The defaults are those of a `Diarizer`. */
export interface ComparatorOptions {
  /** Address under which `<model id>/manifest.json` is found. */
  readonly models?: string | URL;
  /** Address of the ONNX Runtime files. */
  readonly runtime?: string | URL;
  /** Address of the golden outputs, `<model id>.zip`. */
  readonly goldens?: string | URL;
  /** WASM threads; by default as many as the machine and the page's isolation allow. */
  readonly threads?: number;
}

/** A file by its name, or its path from the folder that it came with. */
export interface NamedBlob {
  /** Name, or path with slashes. */
  readonly name: string;
  /** The bytes. */
  readonly blob: Blob;
}

/** A step of the work under way. */
export interface ComparisonProgress {
  /** For people: `lstm, golden input injected`. */
  readonly step: string;
  /** Steps that are done. */
  readonly completed: number;
  /** Steps in all. */
  readonly total: number;
}

/** What can stop a call that asks for what is there already. */
export interface ReadOptions {
  /** Takes the call back: it rejects at once with `cancelled`, and with the signal's `reason` as `cause`. */
  readonly signal?: AbortSignal;
}

/** What can stop or follow a call. */
export interface CallOptions extends ReadOptions {
  /** Hears of each step; not called while the call waits for those before it. */
  readonly onProgress?: (progress: ComparisonProgress) => void;
}

/** What {@link Comparator.compare} is asked for. */
export interface CompareCallOptions extends CallOptions {
  /** Looks for differences between runs and batch sizes in stages that pass, too. Default false. */
  readonly thorough?: boolean;
  /** Judges every stage by these bounds in place of the bundle's. */
  readonly tolerance?: ToleranceOverride;
  /** What the outputs decide. By default this follows from the bundle, the last operator of the graph, or an axis `class`. */
  readonly decisions?: DecisionRule;
}

/** What {@link Comparator.precision} is asked for. */
export interface PrecisionCallOptions extends CallOptions {
  /** Most nodes that are tried one by one, those with the most bytes first. Default 50. */
  readonly limit?: number;
  /** What the outputs decide. By default this follows from the bundle, the last operator of the graph, or an axis `class`. */
  readonly decisions?: DecisionRule;
  /** Called for each node as soon as it was tried, so that a call that is cancelled has given something. */
  readonly onRow?: (row: PrecisionRow, head: PrecisionHead) => void;
}

/** What {@link Comparator.bisect} is asked for. */
export interface BisectCallOptions extends CallOptions {
  /** Greatest difference that counts as none, relative to a tensor's greatest value. Default 0.001. */
  readonly tolerance?: number;
}

export type { Opened, OpenedStage } from '../compare/openModel';

/** Nodes that are tried one by one. */
const DEFAULT_LIMIT = 50;

type Handle = ReturnType<typeof spawnCompareWorker>;
type Remote = Parameters<Parameters<WorkerHandle<CompareWorkerApi>['call']>[0]>[0];

/**
 * Compares an ONNX graph with golden outputs, stage by stage, on WASM and WebGPU, and finds the first that is wrong.
 *
 * Works in one worker, which is started by the first call and holds what was opened and computed. A call that is
 * cancelled ends at its next step; what earlier calls gave is kept.
 *
 * @example
 * const comparator = new Comparator();
 * await comparator.open([bundleFile]);
 * const { firstDivergence } = await comparator.compare('wasm');
 * comparator.dispose();
 */
export class Comparator {
  private worker: Promise<Handle> | null = null;
  private disposed = false;
  /** The call before; never rejects. */
  private previous: Promise<unknown> = Promise.resolve();

  /** Nothing is started yet. @throws VoxlaneError `options` */
  constructor(private readonly options: ComparatorOptions = {}) {
    checkThreads(options.threads);
  }

  /**
   * Opens golden outputs (a bundle's zip or folder, `.npz`, `.npy` files, `.safetensors`), an `.onnx` graph, a
   * checkpoint, or any mix. A file of a folder has its path in `webkitRelativePath`.
   *
   * @throws VoxlaneError `format`, `options`, `model-*`, `worker-failed`, `cancelled`
   */
  open(files: readonly (File | NamedBlob)[], options?: CallOptions): Promise<Opened> {
    const named = files.map((file) =>
      file instanceof File ? { name: file.webkitRelativePath || file.name, blob: file } : file,
    );
    return this.call((remote) => remote.open(named), options);
  }

  /** Opens a model of this release with its own goldens. */
  openShipped(id: string, options?: CallOptions): Promise<Opened> {
    return this.call((remote) => remote.openShipped(id), options);
  }

  /** Says which value of the graph a stage is. */
  mapStage(stage: string, value: string, options?: CallOptions): Promise<Opened> {
    return this.call((remote) => remote.mapStage(stage, value), options);
  }

  /**
   * Runs and compares every stage on one backend. `kernels` are those that a diarizer runs on WASM in the place of ONNX Runtime, if
   * it has kernels for the graph (`Opened.hasKernels`).
   *
   * @throws VoxlaneError `options` where there is nothing to compare, `backend-unavailable`, `backend-failed`, `gpu-*`
   */
  compare(backend: BackendName, options: CompareCallOptions = {}): Promise<ComparisonReport> {
    const { thorough = false, tolerance, decisions } = options;
    return this.call((remote, onProgress) => remote.compare(backend, { thorough, tolerance, decisions }, onProgress), options);
  }

  /** WASM against WebGPU, after both were compared. */
  between(options?: ReadOptions): Promise<readonly BetweenReport[]> {
    return this.read((remote) => remote.between(), options);
  }

  /** What there is to draw of a stage. `column`: which frame the slice shows; by default the worst. */
  picture(stage: string, pair: Pair, column?: number, options?: ReadOptions): Promise<StagePicture> {
    return this.read((remote) => remote.picture(stage, pair, column), options);
  }

  /** Looks at every weight of the graph, and of the checkpoint beside it. */
  audit(options?: CallOptions): Promise<AuditReport> {
    return this.call((remote, onProgress) => remote.audit(onProgress), options);
  }

  /** Every value of the graph that a stage can be, with its module and shape; needs no goldens. */
  values(options?: CallOptions): Promise<readonly ListedValue[]> {
    return this.call((remote, onProgress) => remote.list(onProgress), options);
  }

  /**
   * Rounds the weights of one node after the other to float16 and int8, and counts the decisions of the outputs that change. Needs
   * golden inputs.
   *
   * @throws VoxlaneError `options` without golden inputs or float32 weights, `backend-*`, `gpu-*`, `cancelled`
   */
  precision(backend: RuntimeBackend, options: PrecisionCallOptions = {}): Promise<PrecisionReport> {
    const { limit = DEFAULT_LIMIT, decisions, onRow } = options;
    if (!Number.isInteger(limit) || limit < 0) throw badLimit(limit);
    const rows = onRow ? proxy(onRow) : null;
    return this.call((remote, onProgress) => remote.precision(backend, { limit, decisions }, rows, onProgress), options);
  }

  /** Finds the first node that WebGPU computes otherwise than WASM; needs no goldens. */
  bisect(options: BisectCallOptions = {}): Promise<BisectReport> {
    return this.call((remote, onProgress) => remote.bisect(options.tolerance, onProgress), options);
  }

  /** The node that {@link bisect} found, as a golden bundle (zip) with a graph of this one node. */
  bugReport(options?: ReadOptions): Promise<Uint8Array> {
    return this.read((remote) => remote.bugReport(), options);
  }

  /** One layer of a shipped model, of any sound; nothing needs to be open. */
  layer(request: LayerRequest, backend: RuntimeBackend, options?: CallOptions): Promise<NamedTensor> {
    return this.call((remote) => remote.layer(request, backend), options);
  }

  /** Browser, runtime, adapter, threads and hashes, for a report. */
  environment(options?: ReadOptions): Promise<Record<string, string>> {
    return this.read((remote) => remote.environment(), options);
  }

  /** Ends the worker and frees its memory. Calls under way reject with `disposed`. */
  dispose(): void {
    this.disposed = true;
    void this.worker
      ?.then((handle) => {
        handle.terminate(disposedError());
      })
      .catch(() => undefined);
  }

  /** {@link dispose}, by the name that `using` knows. */
  [DISPOSE](): void {
    this.dispose();
  }

  /** Asks for what is there already: it need not wait for the work under way. What is taken back ends unheard. */
  private read<Result>(use: (remote: Remote) => Promise<Result>, { signal }: ReadOptions = {}): Promise<Result> {
    return unlessAborted(signal, async () => this.send(await this.started(), use));
  }

  /**
   * One piece of work after the other: the next is sent when the worker is done with the one before, also where that was
   * cancelled and its caller has gone on.
   */
  private call<Result>(
    use: (remote: Remote, onProgress: OnProgress | null) => Promise<Result>,
    { signal, onProgress }: CallOptions = {},
  ): Promise<Result> {
    let isRunning = false;
    const work = this.previous.then(async () => {
      throwIfAborted(signal);
      const handle = await this.started();
      // It may have been cancelled while the worker was starting.
      throwIfAborted(signal);
      isRunning = true;
      try {
        return await this.send(handle, (remote) => use(remote, onProgress ? proxy(onProgress) : null));
      } finally {
        isRunning = false;
      }
    });
    this.previous = work.catch(() => undefined);
    const stop = (): void => {
      if (isRunning) void this.worker?.then((handle) => handle.call((remote) => remote.cancel())).catch(() => undefined);
    };
    return unlessAborted(signal, () => work, { stop });
  }

  private async started(): Promise<Handle> {
    if (this.disposed) throw disposedError();
    return (this.worker ??= this.start());
  }

  private async send<Result>(handle: Handle, use: (remote: Remote) => Promise<Result>): Promise<Result> {
    try {
      return await handle.call(use);
    } catch (error) {
      // A worker that is gone stays so; the next call starts another, with nothing open in it.
      if (error instanceof VoxlaneError && error.code === 'worker-failed') this.worker = null;
      throw error;
    }
  }

  private async start(): Promise<Handle> {
    const { threads } = this.options;
    const settings = {
      ...(await fileBases(this.options)),
      threads: wasmThreads(threads),
    };
    const handle = spawnCompareWorker();
    try {
      await handle.call((remote) => remote.setUp(settings));
      return handle;
    } catch (error) {
      // The next call starts another.
      this.worker = null;
      throw error;
    }
  }
}

function badLimit(limit: number): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem: `limit is ${limit}`, expected: 'a whole number of 0 or more', remedy: 'Give the number of nodes to try' });
}

function disposedError(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The comparator was disposed',
    expected: 'a comparator that is still in use',
    remedy: 'Make a new one',
  });
}
