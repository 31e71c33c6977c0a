import { annotationOf } from '../editing/annotationOf';
import type { EngineKeeper } from './engineKeeper';
import { failureOf } from '../ui-kit/failure';
import { diarizeOptions, engineRequest, jobOf, type Action, type Source, type State } from './state';
import type { Store } from '../ui-kit/store';
import { newWorkId } from './saved/records';

/** Failures after which the engine itself cannot be trusted, so that the next run gets a new one. */
const FATAL = new Set(['backend-unavailable', 'backend-failed', 'worker-failed', 'disposed', 'model-output']);

/** Runs the engine for the page: one run at a time, one engine kept across files. */
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
    // A cancelled run may still be on its way out; two runs must not share the engine.
    this.#settled = this.#settled.then(() => this.#run(id, source, abort.signal));
  }

  /** An engine that is still being made ends with the run that waits for it. */
  cancel(): void {
    const job = jobOf(this.#store.get());
    if (!job) return;
    this.#abort?.abort();
    this.#keeper.stopMaking();
    // The page answers at once; how long the engine takes to wind down is not the person's concern.
    this.#store.dispatch({ type: 'cancelled', id: job.id });
  }

  dispose(): void {
    this.#abort?.abort();
  }

  async #run(id: number, source: Source, signal: AbortSignal): Promise<void> {
    const { dispatch } = this.#store;
    const { options } = this.#store.get();
    try {
      // Cancelled while it waited for the run before: it must not make an engine.
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
      // After a cancelled run the engine may already be another one.
      if (!signal.aborted && failure.code && FATAL.has(failure.code)) this.#keeper.drop();
      // An engine that only this run waited for goes with it; a preparation goes on.
      if (!signal.aborted && !this.#store.get().models.preparing) this.#keeper.stopMaking();
      // Whoever aborted has already told the store; its reducer ignores a run that is no longer the current one.
      dispatch(
        signal.aborted || failure.code === 'cancelled'
          ? { type: 'cancelled', id }
          : { type: 'failed', id, failure },
      );
    }
  }
}
