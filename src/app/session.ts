import { annotationOf } from '../editing/annotationOf';
import type { EngineKeeper } from './engineKeeper';
import { failureOf } from '../ui-kit/failure';
import { appliedOptions, diarizeOptions, engineRequest, jobOf, type Action, type Source, type State } from './state';
import type { Store } from '../ui-kit/store';
import { newWorkId } from './saved/records';

/** Failures after which the engine is unusable. The next run creates a new one. */
const FATAL = new Set(['backend-unavailable', 'backend-failed', 'worker-failed', 'disposed', 'model-output']);

/** Runs the engine for the app: one run at a time, with one engine for all files. */
export class Session {
  readonly #keeper: EngineKeeper;
  readonly #store: Store<State, Action>;
  #abort: AbortController | null = null;
  #settled: Promise<void> = Promise.resolve();
  #lastId = 0;

  constructor(keeper: EngineKeeper, store: Store<State, Action>) {
    this.#keeper = keeper;
    this.#store = store;
  }

  start(source: Source): void {
    const id = ++this.#lastId;
    const wasBusy = jobOf(this.#store.get()) !== null;
    this.#store.dispatch({ type: 'started', id, source, at: performance.now() });
    if (wasBusy) return;
    const abort = new AbortController();
    this.#abort = abort;
    // A canceled run may still be winding down. Two runs must not share the engine.
    this.#settled = this.#settled.then(() => this.#run(id, source, abort.signal));
  }

  /** Also aborts an engine that is still starting for this run. */
  cancel(): void {
    const job = jobOf(this.#store.get());
    if (!job) return;
    this.#abort?.abort();
    this.#keeper.stopMaking();
    // Update the view at once instead of waiting for the engine to wind down.
    this.#store.dispatch({ type: 'cancelled', id: job.id });
  }

  dispose(): void {
    this.#abort?.abort();
  }

  async #run(id: number, source: Source, signal: AbortSignal): Promise<void> {
    const { dispatch } = this.#store;
    const options = appliedOptions(this.#store.get().options);
    try {
      // If the run was canceled while waiting for the previous one, it must not create an engine.
      signal.throwIfAborted();
      const [blob, engine] = await Promise.all([
        source.load(signal),
        this.#keeper.get(engineRequest(this.#store.get())),
      ]);
      signal.throwIfAborted();
      const begin = performance.now();
      const result = await engine.diarize(blob, {
        ...diarizeOptions(options),
        ...(source.track !== undefined && { track: source.track }),
        keepVoices: true,
        signal,
        onProgress: (progress) => {
          dispatch({ type: 'progressed', id, progress });
        },
        onPreview: (preview) => {
          dispatch({ type: 'previewed', id, preview });
        },
      });
      const processingSeconds = (performance.now() - begin) / 1000;
      dispatch({
        type: 'finished',
        id,
        outcome: {
          id: newWorkId(),
          name: source.name,
          blob,
          result,
          annotation: annotationOf(result.turns, result.exclusiveTurns, result.speakers, result.durationSeconds),
          options,
          ...(source.companions && { companions: source.companions }),
          processingSeconds,
        },
      });
    } catch (thrown) {
      const failure = failureOf(thrown);
      // After a canceled run, the keeper may already have a new engine.
      if (!signal.aborted && failure.code && FATAL.has(failure.code)) this.#keeper.drop();
      // An engine that only this run waited for is aborted. A preparation continues.
      if (!signal.aborted && !this.#store.get().models.preparing) this.#keeper.stopMaking();
      // After an abort, the store is already updated. Its reducer ignores runs other than the current one.
      dispatch(
        signal.aborted || failure.code === 'cancelled'
          ? { type: 'cancelled', id }
          : { type: 'failed', id, failure },
      );
    }
  }
}
