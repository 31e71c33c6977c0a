import type { Pair, StagePicture } from '../compare/picture';
import type { AuditReport, BackendName, BetweenReport, BisectReport, ComparisonReport, RuntimeBackend } from '../compare/report';
import type { StepsReport } from '../compare/steps/stepsReport';
import type { CallOptions, OpenCallOptions, Opened } from '../engine/comparator';
import type { ShippedModel } from '../store/manifest';
import type { WeightsForm } from '../weights/convert';
import { failureOf } from '../ui-kit/failure';
import type { Store } from '../ui-kit/store';
import { type Action, type JobKind, type PictureWanted, RUNTIMES, type State } from './state';
import { text } from './text';

/** The part of a comparator that the panel uses. An interface, to develop and test the panel without models. */
export interface ComparisonEngine {
  /**
   * Opens any combination of golden bundles, a graph and a checkpoint. A file in a folder has its path in
   * `webkitRelativePath`.
   */
  open(files: readonly File[], options?: OpenCallOptions): Promise<Opened>;
  openShipped(id: ShippedModel, options?: CallOptions): Promise<Opened>;
  /** Sets the graph value of a stage. */
  mapStage(stage: string, value: string): Promise<Opened>;
  /** Selects a recorded step of a model with a state. */
  selectStep(index: number): Promise<Opened>;
  /** Compares all recorded steps. */
  compareSteps(backend: RuntimeBackend, options?: CallOptions): Promise<StepsReport>;
  /** `thorough` also checks repeatability and dependence on the batch size. */
  compare(backend: BackendName, options?: CallOptions & { readonly thorough?: boolean }): Promise<ComparisonReport>;
  /** Compares WASM with WebGPU after both have run. */
  between(): Promise<readonly BetweenReport[]>;
  /** `column`: the frame of the slice; by default, the worst. */
  picture(stage: string, pair: Pair, column?: number): Promise<StagePicture>;
  audit(options?: CallOptions): Promise<AuditReport>;
  bisect(options?: CallOptions & { readonly tolerance?: number }): Promise<BisectReport>;
  /** A zip file, after a bisection that found a node. */
  bugReport(): Promise<Uint8Array>;
  /** Browser, adapter, runtime, threads, and model hashes. */
  environment(): Promise<Record<string, string>>;
  dispose(): void;
}

export type ComparisonEngineFactory = () => ComparisonEngine;

/** Runs the engine for the panel: one job at a time, with one engine for the lifetime of the page. */
export class Session {
  readonly #factory: ComparisonEngineFactory;
  readonly #store: Store<State, Action>;
  #engine: ComparisonEngine | null = null;
  #abort: AbortController | null = null;
  #settled: Promise<void> = Promise.resolve();
  #lastId = 0;
  /** The opened files, to open them again in another form. */
  #files: readonly File[] = [];
  /** The latest requested picture. Late results of earlier requests are dropped. */
  #picture: PictureWanted | null = null;
  #isDrawing = false;
  #isDisposed = false;

  constructor(factory: ComparisonEngineFactory, store: Store<State, Action>) {
    this.#factory = factory;
    this.#store = store;
  }

