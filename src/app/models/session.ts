import type { DownloadFacts } from '../../engine/downloadFacts';
import type { PresetInfo } from '../../engine/presets';
import type { StoredFileInfo } from '../../engine/storedFiles';
import type { Speed } from '../../engine/types';
import { failureOf } from '../../ui-kit/failure';
import type { Store } from '../../ui-kit/store';
import { text } from '../../ui-kit/texts/text';
import type { EngineKeeper, ModelFile } from '../engineKeeper';
import { type Action, appliedOptions, engineRequest, jobOf, type State } from '../state';
import { type DownloadedPreset, isDownloaded, PRESET_CHOICES, type PresetChoice } from './choices';
import { infoOf, isReady } from './state';

/** Access to presets and stored models. An interface, for use and tests without models. */
export interface ModelLibrary {
  presets(): Promise<readonly PresetInfo[]>;
  stored(): Promise<readonly StoredFileInfo[]>;
  /** Facts about the download of a preset. */
  describe(preset: DownloadedPreset): Promise<DownloadFacts>;
  delete(id: string): Promise<void>;
  /** Deletes the original of a model, and keeps what was converted from it. */
  dropOriginal(id: string): Promise<void>;
  /** Deletes the results of the GPU self-check: the next engine repeats it. */
  forgetGpuChecks(): Promise<void>;
}

const PRESET_KEY = 'voxlane-preset';
const SPEED_KEY = 'voxlane-speed';

/** The preset chosen on an earlier visit; `auto` if none was. */
export function rememberedPreset(): PresetChoice {
  const value = remembered(PRESET_KEY);
  return PRESET_CHOICES.find((choice) => choice === value) ?? 'auto';
}

export function rememberPreset(preset: PresetChoice): void {
  remember(PRESET_KEY, preset === 'auto' ? null : preset);
}

/** The speed chosen on an earlier visit; `exact` if none was. */
export function rememberedSpeed(): Speed {
  return remembered(SPEED_KEY) === 'fast' ? 'fast' : 'exact';
}

export function rememberSpeed(speed: Speed): void {
  remember(SPEED_KEY, speed === 'exact' ? null : speed);
}

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    // Storage can be blocked. The choice then lasts until the page is closed.
    return null;
  }
}

/** @param value null removes the entry, for the default */
function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // As in `remembered`.
  }
}

/** Downloads, accepts and deletes models, independent of recordings. */
export class ModelsSession {
  readonly #library: ModelLibrary;
  readonly #keeper: EngineKeeper;
  readonly #store: Store<State, Action>;
  readonly #remember: (preset: PresetChoice) => void;
  readonly #changed: () => void;
  #lastId = 0;
  /** Whether the user chose the preset on this visit. */
  #isChosen = false;

  /**
   * @param remember stores the preset for the next visit
   * @param changed called after each change of the stored models
   */
  constructor(
    library: ModelLibrary,
    keeper: EngineKeeper,
    store: Store<State, Action>,
    remember: (preset: PresetChoice) => void,
    changed: () => void = () => undefined,
  ) {
    this.#library = library;
    this.#keeper = keeper;
    this.#store = store;
    this.#remember = remember;
    this.#changed = changed;
  }

  /** Reads the available models again. Never rejects: a browser that blocks storage can still diarize. */
  async refresh(): Promise<void> {
    try {
      const [presets, stored] = await Promise.all([this.#library.presets(), this.#library.stored()]);
      this.#store.dispatch({ type: 'models-listed', presets, stored });
      this.#followList();
    } catch (thrown) {
      this.#store.dispatch({ type: 'models-unlisted', failure: failureOf(thrown) });
    }
  }

  /** Remembers a chosen preset once its model is here. A preset remembered from an earlier visit without a model is forgotten. */
  #followList(): void {
    const { models, options } = this.#store.get();
    const { preset } = options;
    if (!isDownloaded(preset) || models.preparing) return;
    if (infoOf(models, preset)?.present) this.#remember(preset);
    else if (!this.#isChosen && !isReady(models, preset)) this.#store.dispatch({ type: 'options-changed', options: { preset: 'auto' } });
  }

  /** Follows the user's choice of a preset. Its facts are read before the user decides about the download. */
  async choose(preset: PresetChoice): Promise<void> {
    this.#isChosen = true;
    // The next visit would start an unrequested download.
    const { models } = this.#store.get();
    this.#remember(isDownloaded(preset) && !infoOf(models, preset)?.present ? 'auto' : preset);
    if (!isDownloaded(preset) || models.facts[preset] || isReady(models, preset)) return;
    try {
      this.#store.dispatch({ type: 'download-described', preset, facts: await this.#library.describe(preset) });
    } catch (thrown) {
      // The offer then only has the facts of the list.
      console.warn(thrown);
    }
  }

  /**
   * Creates an engine of a preset with its own model, and then selects the preset. Replaces a preparation in progress.
   *
   * @param file the model; null to download it
   */
  async prepare(preset: DownloadedPreset, file: ModelFile | null): Promise<void> {
    const { dispatch } = this.#store;
    const id = ++this.#lastId;
    this.#keeper.stopMaking();
    const { backend, speed } = appliedOptions({ ...this.#store.get().options, preset });
    this.#isChosen = true;
    dispatch({ type: 'preparing-started', preparing: { id, preset, file, backend, speed } });
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
    this.#changed();
    await this.refresh();
    // A file that could not be stored is gone on the next visit. Remembering the preset would then start an unrequested
    // download. A stored one was remembered when it was listed.
    const { models, options } = this.#store.get();
    const isListed = infoOf(models, preset)?.present ?? false;
    if (isReady && file === null && !isListed && options.preset === preset) this.#remember(preset);
  }

  stop(): void {
    const { preparing } = this.#store.get().models;
    if (!preparing) return;
    this.#keeper.stopMaking();
    this.#store.dispatch({ type: 'preparing-stopped', id: preparing.id });
  }

  /** Uses the file after the user confirmed it. */
  async trust(): Promise<void> {
    const { question } = this.#store.get().models;
    if (question) await this.prepare(question.preset, { ...question.file, isTrusted: true });
  }

  /** Repeats the GPU check before the next run. */
  async checkGpuAgain(): Promise<void> {
    const state = this.#store.get();
    if (jobOf(state) || state.models.preparing) return;
    await this.#library.forgetGpuChecks();
    // The current engine chose its backend by the old result.
    this.#keeper.drop();
    this.#store.dispatch({ type: 'noticed', notice: { said: text.options.gpuForgotten } });
  }

  /** Deletes the original of a stored model. */
  async dropOriginal(model: string): Promise<void> {
    const state = this.#store.get();
    if (jobOf(state) || state.models.preparing) return;
    try {
      await this.#library.dropOriginal(model);
      this.#changed();
    } catch (thrown) {
      this.#store.dispatch({ type: 'deletion-failed', failure: failureOf(thrown) });
    }
    await this.refresh();
  }

  /** Deletes a stored model. The preset falls back to automatic; otherwise the next run would start an unrequested download. */
  async delete(model: string): Promise<void> {
    const state = this.#store.get();
    if (jobOf(state) || state.models.preparing) return;
    const { dispatch } = this.#store;
    try {
      await this.#library.delete(model);
      this.#changed();
      // The engine still has the model in memory and would continue to use it.
      this.#keeper.drop();
      dispatch({ type: 'model-deleted', model });
      this.#remember(this.#store.get().options.preset);
    } catch (thrown) {
      dispatch({ type: 'deletion-failed', failure: failureOf(thrown) });
    }
    await this.refresh();
  }
}
