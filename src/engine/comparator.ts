import { proxy } from 'comlink';
import type { CompareWorkerApi, DecodeSource, OnProgress } from '../../workers/contracts';
import type { WorkerHandle } from '../../workers/handle';
import { spawnCompareWorker, spawnDecodeWorker } from '../../workers/spawn';
import type { DecodeOptions } from '../audio/types';
import type { DecisionRule } from '../compare/decisions/rule';
import type { LayerRequest } from '../compare/layer';
import { unreadable } from '../compare/files/unreadable';
import type { ListedValue } from '../compare/matchValues';
import type { Opened } from '../compare/describeOpened';
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
import type { StepsReport } from '../compare/steps/stepsReport';
import type { NamedTensor } from '../compare/tensor';
import type { WeightsForm } from '../weights/convert';
import { cancelled, DISPOSE, onAbort, throwIfAborted, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { wasmThreads } from './backend';
import { checkThreads, fileBases } from './options';
import { runtimeThreads, shareable } from '../util/host';

/** Locations and threads of a comparator. The defaults are those of a `Diarizer`. */
export interface ComparatorOptions {
  /** Base URL of the models: each manifest is at `<model id>/manifest.json`. */
  readonly models?: string | URL;
  /** Base URL of the ONNX Runtime files. */
  readonly runtime?: string | URL;
  /** Base URL of the golden outputs, `<model id>.zip`. */
  readonly goldens?: string | URL;
  /** WASM threads. Default: limited by the machine and by the page's isolation. Node always uses one. */
  readonly threads?: number;
}

/** A file with its name, or its path within its folder. */
export interface NamedBlob {
  /** Name, or path with slashes. */
  readonly name: string;
  /** The content. */
  readonly blob: Blob;
}

/** Progress of a call. */
export interface ComparisonProgress {
  /** Current step for display, such as `lstm, golden input injected`. */
  readonly step: string;
  /** Completed steps. */
  readonly completed: number;
  /** Total steps. */
  readonly total: number;
}

/** Options of a call that only reads existing results. */
export interface ReadOptions {
  /** Aborts the call: it rejects at once with `cancelled`, and with the signal's `reason` as `cause`. */
  readonly signal?: AbortSignal;
}

/** Options of a call that computes. */
export interface CallOptions extends ReadOptions {
  /** Called at each step; not called while the call is queued. */
  readonly onProgress?: (progress: ComparisonProgress) => void;
}

/** Options of {@link Comparator.open}. */
export interface OpenCallOptions extends CallOptions {
  /**
   * Form of the weights of a graph that has none and gets them from a `.safetensors` file: `float16` and `int8` are converted
   * as for a diarizer. Default `float32`, the values of the file.
   */
  readonly form?: WeightsForm;
}

/** Options of {@link Comparator.compare}. */
export interface CompareCallOptions extends CallOptions {
  /** Also tests stages that pass for differences between runs and between batch sizes. Default false. */
  readonly thorough?: boolean;
  /** Bounds for all stages, in place of the bundle's. */
  readonly tolerance?: ToleranceOverride;
  /**
   * The decision that the outputs represent. Default: derived from the bundle, the last operator of the graph, or an
   * axis `class`.
   */
  readonly decisions?: DecisionRule;
}

/** Options of {@link Comparator.compareSteps}. */
export interface CompareStepsCallOptions extends CallOptions {
  /** Bounds for all stages, in place of the bundle's. */
  readonly tolerance?: ToleranceOverride;
}

/** Options of {@link Comparator.precision}. */
export interface PrecisionCallOptions extends CallOptions {
  /** Maximum number of nodes that are tested one by one, largest weights first. Default 50. */
  readonly limit?: number;
  /**
   * The decision that the outputs represent. Default: derived from the bundle, the last operator of the graph, or an
   * axis `class`.
   */
  readonly decisions?: DecisionRule;
  /** Called after each node, so that a canceled call still provides results. */
  readonly onRow?: (row: PrecisionRow, head: PrecisionHead) => void;
}

/** Options of {@link Comparator.bisect}. */
export interface BisectCallOptions extends CallOptions {
  /** Maximum difference that counts as equal, relative to the maximum of a tensor. Default 0.001. */
  readonly tolerance?: number;
}

export type { Opened, OpenedStage } from '../compare/describeOpened';

/** Number of nodes that are tested one by one. */
const DEFAULT_LIMIT = 50;

type Handle = ReturnType<typeof spawnCompareWorker>;
type Remote = Parameters<Parameters<WorkerHandle<CompareWorkerApi>['call']>[0]>[0];

/**
 * Compares an ONNX graph with golden outputs, stage by stage, on WASM and WebGPU, and finds the first wrong stage.
 *
 * Runs in one worker, which the first call starts and which holds all opened files and results. A canceled call ends at
 * its next step; results of earlier calls are kept.
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
  /** The previous call; never rejects. */
  private previous: Promise<unknown> = Promise.resolve();

  /** Does not start the worker. @throws VoxlaneError `options` */
  constructor(private readonly options: ComparatorOptions = {}) {
    checkThreads(options.threads);
  }

  /**
   * Opens golden outputs (a bundle as zip or folder, `.npz`, `.npy` files, `.safetensors`), an `.onnx` graph, a
   * checkpoint, or any combination. Files of a folder have their path in `webkitRelativePath`.
   *
   * @throws VoxlaneError `format`, `options`, `model-*`, `worker-failed`, `cancelled`
   */
  open(files: readonly (File | NamedBlob)[], options: OpenCallOptions = {}): Promise<Opened> {
    const named = files.map((file) =>
      file instanceof File ? { name: file.webkitRelativePath || file.name, blob: file } : file,
    );
    const shared = named.map(async ({ name, blob }) => ({ name, blob: await shareable(blob, (cause) => unreadable(name, cause)) }));
    return this.call(async (remote) => remote.open(await Promise.all(shared), options.form), options);
  }

  /** Opens a model of this release with its golden outputs. */
  openShipped(id: string, options?: CallOptions): Promise<Opened> {
    return this.call((remote) => remote.openShipped(id), options);
  }

  /** Maps a stage to a value of the graph. */
  mapStage(stage: string, value: string, options?: CallOptions): Promise<Opened> {
    return this.call((remote) => remote.mapStage(stage, value), options);
  }

  /**
   * Runs and compares all stages on one backend. `kernels` are the kernels that a diarizer uses on WASM in place of
   * ONNX Runtime, if there are kernels for the graph (`Opened.hasKernels`).
   *
   * @throws VoxlaneError `options` if there is nothing to compare, `backend-unavailable`, `backend-failed`, `gpu-*`
   */
  compare(backend: BackendName, options: CompareCallOptions = {}): Promise<ComparisonReport> {
    const { thorough = false, tolerance, decisions } = options;
    return this.call((remote, onProgress) => remote.compare(backend, { thorough, tolerance, decisions }, onProgress), options);
  }

  /** Selects one of the recorded steps of a model with a state (`Opened.steps`) for {@link compare}, with the golden state. */
  selectStep(index: number, options?: CallOptions): Promise<Opened> {
    return this.call((remote) => remote.selectStep(index), options);
  }

  /**
   * Compares all recorded steps of a model with a state: from the golden state, which gives the error of each step alone, and
   * from the state that our own loop accumulates.
   *
   * @throws VoxlaneError `options` if the goldens have no steps, `backend-unavailable`, `backend-failed`, `gpu-*`
   */
  compareSteps(backend: RuntimeBackend, options: CompareStepsCallOptions = {}): Promise<StepsReport> {
    return this.call((remote, onProgress) => remote.compareSteps(backend, options.tolerance, onProgress), options);
  }

  /** Compares WASM with WebGPU, after both were compared with the golden outputs. */
  between(options?: ReadOptions): Promise<readonly BetweenReport[]> {
    return this.read((remote) => remote.between(), options);
  }

  /** Data for drawing a stage. `column`: the frame of the slice; by default the worst frame. */
  picture(stage: string, pair: Pair, column?: number, options?: ReadOptions): Promise<StagePicture> {
    return this.read((remote) => remote.picture(stage, pair, column), options);
  }

  /** Audits all weights of the graph, and of the checkpoint if there is one. */
  audit(options?: CallOptions): Promise<AuditReport> {
    return this.call((remote, onProgress) => remote.audit(onProgress), options);
  }

  /** Lists all values of the graph that can be stages, with module and shape; requires no golden outputs. */
  values(options?: CallOptions): Promise<readonly ListedValue[]> {
    return this.call((remote, onProgress) => remote.list(onProgress), options);
  }

  /**
   * Rounds the weights of one node at a time to float16 and int8, and counts the output decisions that change. Requires
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

  /** Finds the first node whose results on WebGPU and WASM differ; requires no golden outputs. */
  bisect(options: BisectCallOptions = {}): Promise<BisectReport> {
    return this.call((remote, onProgress) => remote.bisect(options.tolerance, onProgress), options);
  }

  /** The node found by {@link bisect}, as a golden bundle (zip) with a graph of only this node. */
  bugReport(options?: ReadOptions): Promise<Uint8Array> {
    return this.read((remote) => remote.bugReport(), options);
  }

  /** Output of one layer of a bundled model for any sound; no open files are required. */
  layer(request: LayerRequest, backend: RuntimeBackend, options?: CallOptions): Promise<NamedTensor> {
    const { source, startSeconds, durationSeconds, ...choice } = request;
    return this.call(async (remote) => {
      const sampleRate = await remote.layerSampleRate(choice);
      const samples = await decodeAll(
        source instanceof Blob ? { kind: 'file', blob: source } : { kind: 'samples', samples: source, sampleRate },
        { sampleRate, startSeconds, ...(durationSeconds !== undefined && { durationSeconds }) },
        options?.signal,
      );
      return remote.layer(choice, samples, backend);
    }, options);
  }

  /** Browser, runtime, adapter, threads and hashes, for a report. */
  environment(options?: ReadOptions): Promise<Record<string, string>> {
    return this.read((remote) => remote.environment(), options);
  }

  /** Ends the worker and frees its memory. Current calls reject with `disposed`. */
  dispose(): void {
    this.disposed = true;
    void this.worker
      ?.then((handle) => {
        handle.terminate(disposedError());
      })
      .catch(() => undefined);
  }

  /** Calls {@link dispose}, for `using`. */
  [DISPOSE](): void {
    this.dispose();
  }

  /** Reads existing results without waiting for queued calls. Results of an aborted call are dropped. */
  private read<Result>(use: (remote: Remote) => Promise<Result>, { signal }: ReadOptions = {}): Promise<Result> {
    return unlessAborted(signal, async () => this.send(await this.started(), use));
  }

  /**
   * Runs one call at a time. The next call is sent when the worker has finished the previous one, even if that was
   * canceled and its caller has continued.
   */
  private call<Result>(
    use: (remote: Remote, onProgress: OnProgress | null) => Promise<Result>,
    { signal, onProgress }: CallOptions = {},
  ): Promise<Result> {
    let isRunning = false;
    const work = this.previous.then(async () => {
      throwIfAborted(signal);
      const handle = await this.started();
      // The call may have been canceled while the worker was starting.
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
      // The next call starts a new worker, without open files.
      if (error instanceof VoxlaneError && error.code === 'worker-failed') this.worker = null;
      throw error;
    }
  }

  private async start(): Promise<Handle> {
    const { threads } = this.options;
    const settings = {
      ...(await fileBases(this.options)),
      threads: runtimeThreads(wasmThreads(threads)),
    };
    const handle = spawnCompareWorker();
    try {
      await handle.call((remote) => remote.setUp(settings));
      return handle;
    } catch (error) {
      // The next call starts a new worker.
      this.worker = null;
      throw error;
    }
  }
}

/** Decodes in a separate worker, which the signal ends. */
async function decodeAll(source: DecodeSource, options: DecodeOptions, signal: AbortSignal | undefined): Promise<Float32Array> {
  throwIfAborted(signal);
  const handle = spawnDecodeWorker();
  const stopListening = onAbort(signal, () => {
    handle.terminate(cancelled(signal));
  });
  try {
    return await handle.call((api) => api.decodeAll(source, options));
  } finally {
    stopListening();
    handle.terminate(disposedError());
  }
}

function badLimit(limit: number): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem: `limit is ${limit}`, expected: 'a whole number of 0 or more', remedy: 'Set the number of nodes to test' });
}

function disposedError(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The comparator was disposed',
    expected: 'a comparator that is not disposed',
    remedy: 'Create a new one',
  });
}