  /** `read` is called when the job starts. The data of a drop must have been read from the event before. */
  open(subject: string, read: () => Promise<readonly File[]>): void {
    void this.#start('open', subject, async (id, options) => {
      const files = await read();
      const opened = await this.#use().open(files, options);
      this.#files = files;
      this.#store.dispatch({ type: 'opened', id, opened });
    });
  }

  /** Opens the same files with their weights in another form, and compares if something was compared before. */
  chooseForm(form: WeightsForm): void {
    const wasCompared = Object.keys(this.#store.get().steps).length > 0;
    const opening = this.#start('form', form, async (id, options) => {
      const opened = await this.#use().open(this.#files, { ...options, form });
      this.#store.dispatch({ type: 'opened', id, opened, form });
    });
    this.#compareAfter(opening, wasCompared);
  }

  #compareAfter(job: Promise<boolean>, isWanted: boolean): void {
    if (!isWanted) return;
    void job.then((isDone) => {
      if (isDone && !this.#isDisposed && this.#store.get().opened) this.compare();
    });
  }

  /** Opens a bundled model with its golden outputs and compares it immediately. */
  openShipped(model: ShippedModel): void {
    const opening = this.#start('open', model, async (id, options) => {
      const opened = await this.#use().openShipped(model, options);
      this.#store.dispatch({ type: 'opened', id, opened });
    });
    this.#compareAfter(opening, true);
  }

  mapStage(stage: string, value: string): void {
    void this.#start('map', stage, async (id) => {
      const opened = await this.#use().mapStage(stage, value);
      this.#store.dispatch({ type: 'mapped', id, opened });
    });
  }

  /** Selects a recorded step, and compares it if a step was compared before. */
  selectStep(index: number): void {
    const wasCompared = Object.keys(this.#store.get().steps).length > 0;
    const selecting = this.#start('step', String(index), async (id) => {
      const opened = await this.#use().selectStep(index);
      this.#store.dispatch({ type: 'mapped', id, opened });
    });
    this.#compareAfter(selecting, wasCompared);
  }

  /** Compares on the chosen backends. The report of the first one is kept if the second fails. */
  compare(): void {
    const { backends, isThorough: thorough } = this.#store.get().choice;
    const runtimes: readonly BackendName[] = backends === 'both' ? RUNTIMES : [backends];
    const withKernels = runtimes.includes('wasm') && this.#store.get().opened?.hasKernels === true;
    const chosen: readonly BackendName[] = withKernels ? [...runtimes, 'kernels'] : runtimes;
    void this.#start('compare', chosen.map((name) => text.backends[name]).join(', '), async (id, options) => {
      for (const backend of runtimes) {
        const { opened, steps } = this.#store.get();
        if (backend === 'kernels' || !opened?.steps || steps[backend]) continue;
        this.#store.dispatch({ type: 'steps-reported', id, report: await this.#use().compareSteps(backend, onBackend(backend, options)) });
        options.signal?.throwIfAborted();
      }
      for (const backend of chosen) {
        const report = await this.#use().compare(backend, { ...onBackend(backend, options), thorough });
        this.#store.dispatch({ type: 'reported', id, report });
        options.signal?.throwIfAborted();
      }
      const { wasm, webgpu } = this.#store.get().reports;
      const between = wasm && webgpu ? await this.#use().between() : [];
      this.#store.dispatch({ type: 'compared', id, between });
    });
  }

  audit(): void {
    void this.#start('audit', this.#store.get().opened?.model ?? '', async (id, options) => {
      const audit = await this.#use().audit(options);
      this.#store.dispatch({ type: 'audited', id, audit });
    });
  }

  bisect(): void {
    const { bisectTolerance: tolerance } = this.#store.get().choice;
    void this.#start('bisect', this.#store.get().opened?.model ?? '', async (id, options) => {
      const bisect = await this.#use().bisect({ ...options, ...(tolerance !== null && { tolerance }) });
      this.#store.dispatch({ type: 'bisected', id, bisect });
    });
  }

  cancel(): void {
    const { job } = this.#store.get();
    if (!job) return;
    this.#abort?.abort();
    // Update the view at once instead of waiting for the engine to wind down.
    this.#store.dispatch({ type: 'cancelled', id: job.id });
  }

  /** Requests a picture. While one is being drawn, only the latest request is kept: dragging the pointer creates hundreds. */
  draw(wanted: PictureWanted | null): void {
    this.#picture = wanted;
    if (!this.#isDrawing) void this.#drawNewest();
  }

  /** @throws the errors of the engine: VoxlaneError `options` if no bisection found a node */
  bugReport(): Promise<Uint8Array> {
    return this.#use().bugReport();
  }

  environment(): Promise<Record<string, string>> {
    return this.#use().environment();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#abort?.abort();
    this.#engine?.dispose();
    this.#engine = null;
  }

  #use(): ComparisonEngine {
    this.#engine ??= this.#factory();
    return this.#engine;
  }

  /** @returns whether the job succeeded, after it has ended; also false if another job is running */
  #start(
    kind: JobKind,
    subject: string,
    work: (id: number, options: CallOptions) => Promise<void>,
  ): Promise<boolean> {
    const id = ++this.#lastId;
    const wasBusy = this.#store.get().job !== null;
    this.#store.dispatch({ type: 'started', id, kind, subject, at: performance.now() });
    if (wasBusy) return Promise.resolve(false);
    const abort = new AbortController();
    this.#abort = abort;
    const options: CallOptions = {
      signal: abort.signal,
      onProgress: (progress) => {
        this.#store.dispatch({ type: 'progressed', id, progress });
      },
    };
    // A canceled job may still be winding down. Two jobs must not share the engine.
    const ended = this.#settled.then(() => this.#run(id, abort.signal, () => work(id, options)));
    this.#settled = ended.then(() => undefined);
    return ended;
  }

  async #run(id: number, signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
    const { dispatch } = this.#store;
    try {
      signal.throwIfAborted();
      await work();
      await this.#readEnvironment();
      return true;
    } catch (thrown) {
      const failure = failureOf(thrown);
      const isCancelled = signal.aborted || failure.code === 'cancelled';
      dispatch(isCancelled ? { type: 'cancelled', id } : { type: 'failed', id, failure });
      return false;
    }
  }

  /** The environment is complete only after a backend has started. A failure to read it does not fail the job. */
  async #readEnvironment(): Promise<void> {
    const environment = await this.environment().catch(() => null);
    if (environment) this.#store.dispatch({ type: 'environment', environment });
  }

  async #drawNewest(): Promise<void> {
    this.#isDrawing = true;
    while (this.#picture && !this.#isDisposed) {
      const wanted = this.#picture;
      const drawn = await this.#drawOne(wanted);
      if (this.#picture !== wanted) continue;
      this.#picture = null;
      this.#store.dispatch(drawn);
    }
    this.#isDrawing = false;
  }

  async #drawOne({ stage, pair, column }: PictureWanted): Promise<Action> {
    try {
      return { type: 'pictured', picture: await this.#use().picture(stage, pair, column ?? undefined) };
    } catch (thrown) {
      return { type: 'picture-failed', failure: failureOf(thrown) };
    }
  }
}

/** Adds the backend to the steps, which are named by stage. */
function onBackend(backend: BackendName, { onProgress, ...others }: CallOptions): CallOptions {
  return {
    ...others,
    ...(onProgress && {
      onProgress: (progress) => {
        onProgress({ ...progress, step: `${text.backends[backend]}: ${progress.step}` });
      },
    }),
  };
}
