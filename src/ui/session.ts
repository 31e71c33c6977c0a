import type { BackendChoice } from '../pipeline/types';
import type { Engine, EngineFactory } from './engine';
import { failureOf } from './failure';
import { diarizeOptions, jobOf, type Action, type Source, type State } from './state';
import type { Store } from './store';

/** Failures after which the engine itself cannot be trusted, so that the next run gets a new one. */
const FATAL = new Set(['backend-unavailable', 'backend-failed', 'worker-failed', 'disposed', 'model-output']);

/** Runs the engine for the page: one run at a time, one engine kept across files. */
export class Session {
  readonly #factory: EngineFactory;
  readonly #store: Store<State, Action>;
  #engine: { readonly backend: BackendChoice; readonly ready: Promise<Engine> } | null = null;
  #abort: AbortController | null = null;
  #settled: Promise<void> = Promise.resolve();
  #lastId = 0;

  constructor(factory: EngineFactory, store: Store<State, Action>) {
    this.#factory = factory;
    this.#store = store;
  }

  start(source: Source): void {
    const id = ++this.#lastId;
    const wasBusy = jobOf(this.#store.get()) !== null;
    this.#store.dispatch({ type: 'started', id, source, at: performance.now() });
    if (wasBusy) return;
    const abort = new AbortController();
    this.#abort = abort;
    // A cancelled run may still be on its way out; two runs must not share the engine.
    this.#settled = this.#settled.then(() => this.#run(id, source, abort.signal));
  }

  cancel(): void {
    const job = jobOf(this.#store.get());
    if (!job) return;
    this.#abort?.abort();
    // The page answers at once; how long the engine takes to wind down is not the person's concern.
    this.#store.dispatch({ type: 'cancelled', id: job.id });
  }

  dispose(): void {
    this.#abort?.abort();
    this.#dropEngine();
  }

  async #run(id: number, source: Source, signal: AbortSignal): Promise<void> {
    const { dispatch } = this.#store;
    const { options } = this.#store.get();
    try {
      const blob = await source.load(signal);
      signal.throwIfAborted();
      const engine = await this.#engineFor(options.backend, signal);
      signal.throwIfAborted();
      const begin = performance.now();
      const result = await engine.diarize(blob, {
        ...diarizeOptions(options),
        signal,
        onProgress: (progress) => {
          dispatch({ type: 'progressed', id, progress });
        },
      });
      const processingSeconds = (performance.now() - begin) / 1000;
      dispatch({
        type: 'finished',
        id,
        outcome: { name: source.name, blob, result, processingSeconds },
      });
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (failure.code && FATAL.has(failure.code)) this.#dropEngine();
      // Whoever aborted has already told the store; its reducer ignores a run that is no longer the current one.
      dispatch(
        signal.aborted || failure.code === 'cancelled'
          ? { type: 'cancelled', id }
          : { type: 'failed', id, failure },
      );
    }
  }

  /** An engine that is being made belongs to the run that asked for it, and ends with it. */
  #engineFor(backend: BackendChoice, signal: AbortSignal): Promise<Engine> {
    if (this.#engine?.backend === backend) return this.#engine.ready;
    this.#dropEngine();
    const ready = this.#factory({ backend, signal });
    const entry = { backend, ready };
    this.#engine = entry;
    // An engine that could not be made is not kept, or a retry would meet the old failure.
    ready.catch(() => {
      if (this.#engine === entry) this.#engine = null;
    });
    return ready;
  }

  #dropEngine(): void {
    const engine = this.#engine;
    this.#engine = null;
    engine?.ready.then(
      (made) => {
        made.dispose();
      },
      () => undefined,
    );
  }
}
