import type { PresetChoice } from '../engine';
import type { EngineKeeper, ModelFile } from '../engineKeeper';
import { failureOf } from '../failure';
import { engineRequest, jobOf, type Action, type State } from '../state';
import type { Store } from '../store';
import { text } from '../text';
import type { ModelLibrary } from './library';
import { communityFacts } from './state';

/** Fetches, takes and deletes models for the page, apart from the recordings. */
export class ModelsSession {
  readonly #library: ModelLibrary;
  readonly #keeper: EngineKeeper;
  readonly #store: Store<State, Action>;
  readonly #remember: (preset: PresetChoice) => void;
  #lastId = 0;

  /** @param remember keeps the preset for the next visit */
  constructor(
    library: ModelLibrary,
    keeper: EngineKeeper,
    store: Store<State, Action>,
    remember: (preset: PresetChoice) => void,
  ) {
    this.#library = library;
    this.#keeper = keeper;
    this.#store = store;
    this.#remember = remember;
  }

  /** Looks anew what there is. Never rejects: a browser that forbids storage still diarizes. */
  async refresh(): Promise<void> {
    try {
      const [presets, stored] = await Promise.all([this.#library.presets(), this.#library.stored()]);
      this.#store.dispatch({ type: 'models-listed', presets, stored });
    } catch (thrown) {
      this.#store.dispatch({ type: 'models-unlisted', failure: failureOf(thrown) });
    }
  }

  /**
   * Makes a community-1 engine, and with it community-1 the choice. A preparation under way gives way to it.
   *
   * @param file the model; null to download it
   */
  async prepare(file: ModelFile | null): Promise<void> {
    const { dispatch } = this.#store;
    const id = ++this.#lastId;
    this.#keeper.stopMaking();
    const { backend, speed } = this.#store.get().options;
    dispatch({ type: 'preparing-started', preparing: { id, file, backend, speed } });
    let isReady = false;
    try {
      await this.#keeper.get(engineRequest(this.#store.get()));
      isReady = this.#store.get().models.preparing?.id === id;
      dispatch({ type: 'prepared', id });
    } catch (thrown) {
      const failure = failureOf(thrown);
      dispatch(
        failure.code === 'cancelled'
          ? { type: 'preparing-stopped', id }
          : { type: 'preparing-failed', id, failure },
      );
    }
    await this.refresh();
    // A file that could not be kept is gone on the next visit, which would then download in its place, unasked.
    const { models, options } = this.#store.get();
    const isLasting = file === null || (communityFacts(models)?.present ?? false);
    if (isReady && isLasting && options.preset === 'community-1') this.#remember('community-1');
  }

  stop(): void {
    const { preparing } = this.#store.get().models;
    if (!preparing) return;
    this.#keeper.stopMaking();
    this.#store.dispatch({ type: 'preparing-stopped', id: preparing.id });
  }

  /** Takes the file that the user was asked about. */
  async trust(): Promise<void> {
    const { question } = this.#store.get().models;
    if (question) await this.prepare({ ...question.file, isTrusted: true });
  }

  /** Makes the next recording check the GPU again. */
  async checkGpuAgain(): Promise<void> {
    const state = this.#store.get();
    if (jobOf(state) || state.models.preparing) return;
    await this.#library.forgetGpuChecks();
    // The present engine chose its backend by the old result.
    this.#keeper.drop();
    this.#store.dispatch({ type: 'noticed', notice: { said: text.options.gpuForgotten } });
  }

  /** Deletes a kept model. The choice falls back to automatic, or the next recording would download it again unasked. */
  async delete(model: string): Promise<void> {
    const state = this.#store.get();
    if (jobOf(state) || state.models.preparing) return;
    const { dispatch } = this.#store;
    try {
      await this.#library.delete(model);
      // The engine has the model in memory, and would go on with what the user believes is gone.
      this.#keeper.drop();
      dispatch({ type: 'model-deleted', model });
      this.#remember(this.#store.get().options.preset);
    } catch (thrown) {
      dispatch({ type: 'deletion-failed', failure: failureOf(thrown) });
    }
    await this.refresh();
  }
}
