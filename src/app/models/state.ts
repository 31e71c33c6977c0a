import type { PresetInfo, StoredModelInfo } from '../../engine/presets';
import type { BackendChoice, ModelDownload, Speed } from '../../engine/types';
import type { ModelFile } from '../engineKeeper';
import type { Failure } from '../../ui-kit/failure';

/**
 * The models: the presets, the models stored in this browser, and the one in preparation.
 *
 *   nothing ──preparing-started──▶ preparing ──prepared──▶ chosen
 *                 ▲                    │ stopped, failed, or a file with an unknown hash
 *                 └──trusted── question ┘
 */
export interface ModelsState {
  /** Null until they are listed. */
  readonly presets: readonly PresetInfo[] | null;
  /** Null until they are listed. */
  readonly stored: readonly StoredModelInfo[] | null;
  /** Why presets or stored models could not be listed. */
  readonly listFailure: Failure | null;
  /** The community-1 engine in preparation. */
  readonly preparing: Preparing | null;
  /** Progress of the download of a preparation or a run; null if there is none. */
  readonly download: ModelDownload | null;
  /** Progress of a stopped download, which resumes from there. */
  readonly stopped: ModelDownload | null;
  /** The file accepted on this visit. It is available even if the browser could not store it. */
  readonly file: ModelFile | null;
  /** A question to the user about a file with an unknown hash. */
  readonly question: Question | null;
  readonly failure: ModelFailure | null;
  /** The stored model whose deletion the user has to confirm. */
  readonly deletionOf: string | null;
}

interface Preparing {
  /** Distinguishes events of this preparation from late events of an earlier one. */
  readonly id: number;
  /** Null if the model is downloaded. */
  readonly file: ModelFile | null;
  readonly backend: BackendChoice;
  readonly speed: Speed;
}

interface Question {
  readonly file: ModelFile;
  /** Why the engine did not accept the file without confirmation. */
  readonly failure: Failure;
}

interface ModelFailure {
  readonly during: 'download' | 'file' | 'deletion';
  readonly failure: Failure;
  /** Name of the file; null for a download. */
  readonly name: string | null;
}

export type ModelsAction =
  | {
      readonly type: 'models-listed';
      readonly presets: readonly PresetInfo[];
      readonly stored: readonly StoredModelInfo[];
    }
  | { readonly type: 'models-unlisted'; readonly failure: Failure }
  | { readonly type: 'preparing-started'; readonly preparing: Preparing }
  | { readonly type: 'download-progressed'; readonly download: ModelDownload }
  | { readonly type: 'prepared'; readonly id: number }
  | { readonly type: 'preparing-stopped'; readonly id: number }
  | { readonly type: 'preparing-failed'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'model-refused' }
  | { readonly type: 'model-failure-dismissed' }
  | { readonly type: 'deletion-asked'; readonly model: string | null }
  | { readonly type: 'model-deleted'; readonly model: string }
  | { readonly type: 'deletion-failed'; readonly failure: Failure };

export const INITIAL_MODELS: ModelsState = {
  presets: null,
  stored: null,
  listFailure: null,
  preparing: null,
  download: null,
  stopped: null,
  file: null,
  question: null,
  failure: null,
  deletionOf: null,
};

/** The preset info of community-1, the only preset that requires a download; null until it is listed. */
export function communityInfo({ presets }: ModelsState): PresetInfo | null {
  return presets?.find(({ id }) => id === 'community-1') ?? null;
}

/** Whether community-1 runs without a download. */
export function isCommunityReady(models: ModelsState): boolean {
  return models.file !== null || (communityInfo(models)?.present ?? false);
}

/** The state after a preparation or download stopped. The download can resume later. */
export function afterStop(models: ModelsState): ModelsState {
  if (!models.preparing && !models.download) return models;
  return { ...models, preparing: null, download: null, stopped: models.download ?? models.stopped };
}

/** The state after a run finished its download or failed during it. A preparation reports its own end. */
export function afterDownload(models: ModelsState, isWhole: boolean): ModelsState {
  if (models.preparing || !models.download) return models;
  return isWhole ? { ...models, download: null, stopped: null } : afterStop(models);
}

/** As {@link afterStop}. A file with an unknown hash raises a question; any other preparation becomes a failure. */
function afterFailure(models: ModelsState, failure: Failure): ModelsState {
  const { preparing } = models;
  const rest = afterStop(models);
  if (!preparing) return rest;
  const { file } = preparing;
  if (file && !file.isTrusted && failure.code === 'model-altered') return { ...rest, question: { file, failure } };
  return { ...rest, failure: { during: file ? 'file' : 'download', failure, name: file?.name ?? null } };
}

export function reduceModels(models: ModelsState, action: ModelsAction): ModelsState {
  switch (action.type) {
    case 'models-listed':
      return { ...models, presets: action.presets, stored: action.stored, listFailure: null };
    case 'models-unlisted':
      return { ...models, listFailure: action.failure };
    case 'preparing-started':
      return { ...models, preparing: action.preparing, download: null, question: null, failure: null, deletionOf: null };
    case 'download-progressed':
      return { ...models, download: action.download, stopped: null };
    case 'prepared': {
      if (models.preparing?.id !== action.id) return models;
      return { ...models, preparing: null, download: null, stopped: null, file: models.preparing.file ?? models.file };
    }
    case 'preparing-stopped':
      return models.preparing?.id === action.id ? afterStop(models) : models;
    case 'preparing-failed':
      return models.preparing?.id === action.id ? afterFailure(models, action.failure) : models;
    case 'model-refused':
      return { ...models, question: null };
    case 'model-failure-dismissed':
      return { ...models, failure: null };
    case 'deletion-asked':
      return { ...models, deletionOf: action.model };
    case 'model-deleted':
      return {
        ...models,
        // A partial download is deleted with the model.
        file: null,
        stopped: null,
        deletionOf: null,
        stored: models.stored?.filter(({ id }) => id !== action.model) ?? null,
      };
    case 'deletion-failed':
      return { ...models, deletionOf: null, failure: { during: 'deletion', failure: action.failure, name: null } };
  }
}
